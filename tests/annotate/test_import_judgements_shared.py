"""Real judgements taken in from files: the report must say what others computed from them."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from annotate.models import Judgement
from tests.factories import make_study

pytestmark = [pytest.mark.django_db, pytest.mark.shared]

PEOPLE = ("annotator1", "annotator2", "annotator3")
SAID = ("tie", "baseline", "candidate")


def text(value: object) -> str:
    """A field as text: three responses of the source are JSON's true."""
    return value if isinstance(value, str) else json.dumps(value)


def records_of(shared: Path) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    folder = shared / "data" / "pandalm"
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing")
    records = json.loads((folder / "testset-v1.json").read_text(encoding="utf-8"))
    return records, json.loads((folder / "reference.json").read_text(encoding="utf-8"))


def write_batch(records: list[dict[str, Any]], path: Path) -> Path:
    rows = [
        {
            "item_id": str(record["idx"]),
            "prompt": f"{record['instruction']}\n\n{text(record['input'])}".strip(),
            "category": record["cmp_key"],
            "baseline_output": text(record["response1"]),
            "candidate_output": text(record["response2"]),
        }
        for record in records
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def long_table(records: list[dict[str, Any]]) -> str:
    rows = [f"{r['idx']},{who},{SAID[r[who]]}" for r in records for who in PEOPLE]
    return "\n".join(["item_id,annotator,preference", *rows]) + "\n"


def wide_table(records: list[dict[str, Any]]) -> str:
    rows = [",".join([str(r["idx"]), *(SAID[r[who]] for who in PEOPLE)]) for r in records]
    return "\n".join([f"item_id,{','.join(PEOPLE)}", *rows]) + "\n"


def answer(*args: Any) -> dict[str, Any]:
    out = StringIO()
    call_command(*map(str, args), "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


@pytest.mark.parametrize("table", [long_table, wide_table])
def test_statistics_of_imported_votes_are_those_of_the_source(
    shared: Path, tmp_path: Path, table: Any
) -> None:
    records, reference = records_of(shared)
    study = make_study("PandaLM", slug="pandalm")
    batch = write_batch(records, tmp_path / "batch.jsonl")
    said = tmp_path / "said.csv"
    said.write_text(table(records))

    answer("import_batch", study.slug, batch, "--allow-empty")
    taken = answer("import_judgements", study.slug, said)
    found = answer("report", study.slug, "--only", "imported")

    votes = reference["response2 as candidate, ties half"]
    assert (taken["judgements"], taken["annotators"]) == (votes["votes"], len(PEOPLE))
    preference, agreement = found["preference"], found["agreement"]
    assert (preference["wins"], preference["ties"], preference["losses"]) == (
        votes["wins"],
        votes["ties"],
        votes["losses"],
    )
    assert preference["win_rate"]["value"] == pytest.approx(votes["value"], abs=1e-5)
    assert preference["win_rate"]["se"] == pytest.approx(votes["se_item_clustered"], abs=1e-5)
    # No file says which output stood where, so no side can have been favoured.
    assert preference["left_share"]["value"] is None
    alpha = agreement["krippendorff_alpha"]
    for level in ("nominal", "ordinal"):
        (name,) = [key for key in reference if key.startswith(f"krippendorff_alpha_{level}")]
        assert alpha[level]["value"] == pytest.approx(reference[name], abs=1e-5)
    assert {tuple(pair["annotators"]) for pair in agreement["pairs"]} == {
        (PEOPLE[0], PEOPLE[1]),
        (PEOPLE[0], PEOPLE[2]),
        (PEOPLE[1], PEOPLE[2]),
    }
    for pair in agreement["pairs"]:
        wanted = reference["pairs"]["-".join(name[-1] for name in pair["annotators"])]
        assert pair["n"] == wanted["n"]
        for key in ("percent", "cohen_kappa", "linear", "quadratic"):
            assert pair[key]["value"] == pytest.approx(wanted[key], abs=1e-5)
        assert pair["cohen_kappa"]["se"] == pytest.approx(wanted["se"], abs=1e-5)
    assert answer("report", study.slug, "--only", "blind")["progress"]["judgements"] == 0


def test_annotations_as_alpaca_eval_writes_them(shared: Path, tmp_path: Path) -> None:
    """A soft judge: every row counts, for the nearer of the two outputs."""
    (path,) = (shared / "data" / "alpaca_eval").glob("*/judge_preferences.json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    reference = json.loads((path.parents[1] / "reference.json").read_text(encoding="utf-8"))
    whole = [
        row | {"output_1": f"first {n}", "output_2": f"second {n}"} for n, row in enumerate(rows)
    ]
    file = tmp_path / "annotations.json"
    file.write_text(json.dumps(whole), encoding="utf-8")
    make_study("Alpaca", slug="alpaca")

    found = answer("import_judgements", "alpaca", file, "--with-items")

    given = [row["preference"] for row in rows if row["preference"] is not None]
    failed = len(rows) - len(given)
    assert found["recognised"] == "annotations of AlpacaEval"
    assert found["judgements"] == len(given)
    assert found["left_out"] == ({"annotations that failed": failed} if failed else {})
    told = next(one for one in found["warnings"] if "As the judge weighed" in str(one))
    assert f"{100 * reference['value']:.2f}" in str(told)
    assert f"error {100 * reference['se']:.2f} points) of {reference['items']:,}" in str(told)
    wins = sum(value > 1.5 for value in given)
    assert Judgement.objects.filter(preference__gt=0).count() == wins
    losses = sum(1 <= value < 1.5 for value in given)
    assert Judgement.objects.filter(preference__lt=0).count() == losses
