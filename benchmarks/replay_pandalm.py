"""Replay 2,997 real human votes through the pages, and compare page and report with the source.

    python -m benchmarks.replay_pandalm [--swap]

Reads pandalm/testset-v1.json and its reference.json from the folder TOUCHSTONE_SHARED. The 999
pairs become a JSON Lines batch that comes in by `manage.py import_batch`; three annotators judge
it through HTTP, in the order and on the sides that the product gives them; what they say is the
vote of the source, found again by the texts on the screen. Then `manage.py report` and the pages
must say what others computed from the same votes. With --swap the two outputs change places in
the file: agreement must be the same and the win rate mirrored.
"""

import argparse
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from benchmarks.over_http import Annotator, OpenTask, words
from benchmarks.scratch import scratch_database
from benchmarks.serving import serve_here, session_of

ANNOTATORS = ("annotator1", "annotator2", "annotator3")
# 0 = tie, 1 = the first response, 2 = the second.
Votes = dict[tuple[str, frozenset[str]], list[dict[str, Any]]]


def text(value: object) -> str:
    """A field as text: three responses of the source are JSON's true."""
    return value if isinstance(value, str) else json.dumps(value)


def prompt_of(record: dict[str, Any]) -> str:
    return f"{record['instruction']}\n\n{text(record['input'])}".strip()


def write_batch(records: list[dict[str, Any]], file: Path, *, swap: bool) -> None:
    first, second = ("response2", "response1") if swap else ("response1", "response2")
    with file.open("w", encoding="utf-8") as lines:
        for record in records:
            row = {
                "item_id": str(record["idx"]),
                "prompt": prompt_of(record),
                "category": record["cmp_key"],
                "baseline_output": text(record[first]),
                "candidate_output": text(record[second]),
            }
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")


def index(records: list[dict[str, Any]]) -> Votes:
    found: Votes = defaultdict(list)
    for record in records:
        pair = frozenset({words(text(record["response1"])), words(text(record["response2"]))})
        found[words(prompt_of(record)), pair].append(record)
    return found


def choose(task: OpenTask, votes: Votes, who: str) -> str:
    """What the source's annotator said of the pair on the screen, as pressed."""
    left, right = words(task.left), words(task.right)
    record = votes[words(task.prompt), frozenset({left, right})].pop()
    preferred = {0: "", 1: "response1", 2: "response2"}[record[who]]
    if not preferred:
        return "0"
    return "-1" if words(text(record[preferred])) == left else "1"


def judge_all(annotator: Annotator, study: str, votes: Votes, who: str) -> int:
    count, task = 0, annotator.begin(study)
    while task is not None:
        status, task = annotator.judge(task, overall=choose(task, votes, who))
        assert status in (200, 204), status
        count += 1
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--swap", action="store_true")
    swap = parser.parse_args().swap
    folder = Path(os.environ.get("TOUCHSTONE_SHARED", "../shared")) / "data" / "pandalm"
    if not folder.is_dir():
        sys.exit(f"{folder} is missing: set TOUCHSTONE_SHARED to the folder that holds data/.")
    with scratch_database("pandalm"), tempfile.TemporaryDirectory() as scratch:
        replay(folder, Path(scratch), swap=swap)


def replay(folder: Path, scratch: Path, *, swap: bool) -> None:
    # Django's parts can be imported once it is set up.
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    from annotate.models import Study, User  # noqa: PLC0415
    from annotate.steering import assign, change_state, create_study  # noqa: PLC0415

    records = json.loads((folder / "testset-v1.json").read_text(encoding="utf-8"))
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    study = create_study(
        "PandaLM", baseline_name="first", candidate_name="second", criteria=(), comments="off"
    )
    write_batch(records, scratch / "pandalm.jsonl", swap=swap)
    call_command("import_batch", study.slug, str(scratch / "pandalm.jsonl"), "--allow-empty")
    people = [User.objects.create_user(f"{name}@example.org") for name in ANNOTATORS]
    for person in people:
        assign(study, person)
    study = change_state(Study.objects.get(), "open")

    with serve_here() as (host, port):
        started = time.perf_counter()
        counts: dict[str, int] = {}

        def work(name: str, person: Any) -> None:
            annotator = Annotator(host, port, session_of(person))
            counts[name] = judge_all(annotator, str(study.public_id), index(records), name)
            annotator.close()
            connection.close()

        threads = [
            threading.Thread(target=work, args=pair)
            for pair in zip(ANNOTATORS, people, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spent = time.perf_counter() - started
        total = sum(counts.values())
        print(f"{total:,} votes in {spent:.0f} s through HTTP: {counts}")
        pages = lead_pages(host, port, study.slug)

    answer = io.StringIO()
    call_command("report", study.slug, "--json", stdout=answer)
    faults = compare(json.loads(answer.getvalue()), reference, pages, swap=swap)
    for fault in faults:
        print("DIFFERS", fault)
    print("report and pages say what the source says" if not faults else f"{len(faults)} differ")
    sys.exit(1 if faults else 0)


def lead_pages(host: str, port: int, slug: str) -> dict[str, str]:
    from annotate.models import Role, User  # noqa: PLC0415

    lead = User.objects.create_user("lead@example.org", role=Role.LEAD)
    browser = Annotator(host, port, session_of(lead))
    pages = {
        page: browser.send("GET", f"/studies/{slug}/{page}")[2]
        for page in ("preference", "agreement")
    }
    browser.close()
    return pages


def compare(
    report: dict[str, Any], reference: dict[str, Any], pages: dict[str, str], *, swap: bool
) -> list[str]:
    """Where report or pages differ from the source's reference figures."""
    votes = reference["response2 as candidate, ties half"]
    wins, losses = (votes["losses"], votes["wins"]) if swap else (votes["wins"], votes["losses"])
    preference, agreement = report["preference"], report["agreement"]
    value = 1 - votes["value"] if swap else votes["value"]
    checks: list[tuple[str, Any, Any]] = [
        ("wins", preference["wins"], wins),
        ("ties", preference["ties"], votes["ties"]),
        ("losses", preference["losses"], losses),
        ("win rate", preference["win_rate"]["value"], value),
        ("win rate, se", preference["win_rate"]["se"], votes["se_item_clustered"]),
        (
            "alpha, nominal",
            agreement["krippendorff_alpha"]["nominal"]["value"],
            reference["krippendorff_alpha_nominal"],
        ),
        (
            "alpha, ordinal",
            agreement["krippendorff_alpha"]["ordinal"]["value"],
            reference["krippendorff_alpha_ordinal (response1 < tie < response2)"],
        ),
    ]
    for pair in agreement["pairs"]:
        name = "-".join(sorted(email.split("@")[0][-1] for email in pair["annotators"]))
        expected = reference["pairs"][name]
        checks.append((f"{name} n", pair["n"], expected["n"]))
        checks += [
            (f"{name} {key}", pair[key]["value"], expected[key])
            for key in ("percent", "cohen_kappa", "linear", "quadratic")
        ]
        checks.append((f"{name} se", pair["cohen_kappa"]["se"], expected["se"]))
    for name, got, expected in checks:
        print(f"{name:20} {got:.6f}  source {expected:.6f}")
    faults = [
        f"{name}: {got}, source {expected}"
        for name, got, expected in checks
        if abs(got - expected) > 1e-5
    ]
    shown = [("agreement", f"{expected:.2f}") for expected in (0.86, 0.85, 0.88)]
    shown += [("preference", f"{wins:,}"), ("preference", f"{losses:,}")]
    shown.append(("preference", f"{100 * value:.1f}"))
    return faults + [f"page {page} lacks {text}" for page, text in shown if text not in pages[page]]


if __name__ == "__main__":
    main()
