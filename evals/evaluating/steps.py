"""From suites to a verdict: generate, score, compare; each step only as far as it is needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from annotate.models import Study, User
from evals.comparing import Comparison, compare
from evals.evaluating.choosing import (
    Endpoints,
    NoEndpointError,
    finished_runs,
    key_of,
    unfinished_runs,
)
from evals.models import Run, Suite
from evals.queries.runs import RunPair
from evals.running import Progress, RefusedRunError, start_runs, work_on
from evals.scoring import score_run

How = Literal["started", "gone on with", "used again"]
Say = Callable[[str], None]
Watch = Callable[[Progress], None]


class RefusedEvaluationError(Exception):
    """A suite cannot be put to the systems; the message says why and what to do."""


class InterruptedEvaluationError(Exception):
    """It was told to stop; what was answered is kept, and the same words go on with it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What each run may take; nothing by default."""

    calls: int | None = None
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One suite, done: its runs, and their comparison if both have finished.

    `trouble` says what a reader has to know before trusting it: a run that stopped, or errors.
    """

    suite: Suite
    runs: Sequence[Run]
    how: How
    comparison: Comparison | None
    trouble: Sequence[str] = ()


def evaluate(
    study: Study,
    suites: Sequence[Suite],
    endpoints: Endpoints | None,
    *,
    confidence: float,
    margin: float,
    limits: Limits | None = None,
    fresh: bool = False,
    started_by: User | None = None,
    say: Say = lambda line: None,
    watch: Watch | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Iterator[Evaluated]:
    """Put every suite to both systems and compare what they answered, one suite after another.

    Parameters
    ----------
    endpoints : mapping of system to Endpoint, or None
        Without any, only outputs that exist already are looked at.
    fresh : bool
        Ask again where these endpoints have answered before.
    should_stop : callable
        Once it is true nothing more is asked, and what is in flight is waited for.

    Raises
    ------
    RefusedEvaluationError
        If runs cannot be started.
    InterruptedEvaluationError
        If it was stopped before all was asked.
    """
    for suite in suites:
        runs, how = _runs_of(study, suite, endpoints, limits or Limits(), fresh, started_by)
        say(f"{_name(suite)}: {how} runs {' and '.join(str(run.number) for run in runs)}.")
        if any(run.state == Run.State.RUNNING for run in runs):
            work_on(runs, watch=watch, should_stop=should_stop)
        fresh_runs = [Run.objects.select_related("suite", "study").get(pk=run.pk) for run in runs]
        if any(run.state == Run.State.RUNNING for run in fresh_runs):
            raise InterruptedEvaluationError(
                "Stopped. What was answered is kept: the same command goes on from there."
            )
        yield _finished(suite, fresh_runs, how, confidence, margin)


def _runs_of(
    study: Study,
    suite: Suite,
    endpoints: Endpoints | None,
    limits: Limits,
    fresh: bool,
    started_by: User | None,
) -> tuple[list[Run], How]:
    if endpoints is None:
        runs = finished_runs(study, suite, None)
        if not runs:
            raise NoEndpointError(f"Nobody has answered {_name(suite)} for both systems yet.")
        return runs, "used again"
    if runs := unfinished_runs(study, suite, endpoints):
        return runs, "gone on with"
    if not fresh and (runs := finished_runs(study, suite, endpoints)):
        return runs, "used again"
    try:
        runs = start_runs(
            study,
            suite,
            endpoints,
            call_limit=limits.calls,
            cost_limit=limits.cost,
            started_by=started_by,
            key=key_of(study, suite, endpoints),
        )
    except RefusedRunError as error:
        raise RefusedEvaluationError(str(error)) from error
    return runs, "started"


def _finished(
    suite: Suite, runs: Sequence[Run], how: How, confidence: float, margin: float
) -> Evaluated:
    for run in runs:
        score_run(run)
    trouble = [line for run in runs for line in _trouble(run)]
    sides = {run.system: run for run in runs}
    if any(run.state != Run.State.DONE for run in runs):
        return Evaluated(suite, runs, how, None, trouble)
    pair = RunPair(
        sides[Run.System.BASELINE], sides[Run.System.CANDIDATE], newest_version=suite.version
    )
    return Evaluated(suite, runs, how, compare(pair, confidence, margin), trouble)


def _trouble(run: Run) -> Iterator[str]:
    if run.state != Run.State.DONE:
        why = f" {run.stop_reason}" if run.stop_reason else ""
        words = run.get_state_display().lower()
        yield f"Run {run.number} ({run.system}) was {words}: it feeds no gate.{why}"
    broken = run.generations.exclude(error="")
    if count := broken.count():
        example = broken.order_by("position").values_list("error", flat=True)[0]
        total = run.generations.count()
        yield (
            f"Run {run.number} ({run.system}): {count:,} of {total:,} answers ended in an error, "
            f"such as: {example}"
        )


def _name(suite: Suite) -> str:
    return f"{suite.name}@{suite.version}"
