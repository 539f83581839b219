"""A model as judge of what was answered: asked once for the same answers and the same words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid5

from annotate.models import User
from evals.endpoints import ensure_stand_ins
from evals.evaluating.choosing import NAMESPACE, NoEndpointError, named_endpoint
from evals.evaluating.steps import InterruptedEvaluationError, Limits, RefusedEvaluationError, Watch
from evals.metrics.judge import DEFAULT_CRITERIA
from evals.model_judge import JudgeCounts, JudgeError, counts_of, judge_cases, verdicts
from evals.models import Endpoint, Run
from evals.queries.runs import RunPair
from evals.running import RefusedRunError, start_runs, work_on


@dataclass(frozen=True, slots=True)
class Judged:
    """What a judge made of two runs; `counts` is None where its run did not finish."""

    run: Run
    counts: JudgeCounts | None

    def as_json(self) -> dict[str, Any]:
        counts = self.counts
        said = {} if counts is None else {
            "wins": counts.wins,
            "ties": counts.ties,
            "losses": counts.losses,
            "unscored": counts.unscored,
            "decided_win_rate": counts.decided_win_rate().as_json(),
            "inconsistency": counts.inconsistency().as_json(),
        }  # fmt: skip
        return {"run": self.run.number, "judge": self.run.model, "state": self.run.state, **said}


def judge_endpoint(name: str, *, stand_in: bool) -> Endpoint:
    """The judge that is named, or the stand-in.

    Raises
    ------
    NoEndpointError
        If there is none of that name, or none was named.
    """
    if name:
        return named_endpoint(name)
    if not stand_in:
        raise NoEndpointError("Name the judge: --judge ENDPOINT, or --stand-in for the stand-in.")
    return ensure_stand_ins()[Run.System.JUDGE]


def judge_run(
    baseline: Run,
    candidate: Run,
    endpoint: Endpoint,
    *,
    criteria: str = DEFAULT_CRITERIA,
    limits: Limits | None = None,
    fresh: bool = False,
    started_by: User | None = None,
) -> Run:
    """The run in which `endpoint` compares both answers to each case, in both orders.

    It is the one that has these questions answered, or is at it; else, or if it is to be
    `fresh`, a new one. Whoever asks for it at the same time gets the same.

    Raises
    ------
    RefusedEvaluationError
        If there is nothing to judge, or the run cannot be started.
    """
    limits = limits or Limits()
    try:
        suite = judge_cases(baseline, candidate, criteria)
        before = Run.objects.filter(
            study=baseline.study, suite=suite, system=Run.System.JUDGE, endpoint=endpoint
        ).select_related("study", "suite").order_by("-number")  # fmt: skip
        known = before.filter(state__in=(Run.State.RUNNING, Run.State.DONE)).first()
        if known is not None and not fresh:
            return known
        (run,) = start_runs(
            baseline.study,
            suite,
            {Run.System.JUDGE: endpoint},
            call_limit=limits.calls,
            cost_limit=limits.cost,
            started_by=started_by,
            key=uuid5(NAMESPACE, f"judge:{suite.pk}:{endpoint.pk}:{before.count()}"),
        )
    except (JudgeError, RefusedRunError) as error:
        raise RefusedEvaluationError(str(error)) from error
    return run


def judge_pair(
    pair: RunPair,
    endpoint: Endpoint,
    *,
    limits: Limits | None = None,
    watch: Watch | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> Judged:
    """Have a model compare the answers of both runs, each pair in both orders.

    Raises
    ------
    RefusedEvaluationError
        If there is nothing to judge, or the run cannot be started.
    InterruptedEvaluationError
        If it was stopped before all was asked.
    """
    run = judge_run(*pair.runs, endpoint, limits=limits)
    if run.state == Run.State.RUNNING:
        work_on([run], watch=watch, should_stop=should_stop)
        run.refresh_from_db()
    if run.state == Run.State.RUNNING:
        raise InterruptedEvaluationError(
            "Stopped. What the judge said is kept: the same command goes on from there."
        )
    done = run.state == Run.State.DONE
    return Judged(run, counts_of(list(verdicts(run))) if done else None)
