"""manage.py import_run and score_run, as scripts use them."""

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from annotate.models import Study
from evals.models import Run, Score, Suite
from tests.evals.factories import make_suite
from tests.evals.format_inputs import lines
from tests.evals.test_importing import promptfoo_result

Answered = tuple[int, dict[str, Any], str]
Call = Callable[..., Answered]


@pytest.fixture
def call() -> Call:
    def run(*arguments: object) -> Answered:
        out, error = StringIO(), StringIO()
        try:
            call_command(*map(str, arguments), "--json", stdout=out, stderr=error)
            code = 0
        except SystemExit as end:
            code = int(str(end.code))
        return code, json.loads(out.getvalue() or "{}"), error.getvalue()

    return run


@pytest.fixture
def answers(tmp_path: Path) -> Path:
    """Outputs to the first four of six cases, one of them wrong."""
    rows = [{"id": f"capitals-{n}", "output": str(n % 4), "prompt": f"What is {n}?"}
            for n in range(1, 5)]  # fmt: skip
    path = tmp_path / "answers.jsonl"
    path.write_text(lines(*rows), "utf-8")
    return path


def test_outputs_come_in_as_a_run(study: Study, answers: Path, call: Call) -> None:
    make_suite()

    code, told, error = call(
        "import_run", study.slug, answers, "--system", "candidate", "--suite", "capitals"
    )

    assert (code, error) == (0, "")
    assert list(told)[:6] == ["accepted", "rows", "items", "run", "format", "columns"]
    assert (told["accepted"], told["rows"], told["items"], told["run"]) == (True, 4, 4, 1)
    assert told["runs"] == [
        {
            "run": 1, "system": "candidate", "suite": "capitals@1", "suite_is_new": False,
            "joined_by": "id", "cases": 6, "matched": 4, "missing": 2, "unmatched": 0,
            "failed": 0, "scored": 6, "passed": 3, "unscored": 0,
        }
    ]  # fmt: skip
    assert [one["code"] for one in told["warnings"]] == ["missing_cases"]
    assert Run.objects.get().state == "done"


def test_a_check_writes_nothing(study: Study, answers: Path, call: Call) -> None:
    code, told, _ = call("import_run", study.slug, answers, "--system", "baseline", "--check")

    assert (code, told["accepted"], told["run"]) == (0, True, None)
    assert told["runs"][0]["suite"] == "answers"
    assert not Run.objects.exists()
    assert not Suite.objects.exists()


def test_a_refusal_says_where_and_ends_with_1(study: Study, tmp_path: Path, call: Call) -> None:
    path = tmp_path / "faulty.jsonl"
    path.write_text('{"prompt": "a", "output": "b"}\n{"prompt": \n', "utf-8")

    code, told, error = call("import_run", study.slug, path, "--system", "baseline")

    assert code == 1
    assert (told["accepted"], told["run"], told["errors"][0]["line"]) == (False, None, 2)
    assert error.startswith("Refused, nothing was imported. Line 2: ")


def test_the_same_file_twice_is_refused(study: Study, answers: Path, call: Call) -> None:
    call("import_run", study.slug, answers, "--system", "baseline")

    code, told, _ = call("import_run", study.slug, answers, "--system", "baseline")

    assert code == 1
    assert told["errors"][0]["code"] == "already_imported"


def test_a_file_of_both_systems_makes_a_pair(study: Study, tmp_path: Path, call: Call) -> None:
    results = [promptfoo_result(name, column, 0, name)
               for column, name in enumerate(("old", "new"))]  # fmt: skip
    path = tmp_path / "out.json"
    path.write_text(json.dumps({"results": {"prompts": [], "results": results}}), "utf-8")

    code, told, error = call("import_run", study.slug, path, "--system", "candidate")
    assert code == 1
    assert told["systems"] == {"old (prompt 0)": 1, "new (prompt 1)": 1}
    assert "Choose one of: 'old (prompt 0)' (1), 'new (prompt 1)' (1)" in error

    code, told, _ = call(
        "import_run", study.slug, path,
        "--baseline", "old (prompt 0)", "--candidate", "new (prompt 1)",
    )  # fmt: skip

    assert code == 0
    assert [(one["run"], one["system"]) for one in told["runs"]] == [
        (1, "baseline"), (2, "candidate"),
    ]  # fmt: skip
    assert Run.objects.values("pair").distinct().count() == 1


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--system", "candidate", "--baseline", "x"],
        ["--baseline", "x", "--pick", "y"],
        ["--system", "judge"],
        ["--system", "baseline", "--scorer", "clairvoyance"],
        ["--system", "baseline", "--scorer", 'regex:{"pattern": 1}'],
        ["--system", "baseline", "--sample", "0"],
    ],
)
def test_wrong_use_is_told(study: Study, answers: Path, options: list[str], call: Call) -> None:
    with pytest.raises(CommandError):
        call("import_run", study.slug, answers, *options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere", "{answers}"], "No study is called 'nowhere'"),
        (["{study}", "missing.jsonl"], "missing.jsonl cannot be read: No such file"),
        (["{study}", "{answers}", "--suite", "none"], "No suite is called 'none'. Suites: "),
    ],
)
def test_what_is_not_there_is_told_in_one_line(
    study: Study, answers: Path, arguments: list[str], says: str, call: Call
) -> None:
    given = [one.format(study=study.slug, answers=answers) for one in arguments]

    code, told, error = call("import_run", *given, "--system", "baseline")

    assert (code, told) == (1, {})
    assert error.startswith(says)
    assert error.count("\n") == 1


# Scoring again.


def test_another_scorer_looks_at_stored_outputs(study: Study, answers: Path, call: Call) -> None:
    make_suite()
    call("import_run", study.slug, answers, "--system", "candidate", "--suite", "capitals")

    code, told, _ = call("score_run", study.slug, 1, "--scorer", 'rouge_l:{"pass_at": 0.5}')

    assert code == 0
    assert (told["run"], told["added"]["scored"]) == (1, 6)
    (scores,) = told["scores"]
    assert (scores["scorer"], scores["outputs"], scores["passed"]) == ("rouge_l", 6, 3)
    assert (scores["mean"]["value"], scores["mean"]["n"]) == (0.5, 6)
    assert scores["pass_rate"]["low"] < 0.5 < scores["pass_rate"]["high"]
    assert Score.objects.filter(own=False).count() == 6

    _, again, _ = call("score_run", study.slug, 1, "--scorer", 'rouge_l:{"pass_at": 0.5}')
    assert again["added"]["scored"] == 0
    assert again["scores"] == told["scores"]


def test_the_own_scorer_can_be_asked_for_too(study: Study, answers: Path, call: Call) -> None:
    make_suite()
    call("import_run", study.slug, answers, "--system", "candidate", "--suite", "capitals")

    _, told, _ = call("score_run", study.slug, 1, "--scorer", "exact_match")

    assert told["added"]["scored"] == 0
    assert (told["scores"][0]["outputs"], told["scores"][0]["passed"]) == (6, 3)


def test_a_run_that_is_not_there_is_told(study: Study, call: Call) -> None:
    code, _, error = call("score_run", study.slug, 7)

    assert code == 1
    assert error == f"Study '{study.slug}' has no run 7. It has no run yet.\n"
