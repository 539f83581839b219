"""A model as judge: both orders are asked, and only what both agree on is a win."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotate.models import Study
from evals.metrics.judge import DEFAULT_CRITERIA
from evals.model_judge import (
    CaseVerdict,
    JudgeError,
    counts_of,
    judge_cases,
    judged_runs,
    signature_of,
    verdicts,
)
from evals.models import Case, Generation, Run, Suite
from evals.suites import NoSuiteError, suite_named
from tests.evals.factories import make_run, make_suite
from tests.factories import make_study

OLD, NEW, NOTHING = "The baseline wrote this.", "The candidate wrote that.", None


def make_pair(study: Study, answers: list[tuple[str | None, str | None]]) -> tuple[Run, Run]:
    """Two finished runs with these answers; None is a failed call."""
    suite = make_suite("judged", len(answers))
    runs = [empty_run(study, suite, system) for system in ("baseline", "candidate")]
    for case, texts in zip(suite.cases.order_by("position"), answers, strict=True):
        for run, text in zip(runs, texts, strict=True):
            answer(run, case, text)
    return runs[0], runs[1]


def empty_run(study: Study, suite: Suite, system: str) -> Run:
    return Run.objects.create(
        study=study, number=Run.objects.count() + 1, suite=suite, system=system,
        source="imported", state="done", ended_at=timezone.now(), model=f"{system}-model",
    )  # fmt: skip


def answer(run: Run, case: Case, text: str | None, **fields: Any) -> None:
    failed = {"error": "timeout", "error_kind": "timeout"} if text is None else {}
    Generation.objects.create(
        run=run, case=case, position=case.position, state="done", done_at=timezone.now(),
        text=text, **failed, **fields,
    )  # fmt: skip


def judge(study: Study, runs: tuple[Run, Run], said: list[str | None]) -> Run:
    """A judge's run that answers its questions with `said`, in their order."""
    suite = judge_cases(*runs)
    run = empty_run(study, suite, "judge")
    for case, text in zip(suite.cases.order_by("position"), said, strict=True):
        answer(run, case, text)
    return run


def test_each_pair_is_asked_in_both_orders(study: Study) -> None:
    suite = judge_cases(*make_pair(study, [(OLD, NEW), (OLD, NEW)]))

    first, second, third, _ = suite.cases.order_by("position")
    assert suite.format == "judge"
    assert (first.case_id, second.case_id) == ("judged-1#1", "judged-1#2")
    assert third.case_id == "judged-2#1"
    asked, swapped = first.messages[1]["content"], second.messages[1]["content"]
    assert asked.index(OLD) < asked.index(NEW)
    assert swapped.index(NEW) < swapped.index(OLD)
    assert "What is 1?" in asked
    assert (first.metadata["order"], second.metadata["order"]) == (
        "baseline_first", "candidate_first",
    )  # fmt: skip
    assert DEFAULT_CRITERIA in first.messages[0]["content"]


def test_the_same_runs_and_criteria_are_the_same_questions(study: Study) -> None:
    runs = make_pair(study, [(OLD, NEW)])

    assert judge_cases(*runs) == judge_cases(*runs)
    assert judge_cases(*runs, "brevity").version == 2


def test_what_needs_no_judge_is_not_asked(study: Study) -> None:
    runs = make_pair(
        study, [(OLD, NEW), (OLD, OLD), (NOTHING, NEW), (OLD, NOTHING), (NOTHING, NOTHING)]
    )

    found = list(verdicts(judge(study, runs, ["[[B]]", "[[A]]"])))

    assert [one.winner for one in found] == ["candidate", "tie", "candidate", "baseline", None]
    assert [one.asked for one in found] == [True, False, False, False, False]
    assert found[-1].reason == "both systems failed"
    counts = counts_of(found)
    assert (counts.wins, counts.ties, counts.losses, counts.unscored) == (2, 1, 1, 1)
    assert (counts.judged, counts.inconsistent, counts.not_asked) == (1, 0, 4)


@pytest.mark.parametrize(
    ("said", "winner", "consistent"),
    [
        (["[[A]]", "[[B]]"], "baseline", True),
        (["[[B]]", "[[A]]"], "candidate", True),
        (["[[C]]", "[[C]]"], "tie", True),
        (["[[A]]", "[[A]]"], "tie", False),
        (["[[B]]", "[[B]]"], "tie", False),
        (["At first [[A]], on second thought [[B]]", "[[A]]"], "candidate", True),
    ],
)
def test_only_a_verdict_that_follows_the_text_is_a_win(
    study: Study, said: list[str | None], winner: str, consistent: bool
) -> None:
    runs = make_pair(study, [(OLD, NEW)])

    (found,) = verdicts(judge(study, runs, said))

    assert (found.winner, found.consistent) == (winner, consistent)


def test_a_verdict_that_cannot_be_read_is_none(study: Study) -> None:
    runs = make_pair(study, [(OLD, NEW), (OLD, NEW)])

    found = list(verdicts(judge(study, runs, ["Both are fine.", "[[A]]", "[[A]]", None])))

    assert [one.winner for one in found] == [None, None]
    assert "the first order holds no verdict" in found[0].reason
    assert "the second order did not come: timeout" in found[1].reason
    assert counts_of(found).inconsistency().n == 0


def test_what_has_not_been_asked_yet_has_no_verdict(study: Study) -> None:
    runs = make_pair(study, [(OLD, NEW)])
    suite = judge_cases(*runs)
    run = empty_run(study, suite, "judge")

    (found,) = verdicts(run)

    assert found.winner is None
    assert "it was not asked" in found.reason


def test_runs_that_cannot_be_compared_are_refused_in_words(study: Study) -> None:
    baseline, candidate = make_pair(study, [(OLD, NEW)])
    other = make_run(study, make_suite("other", 2), "candidate")

    with pytest.raises(JudgeError, match="is the candidate's, not the baseline's"):
        judge_cases(candidate, baseline)
    with pytest.raises(JudgeError, match=r"run 3 other, v1\. Choose two runs of one version"):
        judge_cases(baseline, other)
    with pytest.raises(JudgeError, match="nothing to ask"):
        judge_cases(*make_pair(study, [(OLD, OLD)]))
    with pytest.raises(JudgeError, match="is no judge's"):
        judged_runs(baseline)


def test_a_judge_knows_what_it_judged_and_by_what(study: Study) -> None:
    runs = make_pair(study, [(OLD, NEW)])
    run = judge(study, runs, ["[[A]]", "[[B]]"])

    assert judged_runs(run) == runs
    assert '"judge-model"' in signature_of(run).text
    assert DEFAULT_CRITERIA in signature_of(run).text


def test_tool_calls_are_shown_to_the_judge(study: Study) -> None:
    suite = make_suite("calls", 1)
    runs = [empty_run(study, suite, system) for system in ("baseline", "candidate")]
    case = suite.cases.get()
    answer(runs[0], case, "Let me see.", tool_calls=[{"name": "find", "arguments": "{}"}])
    answer(runs[1], case, "I cannot.")

    asked = judge_cases(runs[0], runs[1]).cases.order_by("position")[0].messages[1]["content"]

    assert 'Let me see.\n[tool calls]\n[{"arguments": "{}", "name": "find"}]' in asked


def verdict(winner: Any, consistent: bool | None = True) -> CaseVerdict:
    return CaseVerdict("c", 1, "", winner, consistent=consistent)


def test_shares_have_intervals_or_reasons() -> None:
    counts = counts_of([verdict("candidate")] * 6 + [verdict("baseline")] * 4
                       + [verdict("tie", consistent=False)] * 10)  # fmt: skip

    rate, flips = counts.decided_win_rate().as_json(), counts.inconsistency().as_json()
    assert (rate["value"], rate["n"]) == (0.6, 10)
    assert (flips["value"], flips["n"]) == (0.5, 20)
    assert counts_of([]).decided_win_rate().as_json()["value"] is None


@pytest.mark.django_db(transaction=True)
def test_the_command_asks_the_stand_in_and_goes_on_where_it_stopped() -> None:
    study = make_study("Judged")
    make_pair(study, [(OLD, NEW), (OLD, OLD), ("Yes.", "A much longer answer than that one.")])

    def run_judge() -> dict[str, Any]:
        out = StringIO()
        call_command(
            "run_judge", study.slug, "--baseline-run", "1", "--candidate-run", "2", "--stand-in",
            "--json", stdout=out,
        )  # fmt: skip
        return dict(json.loads(out.getvalue()))

    told = run_judge()

    assert (told["run"], told["state"], told["cases"]) == (3, "done", 3)
    assert told["wins"] + told["ties"] + told["losses"] == 3
    assert told["unscored"] == 0
    assert told["verdicts"][1] == {
        "case": "judged-2", "category": told["verdicts"][1]["category"], "verdict": "tie",
        "reason": "", "asked": False, "consistent": None,
    }  # fmt: skip
    assert Run.objects.get(number=3).calls_made == 4
    assert run_judge() == told
    assert Run.objects.count() == 3


def test_questions_to_a_judge_are_shown_nowhere(study: Study, lena_client: Client) -> None:
    suite = judge_cases(*make_pair(study, [(OLD, NEW)]))

    assert lena_client.get(reverse("suite", args=[suite.pk])).status_code == 404
    assert suite.name not in lena_client.get(reverse("suites")).content.decode()
    with pytest.raises(NoSuiteError) as error:
        suite_named("nothing-of-the-kind")
    assert suite.name not in str(error.value)
