"""manage.py import_batch: what it takes and what it answers."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Batch, Item, State, Study, Task
from tests.factories import make_study

pytestmark = pytest.mark.django_db

GOOD = "id,prompt,output_a,output_b,source\nq1,Why?,Because.,So.,web\nq2,How?,Thus.,Well.,web\n"


@pytest.fixture
def empty() -> Study:
    return make_study("May", slug="may", overlap=2)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    path = tmp_path / "july.csv"
    path.write_text(GOOD)
    return path


def run(*args: Any, **options: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_batch", *map(str, args), stdout=out, stderr=err, **options)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def test_json_is_exactly_what_is_promised(empty: Study, good: Path) -> None:
    code, out, err = run("may", good, "--json")

    batch = Batch.objects.get()
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "accepted": True,
        "rows": 2,
        "items": 2,
        "batch": batch.pk,
        "format": "csv",
        "columns": {
            "id": "item_id",
            "prompt": "prompt",
            "output_a": "baseline_output",
            "output_b": "candidate_output",
            "source": "metadata",
        },
        "errors": [],
        "warnings": [
            {
                "line": 1,
                "row": None,
                "column": "source",
                "code": "unknown_column",
                "message": batch.warnings[0]["message"],
            }
        ],
    }
    assert (batch.name, batch.number, batch.imported_by) == ("july", 1, None)
    assert (Item.objects.count(), Task.objects.count()) == (2, 4)


def test_check_reports_and_writes_nothing(empty: Study, good: Path) -> None:
    code, out, _ = run("may", good, "--check", "--json")

    answer = json.loads(out)
    assert (code, answer["accepted"], answer["rows"], answer["batch"]) == (0, True, 2, None)
    assert Batch.objects.count() == 0


def test_faults_are_listed_with_their_places_and_nothing_is_written(
    empty: Study, tmp_path: Path
) -> None:
    path = tmp_path / "bad.csv"
    path.write_text("prompt,output_a,output_b\nWhy?,a,b\nHow?,,b\nWho?,a,\n")

    code, out, err = run("may", path, "--json")
    _, words, _ = run("may", path)

    answer = json.loads(out)
    places = [(e["line"], e["row"], e["column"], e["code"]) for e in answer["errors"]]
    assert code == 1
    assert places == [(3, 2, "output_a", "empty_value"), (4, 3, "output_b", "empty_value")]
    assert (answer["accepted"], answer["items"], answer["batch"]) == (False, 0, None)
    assert err == "Refused, nothing was imported: 2 errors.\n"
    assert words.startswith("Line 3, column output_a: ")
    assert (Batch.objects.count(), Item.objects.count()) == (0, 0)


def test_columns_are_mapped_sides_swapped_and_empty_outputs_allowed(
    empty: Study, tmp_path: Path
) -> None:
    path = tmp_path / "foreign.csv"
    path.write_text("a=b,fern,moss\nWhy?,,So.\n")
    mapping = ("--map", "a=b=prompt", "--map", "fern=baseline_output")

    code, out, _ = run(
        *("may", path, *mapping, "--map", "moss=candidate_output"),
        *("--swap", "--allow-empty", "--name", "Third", "--json"),
    )

    item = Item.objects.get()
    assert (code, json.loads(out)["accepted"]) == (0, True)
    assert (item.prompt, item.baseline_output, item.candidate_output) == ("Why?", "So.", "")
    assert (item.batch.name, item.batch.swapped) == ("Third", True)


def test_one_file_for_each_system(empty: Study, tmp_path: Path) -> None:
    old, new = tmp_path / "old.jsonl", tmp_path / "new.jsonl"
    old.write_text('{"prompt": "Why?", "output": "Because."}\n')
    new.write_text('{"prompt": "Why?", "output": "So."}\n')

    code, _, _ = run("may", old, new, "--json")

    item = Item.objects.get()
    assert (code, item.baseline_output, item.candidate_output) == (0, "Because.", "So.")


def test_the_same_file_a_second_time_is_refused(empty: Study, good: Path) -> None:
    run("may", good)

    for arguments in (("--json",), ("--json", "--check")):
        code, out, err = run("may", good, *arguments)

        answer = json.loads(out)
        assert (code, answer["accepted"], answer["batch"]) == (1, False, None)
        assert [error["code"] for error in answer["errors"]] == ["already_imported"]
        assert "is batch 1 (july) already" in err
        assert err.count("\n") == 1
    assert Batch.objects.count() == 1


def test_a_closed_study_is_refused(empty: Study, good: Path) -> None:
    Study.objects.update(state=State.CLOSED)

    code, _, err = run("may", good)

    assert (code, Batch.objects.count()) == (1, 0)
    assert "Study 'may' is closed" in err


def test_an_unknown_study_is_named_with_those_there_are(empty: Study, good: Path) -> None:
    make_study("April", slug="april")

    code, out, err = run("june", good, "--json")

    assert (code, out) == (1, "")
    assert err == "No study is called 'june'. Studies: april, may.\n"


def test_a_file_that_cannot_be_read_is_one_clear_line(empty: Study, tmp_path: Path) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        code, out, err = run("may", path, "--json")

        assert (code, out) == (1, "")
        assert err.startswith(f"{path} cannot be read: ")
        assert err.count("\n") == 1


@pytest.mark.parametrize("mapping", ["prompt", "=prompt", "x=", "x=nothing"])
def test_a_mapping_that_makes_no_sense_is_wrong_use(empty: Study, good: Path, mapping: str) -> None:
    # Called from a shell this exits with 2; called from Python it raises.
    with pytest.raises(CommandError, match="COLUMN=FIELD"):
        run("may", good, "--map", mapping)


def test_no_progress_is_written_where_nobody_looks(empty: Study, tmp_path: Path) -> None:
    path = tmp_path / "many.csv"
    rows = "".join(f"Question {n}?,a{n},b{n}\n" for n in range(2000))
    path.write_text("prompt,output_a,output_b\n" + rows)

    code, out, err = run("may", path)

    assert (code, err) == (0, "")
    assert out.startswith("Imported 2,000 items as batch 1 (many).")


def test_separator_is_named_and_taken(empty: Study, tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    path.write_text("prompt;output_a;output_b\nWhy?;One, two.;Three.\n")

    refused, said, _ = run("may", path)
    code, out, _ = run("may", path, "--separator", "semicolons", "--json")

    assert refused == 1
    assert "pass --separator semicolons" in said
    assert code == 0
    assert json.loads(out)["format"] == "csv, semicolons"
    assert Item.objects.get().baseline_output == "One, two."


def test_empty_output_is_refused_with_the_option_that_allows_it(
    empty: Study, tmp_path: Path
) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("prompt,output_a,output_b\nWhy?,,So.\n")

    _, out, _ = run("may", path, "--json")

    assert json.loads(out)["errors"][0]["message"] == (
        "Line 2, column output_a: empty. Write the output, or pass --allow-empty if the model "
        "answered nothing."
    )
