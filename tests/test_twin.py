"""Blinding, shown byte for byte: two worlds that differ only in hidden facts look the same.

A world is an annotator's whole journey: start page, tasks, ways to look at the outputs,
answers, corrections, faults, the end. Every status, header and byte is compared after random
ids, tokens and times of day are replaced by the order in which they appear.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from annotate.claiming import claim_task
from annotate.models import Assignment, Study, Task
from annotate.repeating import is_due
from evals.models import Run
from evals.pairing import batch_from_runs
from tests.evals.answers import make_answers
from tests.factories import judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TOKEN = re.compile(r'(?<=name="csrfmiddlewaretoken" value=")[^"]+|(?<=csrf=)[^;]+')
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.+]+|\b\d\d:\d\d\b|(?<=expires=)[^;]+")
# How fast the annotator of this run was is no hidden fact, and differs from run to run.
PACE = re.compile(r"(?<=middle time )[^<.]+|(?:&ensp;|, )(?:about|less than) [^<.;]+ left")
TEXTS = [
    ("What is the capital of Peru?", "Lima.", "The capital is Lima, on the coast."),
    ("List two primes.", "```\n2, 3\n```", "- 2\n- 3"),
    ("Call the tool.", '{"name": "f", "arguments": {"a": 1}}', '{"name": "f", "arguments": {}}'),
    ('[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]', "A", "Б"),
]
HIDDEN_A: dict[str, Any] = {
    "baseline_name": "CANARY-OLD-7B",
    "candidate_name": "CANARY-NEW-70B",
    "slug": "canary-old-vs-canary-new",
}
HIDDEN_B: dict[str, Any] = {
    "baseline_name": "x",
    "candidate_name": "a much longer name of a system, with words",
    "slug": "s",
}


def rows(tag: str) -> list[dict[str, Any]]:
    return [
        {
            "item_id": f"{tag}-{number * len(tag)}",
            "prompt": prompt,
            "baseline_output": baseline,
            "candidate_output": candidate,
            "category": f"{tag} category",
            "reference": f"{tag} reference",
            "cost": tag,
            "latency_ms": len(tag) * 1000,
            "model": f"{tag}-gpt",
        }
        for number, (prompt, baseline, candidate) in enumerate(TEXTS)
    ]


def exchanged(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same pairs with baseline and candidate in each other's column."""
    return [
        row
        | {
            "baseline_output": row["candidate_output"],
            "candidate_output": row["baseline_output"],
        }
        for row in lines
    ]


def world_of_runs(hidden: Mapping[str, Any], tag: str, *, swapped: bool = False) -> Study:
    """The same texts, but as answers of two runs: of models, with times, tokens and scores."""
    study = world(hidden, [], "", name="Replies")
    pairs = []
    for number, (_, baseline, candidate) in enumerate(TEXTS):
        texts = (candidate, baseline) if swapped else (baseline, candidate)
        answers = [answer_of(text, f"{tag}-{side}", number) for side, text in enumerate(texts)]
        pairs.append(tuple(answers))
    runs = make_answers(study, pairs, name=f"{tag.lower()}-suite", category=f"{tag} category")
    Run.objects.update(model=f"{tag}-gpt", file_names=[f"{tag}.jsonl"])
    batch_from_runs(*runs)
    return study


def answer_of(text: str, tag: str, number: int) -> dict[str, Any]:
    """Calls have ids as their service spells them; the rest no annotator may learn either."""
    said: dict[str, Any] = {"text": text}
    if text.startswith("{"):
        call = {"name": "f", "arguments": text, "id": f"{tag}-call-{number}"}
        said = {"text": None, "tool_calls": [call]}
    return said | {
        "latency_ms": 10.0 * len(tag) + number,
        "prompt_tokens": len(tag),
        "completion_tokens": len(tag) + number,
        "model": f"{tag}-gpt",
        "finish_reason": "length" if len(tag) > 4 else "stop",
        "tries": len(tag) % 3 + 1,
        "passed": len(tag) % 2 == 0,
    }


def world(
    hidden: Mapping[str, Any],
    lines: list[dict[str, Any]],
    batch: str,
    *,
    name: str = "Replies",
    **fields: Any,
) -> Study:
    amara = make_user("Amara", email="amara@example.org")
    study = make_study(
        name,
        annotators=[amara],
        criteria=[("safety", "comparative"), ("style", "score")],
        both_bad=True,
        overlap=2,
        guidelines="Be **strict**.",
        **hidden,
        **fields,
    )
    if lines:
        make_batch(study, lines, name=batch)
    return study


def flip_sides(study: Study) -> None:
    for task in Task.objects.filter(study=study):
        other = "right" if task.candidate_side == "left" else "left"
        Task.objects.filter(pk=task.pk).update(candidate_side=other)


class Journey:
    """All that one annotator receives."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.client = Client()
        # What a sign-in begins with is listened to from the first request on.
        self.client.get("/healthz")
        self.client.force_login(study.assignments.get().annotator)
        self.received: list[str] = []

    def keep(self, answer: Any) -> Any:
        headers = sorted(f"{name}: {value}" for name, value in answer.items())
        cookies = [str(cookie) for cookie in answer.cookies.values()]
        text = answer.content.decode()
        self.received.append("\n".join([str(answer.status_code), *headers, *cookies, text]))
        return answer

    def get(self, path: str, **headers: str) -> Any:
        return self.keep(self.client.get(path, headers=headers))

    def post(self, path: str, data: Mapping[str, Any] | None = None, **headers: str) -> str:
        answer = self.keep(self.client.post(path, data or {}, headers=headers))
        return str(answer.get("Location", "") or answer.get("HX-Redirect", ""))

    def travel(self) -> list[str]:
        base = f"/judge/{self.study.public_id}/"
        self.get("/")
        self.get("/me/")
        address = self.post(base)
        for number in range(len(TEXTS)):
            address = self.judge(address, number)
        self.get(f"{base}done")
        self.get("/")
        self.post(f"{base}undo")
        self.get(f"/studies/{self.study.slug}/preference")
        return self.received

    def judge(self, address: str, number: int) -> str:
        self.get(address)
        self.get(address, HX_Request="true")
        for view in ("plain", "markdown", "diff", "hidden"):
            self.get(f"{address}pair?view={view}", HX_Request="true")
        self.post(address, {"overall": "9"})
        key = re.search(
            r'name="submission_key" value="([^"]+)"', self.get(address).content.decode()
        )
        assert key is not None
        answers = {
            "submission_key": key[1],
            "overall": str(number % 3 - 1),
            "criterion:safety": "0",
            "criterion:style:left": "3",
            "criterion:style:right": "4",
            "comment": "",
        }
        address_of_next = self.post(address, answers)
        self.post(address, answers | {"overall": "both_bad"})
        return address_of_next


def plain(received: list[str], study: Study) -> list[str]:
    """Without what is random: ids and tokens by their order of appearance, no time of day."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return seen.setdefault(found.group(), f"<{len(seen)}>")

    # The slug is asked for by the test alone: no page may give it.
    texts = [text.replace(f"/studies/{study.slug}/", "/studies/SLUG/") for text in received]
    texts = [PACE.sub("", TIME.sub("TIME", TOKEN.sub("TOKEN", text))) for text in texts]
    return [UUID.sub(number, text) for text in texts]


def journey(study: Study) -> list[str]:
    return plain(Journey(study).travel(), study)


def seen_in(hidden: Mapping[str, Any], lines: list[dict[str, Any]], batch: str, **more: Any) -> Any:
    """A world of its own, gone again when its journey is over."""
    flipped = more.pop("flipped", False)
    with transaction.atomic():
        study = world(hidden, lines, batch, **more)
        if flipped:
            flip_sides(study)
        received = journey(study)
        transaction.set_rollback(True)
    return received


def test_hidden_facts_change_no_byte_that_an_annotator_receives() -> None:
    first = seen_in(HIDDEN_A, rows("CANARY-A"), "CANARY batch of gpt-4o")
    second = seen_in(HIDDEN_B, rows("b"), "other")

    assert first == second
    assert len(first) > 40
    assert "Lima" in "".join(first)
    assert "canary" not in "".join(first).lower()


def test_which_system_wrote_what_changes_no_byte() -> None:
    first = seen_in(HIDDEN_A, rows("a"), "batch")
    second = seen_in(HIDDEN_A, exchanged(rows("a")), "batch", flipped=True)

    assert first == second


def seen_of_runs(hidden: Mapping[str, Any], tag: str, *, swapped: bool = False) -> Any:
    with transaction.atomic():
        study = world_of_runs(hidden, tag, swapped=swapped)
        if swapped:
            flip_sides(study)
        received = journey(study)
        transaction.set_rollback(True)
    return received


def test_items_of_runs_tell_nothing_of_models_times_tokens_or_scores() -> None:
    first = seen_of_runs(HIDDEN_A, "CANARY-A")
    second = seen_of_runs(HIDDEN_B, "b")

    assert first == second
    assert len(first) > 40
    assert "Lima" in "".join(first)
    assert "canary" not in "".join(first).lower()


def test_which_run_answered_what_changes_no_byte() -> None:
    assert seen_of_runs(HIDDEN_A, "a") == seen_of_runs(HIDDEN_A, "a", swapped=True)


def test_the_comparison_sees_what_an_annotator_sees() -> None:
    first = seen_in(HIDDEN_A, rows("a"), "batch")

    assert first != seen_in(HIDDEN_A, rows("a"), "batch", name="Answers")
    assert first != seen_in(HIDDEN_A, rows("a"), "batch", flipped=True)


# Long enough for a repeat to come while other items are left.
MANY = 44
FIRST_REPEAT = 60


class LongJourney(Journey):
    """All that an annotator receives from one task on, whatever kind of task that is."""

    def travel(self) -> list[str]:
        base = f"/judge/{self.study.public_id}/"
        self.get("/")
        address = self.post(base)
        after = self.judge(address, 0)
        self.get(address)
        self.get("/")
        self.post(f"{base}undo")
        self.post(f"{base}undo", {"from": address.split("/")[2]})
        self.post(f"{address}skip", {"reason": "unclear"})
        self.get(f"{base}done")
        self.judge(after, 1)
        return self.received

    def set_aside(self) -> list[str]:
        """The other ways that a task in hand can go."""
        base = f"/judge/{self.study.public_id}/"
        address = self.post(base)
        self.post(f"{address}flag", {"flag": ["broken"]})
        self.get(address)
        self.post(f"{address}release")
        self.get(address)
        self.post(address, {"overall": "1"})
        self.get("/")
        self.post(f"{address}skip", {"reason": "unclear"})
        return self.received

    def skip_it(self) -> list[str]:
        address = self.post(f"/judge/{self.study.public_id}/")
        self.post(f"{address}skip", {"reason": "unclear"})
        self.get(address)
        self.post(address, {"overall": "1"})
        self.get("/")
        return self.received


def alike_but_for_sides(study: Study) -> None:
    """Every item reads the same, so that all that can tell is what kind of task it is."""
    study.items.update(prompt="Which?", baseline_output="One.", candidate_output="Two.")


def before_a_repeat(study: Study) -> Task:
    """Judge until the next task is a repeat; that repeat, not handed out yet."""
    amara = study.assignments.get().annotator
    for _ in range(FIRST_REPEAT):
        assignment = study.assignments.get()
        if is_due(study, assignment):
            return Task.objects.filter(state="waiting").order_by("due_after", "rank")[0]
        judge_next(study, amara, 0)
    raise AssertionError("no repeat was due")


def seen_from_a_repeat(*, is_repeat: bool, way: str) -> list[str]:
    """A world whose next task is a repeat, or an item that was never met and reads the same."""
    with transaction.atomic():
        lines = [{**rows("a")[0], "item_id": f"i-{number}"} for number in range(MANY)]
        for number, line in enumerate(lines):
            line["prompt"] = f"{number}?"
        study = world(HIDDEN_A, lines, "batch", repeat_share=Decimal("0.5"))
        alike_but_for_sides(study)
        repeat = before_a_repeat(study)
        Task.objects.free().update(candidate_side=repeat.candidate_side)
        later = Task.objects.filter(state="waiting").exclude(pk=repeat.pk)
        later.update(due_after=1000)
        if not is_repeat:
            Task.objects.filter(pk=repeat.pk).update(due_after=1000)
        first = claim_task(study, study.assignments.get().annotator)
        assert bool(first.repeats_id) is is_repeat
        received = plain(getattr(LongJourney(study), way)(), study)
        transaction.set_rollback(True)
    return received


@pytest.mark.parametrize("way", ["travel", "set_aside", "skip_it"])
def test_no_byte_tells_a_repeat_from_an_item_never_met(way: str) -> None:
    repeat = seen_from_a_repeat(is_repeat=True, way=way)
    fresh = seen_from_a_repeat(is_repeat=False, way=way)

    assert repeat == fresh
    assert "Which?" in "".join(repeat)
    assert "repeat" not in "".join(repeat).lower()


def test_a_count_that_leaves_repeats_out_would_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Assignment, "answered", property(lambda self: self.judged_count))

    repeat = seen_from_a_repeat(is_repeat=True, way="travel")

    assert repeat != seen_from_a_repeat(is_repeat=False, way="travel")
