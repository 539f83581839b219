"""manage.py import_suite."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from evals.formats import SHIPPED
from evals.models import Case, Suite
from tests.evals.suite_inputs import BFCL, BFCL_ANSWERS, CASES, FINE_TUNING, lines

pytestmark = pytest.mark.django_db

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def command(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            call_command("import_suite", *map(str, arguments))
        except SystemExit as ended:
            code = int(ended.code or 0)
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    def write(records: list[Any], name: str = "talk.jsonl") -> Path:
        path = tmp_path / name
        path.write_text(lines(records), "utf-8")
        return path

    return write


def test_it_imports_and_answers_in_one_json_document(run: Run, file: Callable[..., Path]) -> None:
    code, out, err = run(file(CASES), "--name", "talk", "--title", "Small talk", "--json")

    answer = json.loads(out)
    suite = Suite.objects.get()
    assert (code, err) == (0, "")
    assert list(answer) == [
        "accepted",
        "rows",
        "cases",
        "suite",
        "version",
        "is_new",
        "digest",
        "format",
        "recognised",
        "categories",
        "splits",
        "errors",
        "warnings",
    ]
    assert (answer["accepted"], answer["rows"], answer["cases"]) == (True, 3, 3)
    assert (answer["suite"], answer["version"], answer["is_new"]) == ("talk", 1, True)
    assert (answer["digest"], answer["format"]) == (suite.digest, "suite")
    assert answer["categories"] == {"sums": 1, "talk": 1, "tools": 1}
    assert answer["splits"] == {"target": 2, "general": 1}
    assert answer["errors"] == []
    assert [warning["code"] for warning in answer["warnings"]] == ["few_cases"]
    assert suite.title == "Small talk"


def test_in_words_it_says_what_came_of_it(run: Run, file: Callable[..., Path]) -> None:
    path = file(CASES)

    assert run(path)[1] == "Imported 3 cases as talk, version 1.\n  Read as: A suite of cases\n"
    assert run(path)[1].startswith("These 3 cases are talk, version 1 already.")
    assert run(file(CASES[:1]))[1].startswith("Imported 1 case as talk, version 2.")


def test_warnings_go_to_stderr(run: Run, file: Callable[..., Path]) -> None:
    _, out, err = run(file(CASES))

    assert err.startswith("Warning: Fewer than 20 cases in sums (1), talk (1), tools (1).")
    assert "Warning" not in out


def test_a_check_writes_nothing(run: Run, file: Callable[..., Path]) -> None:
    code, out, _ = run(file(CASES), "--check", "--json")

    answer = json.loads(out)
    assert (code, answer["accepted"], answer["suite"]) == (0, True, None)
    assert not Suite.objects.exists()


def test_a_refused_file_is_told_line_by_line(run: Run, file: Callable[..., Path]) -> None:
    path = file([*CASES, {"id": "c-1", "prompt": "Again?"}, {"prompt": "Hi", "scorer": "rouge"}])

    code, out, err = run(path, "--json")

    answer = json.loads(out)
    assert (code, answer["accepted"], answer["cases"]) == (1, False, 0)
    assert [(error["line"], error["column"]) for error in answer["errors"]] == [
        (4, None),
        (5, "scorer"),
    ]
    assert err == "Refused, nothing was imported: 2 errors.\n"
    assert not Suite.objects.exists()
    assert run(path)[1].startswith("Line 4: the id 'c-1' was already used on line 1")


def test_two_files_that_belong_together_come_in_together(
    run: Run, file: Callable[..., Path]
) -> None:
    answers = file(BFCL_ANSWERS, "simple.answers.jsonl")
    questions = file(BFCL, "simple.jsonl")

    code, out, _ = run(answers, questions, "--json")

    answer = json.loads(out)
    assert (code, answer["suite"], answer["format"]) == (0, "simple", "bfcl")
    assert [one["format"] for one in answer["recognised"]] == ["bfcl_answers", "bfcl"]
    assert Case.objects.get().expected["tool_calls"][0]["name"] == "area"


def test_questions_without_their_answers_are_refused(run: Run, file: Callable[..., Path]) -> None:
    code, out, _ = run(file(BFCL, "simple.jsonl"))

    assert code == 1
    assert "Add the file of accepted answers." in out


def test_it_says_what_else_a_file_might_be(run: Run, file: Callable[..., Path]) -> None:
    path = file(FINE_TUNING)

    _, out, _ = run(path, "--check")
    code, other, _ = run(path, "--check", "--format", "suite")

    assert "It may be suite instead: choose with --format" in out
    assert code == 0
    assert "Fine-tuning examples" in other


@pytest.mark.parametrize("shipped", [suite.name for suite in SHIPPED])
def test_shipped_suites_come_in_by_their_name(run: Run, shipped: str) -> None:
    code, out, _ = run(shipped, "--json")
    again = json.loads(run("--shipped", shipped, "--json")[1])

    answer = json.loads(out)
    suite = Suite.objects.get()
    assert (code, answer["suite"], answer["is_new"]) == (0, shipped, True)
    assert (again["version"], again["is_new"]) == (1, False)
    assert suite.title == next(one.title for one in SHIPPED if one.name == shipped)


def test_prompts_of_the_training_file_are_counted(run: Run, file: Callable[..., Path]) -> None:
    asked = {"role": "user", "content": "what is 6 times 7?"}
    lesson = {"messages": [asked, {"role": "assistant", "content": "42"}]}
    path, training = file(CASES), file([lesson], "train.jsonl")

    _, out, _ = run(path, "--overlaps", training, "--json")
    _, _, err = run(path, "--overlaps", training)

    assert json.loads(out)["overlaps"] == {
        "file": "train.jsonl",
        "cases": 1,
        "of": 3,
        "examples": 1,
        "unread": 0,
        "ids": ["c-1"],
    }
    assert "Warning: 1 of 3 prompts stand word for word in train.jsonl" in err


def test_a_file_that_is_not_there_is_refused_in_one_line(run: Run, tmp_path: Path) -> None:
    code, out, err = run(tmp_path / "nothing.jsonl")

    assert (code, out) == (1, "")
    assert re.fullmatch(r".*nothing\.jsonl cannot be read: No such file or directory\.\n", err)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["x.jsonl", "--name", "a b"],
        ["x.jsonl", "--format", "lm_eval"],
        ["x.jsonl", "--shipped", "tool_calling"],
        ["--shipped", "nothing"],
    ],
)
def test_wrong_use_is_told_before_anything_is_read(run: Run, arguments: list[str]) -> None:
    # From a shell these end with 2; called from code Django raises instead.
    with pytest.raises(CommandError):
        run(*arguments)


@pytest.mark.shared
def test_real_tool_calling_sets_come_in_whole_as_suites(run: Run, shared: Path) -> None:
    answers = sorted((shared / "data" / "bfcl").glob("*.answers.jsonl"))
    if not answers:
        pytest.skip("no BFCL files")
    total = 0
    for path in answers:
        questions = path.with_name(path.name.replace(".answers", ""))
        records = [json.loads(line) for line in questions.read_text("utf-8").splitlines()]

        code, out, _ = run(questions, path, "--json")

        answer = json.loads(out)
        assert (code, answer["errors"], answer["cases"]) == (0, [], len(records))
        stored = Case.objects.filter(suite__name=answer["suite"]).order_by("position")
        assert [case.case_id for case in stored] == [record["id"] for record in records]
        assert all(case.expected["tool_calls"] and case.tools for case in stored)
        total += len(records)
    assert Case.objects.count() == total
