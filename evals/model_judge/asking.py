"""The questions to a judge as a suite of its own: each pair of answers in both orders.

A derived suite is shown in no list, since its prompts hold the systems' answers. Put to the judge
like any other suite, it is asked within every limit.
"""

from collections.abc import Iterator, Mapping

from django.db.models import QuerySet

from annotate.parsing import JSON
from evals.formats import CaseRecord, Expected
from evals.metrics.judge import (
    DEFAULT_CRITERIA,
    MAX_CRITERIA_CHARS,
    JudgePrompt,
    build_prompts,
)
from evals.model_judge.pairs import Answered, JudgeError, answer_of, pairs_of, prompt_of
from evals.models import Run, Suite
from evals.suites import make_suite_of

BASELINE_FIRST, CANDIDATE_FIRST = "baseline_first", "candidate_first"


def judge_cases(baseline: Run, candidate: Run, criteria: str = DEFAULT_CRITERIA) -> Suite:
    """The suite of questions about these runs; the same runs and criteria give the same suite.

    Raises
    ------
    JudgeError
        If the runs cannot be judged, or no pair of answers needs a judge.
    """
    if not criteria.strip() or len(criteria) > MAX_CRITERIA_CHARS:
        raise JudgeError(f"Write the criteria, in at most {MAX_CRITERIA_CHARS:,} characters.")
    try:
        return make_suite_of(
            _questions(baseline, candidate, criteria),
            _suite_name(baseline, candidate),
            title=f"Judging runs {baseline.number} and {candidate.number}",
            format=Suite.DERIVED,
        )
    except ValueError as error:
        raise JudgeError("There is nothing to ask: no case has two answers that differ.") from error


def judges_of(baseline: Run, candidate: Run) -> QuerySet[Run]:
    """The runs in which models judged these two, the latest first."""
    asked = Run.objects.filter(study=baseline.study_id, system=Run.System.JUDGE)
    about = asked.filter(suite__format=Suite.DERIVED, suite__name=_suite_name(baseline, candidate))
    return about.select_related("suite").order_by("-number")


def _suite_name(baseline: Run, candidate: Run) -> str:
    return f"judge-{baseline.pk}-{candidate.pk}"


def _questions(baseline: Run, candidate: Run, criteria: str) -> Iterator[CaseRecord]:
    about: dict[str, JSON] = {
        "baseline_run": baseline.pk, "candidate_run": candidate.pk, "criteria": criteria
    }  # fmt: skip
    for pair in pairs_of(baseline, candidate):
        if pair.settled:
            continue
        yield from _both_orders(pair, criteria, about)
        # Once is enough: the first case speaks for all.
        about = {}


def _both_orders(pair: Answered, criteria: str, about: Mapping[str, JSON]) -> Iterator[CaseRecord]:
    prompts = build_prompts(
        prompt_of(pair.case), answer_of(pair.baseline), answer_of(pair.candidate), criteria
    )
    yield _question(pair, 1, BASELINE_FIRST, prompts.baseline_first, about)
    yield _question(pair, 2, CANDIDATE_FIRST, prompts.candidate_first, {})


def _question(
    pair: Answered, number: int, order: str, prompt: JudgePrompt, about: Mapping[str, JSON]
) -> CaseRecord:
    metadata: dict[str, JSON] = {
        "case": pair.case.case_id, "position": pair.case.position, "order": order, **about
    }  # fmt: skip
    return CaseRecord(
        id=f"{pair.case.case_id}#{number}",
        messages=tuple({**message} for message in prompt.messages),
        expected=Expected(),
        category=pair.case.category,
        split="general" if pair.case.split == "general" else "target",
        metadata=metadata,
    )
