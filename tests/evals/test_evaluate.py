"""manage.py evaluate: from a suite to a verdict, and on from where it was stopped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command

from annotate.demo.content import load_study
from annotate.models import Batch, Study, User
from evals import deciding
from evals.evaluating import (
    InterruptedEvaluationError,
    NoEndpointError,
    endpoints_for,
    evaluate,
)
from evals.models import Attempt, Endpoint, Generation, Run, Score, Suite
from evals.running import cancel_run
from tests.evals.factories import make_endpoint, make_run, make_suite
from tests.evals.model_server import ModelServer
from tests.evals.running_inputs import questions, served_by, suite_of
from tests.evals.simulation import gates
from tests.factories import make_study
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

GATE_KEYS = {"gate", "status", "threshold", "estimate", "sentence"}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", "127.0.0.1")
    with ModelServer() as started:
        yield started


@pytest.fixture
def study() -> Study:
    return make_study("Support", slug="support", baseline_name="Old", candidate_name="New")


@pytest.fixture
def suite() -> Suite:
    return suite_of(questions(6), "small")


@pytest.fixture
def two(server: ModelServer) -> dict[str, Endpoint]:
    return {"baseline": served_by(server, "Old"), "candidate": served_by(server, "New")}


def command(*given: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of `evaluate`."""
    code = 0
    try:
        call_command("evaluate", *given)
    except SystemExit as ended:
        code = int(ended.code or 0)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def done(study: Study, suite: Suite, two: dict[str, Endpoint], **options: Any) -> list[Any]:
    return list(evaluate(study, [suite], two, confidence=0.95, margin=0.05, **options))


# One command.


def test_one_command_against_the_stand_in_reaches_a_verdict(
    study: Study, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = command("support", "--suite", "small", "--stand-in", capsys=capsys)

    # The stand-in does not know these questions: nothing matches.
    assert code == 3
    assert "NO-GO  One gate is not met: exact match" in out
    assert "[small@1, runs 1 and 2]" in out
    assert err == "small@1: started runs 1 and 2.\n"
    assert set(Run.objects.values_list("state", flat=True)) == {"done"}
    assert Score.objects.count() == 12


def test_the_demo_study_is_loaded_where_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(
        "--demo", "--suite", "structured_output", "--stand-in", "--json", capsys=capsys
    )

    answer = json.loads(out)
    assert code == {"NO-GO": 3, "NOT YET": 4}[answer["verdict"]]
    assert Study.objects.get().slug == load_study()["slug"]
    (schema,) = [gate for gate in answer["gates"] if gate["gate"] == "schema_compliance"]
    assert schema["estimate"]["n"] == 20
    assert err.startswith("Loading the demo study.\n")


def test_json_answers_as_decide_and_says_more(
    study: Study, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = command("support", "--suite", "small", "--stand-in", "--json", capsys=capsys)
    with pytest.raises(SystemExit):
        call_command("decide", "support", "--json")
    decided = json.loads(capsys.readouterr().out)

    answer = json.loads(out)
    assert decided == {"verdict": answer["verdict"], "gates": answer["gates"]}
    assert all(set(gate) == GATE_KEYS for gate in answer["gates"])
    (said,) = answer["suites"]
    assert (said["suite"], said["runs"]) == ("small@1", {"baseline": 1, "candidate": 2})
    assert said["comparison"]["overall"]["n"] == 6


def test_files_are_written_as_by_decide(
    study: Study, suite: Suite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    junit, page = tmp_path / "out.xml", tmp_path / "out.html"

    command("support", "--suite", "small", "--stand-in", "--junit", str(junit), "--html", str(page),
            capsys=capsys)  # fmt: skip

    assert len(ElementTree.parse(junit).findall(".//testcase")) == 7  # noqa: S314
    assert "small@1, runs 1 and 2" in page.read_text()
    assert "What was weighed" in page.read_text()


@pytest.mark.parametrize(("passed", "code"), [(200, 0), (0, 3)])
def test_the_exit_code_is_the_verdict(
    study: Study, adam: User, passed: int, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = make_suite("whole", 200)
    outcomes = [number < passed for number in range(200)]
    make_run(study, suite, "baseline")
    make_run(study, suite, "candidate", passed=outcomes)
    deciding.change_policy(
        study, gates(exact_match=0.85), confidence=0.95, made_by=adam, reason="only this"
    )

    found, _, err = command("support", "--suite", "whole", capsys=capsys)

    assert found == code
    assert err == "whole@1: used again runs 1 and 2.\n"


def test_the_answers_can_be_handed_to_people_in_the_same_breath(
    study: Study, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["support", "--suite", "small", "--stand-in", "--batch"]

    _, out, _ = command(*given, capsys=capsys)
    _, _, err = command(*given, capsys=capsys)

    assert err == "small@1: used again runs 1 and 2.\n"
    (batch,) = Batch.objects.all()
    assert f"Batch 1 (small v1, runs 1 and 2): {batch.item_count} items" in out


def test_a_model_can_compare_the_answers_too_and_is_asked_once(
    study: Study, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["support", "--suite", "small", "--stand-in", "--judge", "--json"]

    _, first, _ = command(*given, capsys=capsys)
    calls = Attempt.objects.count()
    _, again, _ = command(*given, capsys=capsys)

    (judged,) = json.loads(first)["judged"]
    assert judged["judge"] == "stand-in-judge"
    assert judged["wins"] + judged["ties"] + judged["losses"] + judged["unscored"] == 6
    assert json.loads(again)["judged"] == [judged]
    assert Attempt.objects.count() == calls


def test_a_judge_has_to_be_named(
    study: Study, suite: Suite, two: dict[str, Endpoint], capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = command("support", "--suite", "small", "--judge", capsys=capsys)

    assert code == 1
    assert err.startswith("Name the judge: --judge ENDPOINT")
    assert not Run.objects.exists()


# What was done is not done again.


def test_a_finished_pair_is_used_again_unless_fresh_ones_are_wanted(
    study: Study, suite: Suite, two: dict[str, Endpoint], server: ModelServer
) -> None:
    (first,), (second,), (third,) = (
        done(study, suite, two, fresh=fresh) for fresh in (False, False, True)
    )

    assert [one.how for one in (first, second, third)] == ["started", "used again", "started"]
    assert [run.number for run in third.runs] == [3, 4]
    assert server.count() == 24


def test_what_was_stopped_goes_on_without_asking_anything_twice(
    study: Study, two: dict[str, Endpoint], server: ModelServer
) -> None:
    suite = suite_of(questions(30), "long")

    with pytest.raises(InterruptedEvaluationError, match="the same command goes on"):
        done(study, suite, two, should_stop=lambda: server.count() >= 10)
    asked_before = server.count()
    (again,) = done(study, suite, two)

    assert 10 <= asked_before < 60
    assert again.how == "gone on with"
    assert [run.number for run in again.runs] == [1, 2]
    assert server.count() == 60
    assert Attempt.objects.count() == 60
    assert sum(Run.objects.values_list("calls_made", flat=True)) == 60
    assert again.comparison is not None
    assert again.comparison.overall.n == 30


def test_scores_that_are_missing_are_made_without_a_call(
    study: Study, suite: Suite, two: dict[str, Endpoint], server: ModelServer
) -> None:
    started = [
        Run.objects.create(
            study=study, number=number, suite=suite, system=system, source="imported",
            state="done", ended_at=study.created_at,
        )
        for number, system in enumerate(("baseline", "candidate"), 1)
    ]  # fmt: skip
    for run in started:
        for case in suite.cases.all():
            Generation.objects.create(
                run=run, case=case, position=case.position, state="done",
                text=f"Answer to {case.position}", done_at=study.created_at,
            )  # fmt: skip

    (one,) = evaluate(study, [suite], None, confidence=0.95, margin=0.05)

    assert one.how == "used again"
    assert one.comparison is not None
    assert one.comparison.overall.cell.both == 6
    assert server.count() == 0


def test_an_endpoint_that_was_changed_is_another_system(
    study: Study, suite: Suite, two: dict[str, Endpoint]
) -> None:
    done(study, suite, two)
    Endpoint.objects.filter(name="New").update(parameters={"temperature": 1})
    changed = {system: Endpoint.objects.get(pk=one.pk) for system, one in two.items()}

    (again,) = done(study, suite, changed)

    assert again.how == "started"


def test_cancelled_runs_are_not_gone_on_with(
    study: Study, suite: Suite, two: dict[str, Endpoint]
) -> None:
    with pytest.raises(InterruptedEvaluationError):
        done(study, suite, two, should_stop=lambda: True)
    cancel_run(Run.objects.get(number=1))

    (again,) = done(study, suite, two)

    assert (again.how, [run.number for run in again.runs]) == ("started", [3, 4])


def test_a_run_that_reaches_its_limit_is_told_and_compared_with_nothing(
    study: Study, suite: Suite, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    served_by(server, "Old")
    served_by(server, "New")

    code, out, err = command("support", "--suite", "small", "--call-limit", "2", capsys=capsys)

    assert code == 4
    assert "no comparison" in out
    assert "was stopped at its limit: it feeds no gate." in err
    assert server.count() <= 4


def test_errors_are_told_with_an_example(
    study: Study, server: ModelServer, two: dict[str, Endpoint]
) -> None:
    suite = suite_of(questions(3, fault="400"), "broken")

    (one,) = done(study, suite, two)

    assert one.trouble[0].startswith("Run 1 (baseline): 3 of 3 answers ended in an error, such as:")


# Who is asked.


def test_endpoints_are_those_called_like_the_systems(study: Study) -> None:
    old, new = make_endpoint("Old"), make_endpoint("New")

    assert endpoints_for(study) == {"baseline": old, "candidate": new}
    assert endpoints_for(study, candidate="Old") == {"baseline": old, "candidate": old}


def test_without_endpoints_those_there_are_named(study: Study) -> None:
    make_endpoint("Moss")

    with pytest.raises(NoEndpointError) as refused:
        endpoints_for(study)
    assert str(refused.value) == (
        "No endpoint is called like the baseline ('Old'): name one with --baseline. "
        "Endpoints: Moss. For the built-in stand-in: --stand-in."
    )
    with pytest.raises(NoEndpointError, match=r"No endpoint is called 'Ivy'\. Endpoints: Moss\."):
        endpoints_for(study, baseline="Ivy")


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["nothing", "--suite", "small", "--stand-in"], "No study is called 'nothing'."),
        (["support", "--suite", "nothing", "--stand-in"], "No suite is called 'nothing'."),
        (["support", "--suite", "small", "--baseline", "Ivy"], "No endpoint is called 'Ivy'."),
        (["support", "--suite", "small"], "No endpoint is called like the baseline"),
    ],
)
def test_what_is_not_there_is_refused_in_one_line(
    study: Study, suite: Suite, given: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = command(*given, capsys=capsys)

    assert (code, out) == (1, "")
    assert err.startswith(line)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "given",
    [
        ["--suite", "small"],
        ["support", "--demo", "--suite", "small"],
        ["support", "--suite", "small", "--stand-in", "--baseline", "Old"],
        ["support", "--suite", "small", "--call-limit", "0"],
        ["support", "--suite", "small", "--cost-limit", "nan"],
        ["support"],
    ],
)
def test_wrong_use_is_exit_code_two(study: Study, suite: Suite, given: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("evaluate", *given)

    assert refused.value.returncode in (1, 2)
    assert not Run.objects.exists()


def test_a_closed_study_is_refused(
    study: Study, suite: Suite, capsys: pytest.CaptureFixture[str]
) -> None:
    Study.objects.update(state="closed")

    code, _, err = command("support", "--suite", "small", "--stand-in", capsys=capsys)

    assert code == 1
    assert "is closed" in err


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_same_evaluation_in_several_terminals_starts_one_pair() -> None:
    study, suite = make_study(), make_suite(cases=3)
    two = {"baseline": make_endpoint("Old"), "candidate": make_endpoint("New")}

    found = in_parallel(6, lambda _: done(study, suite, two, should_stop=lambda: True))

    assert all(isinstance(one, InterruptedEvaluationError) for one in found)
    assert sorted(Run.objects.values_list("number", flat=True)) == [1, 2]
    assert Generation.objects.count() == 6
