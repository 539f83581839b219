"""Verdicts of model judges: one more metric, and one more annotator beside people."""

from collections.abc import Iterator
from dataclasses import dataclass

from annotate.models import Study
from evals.model_judge import JudgeError, judged_runs, signature_of
from evals.models import Run, RunBatch
from evals.queries import Source
from evals.queries.judged import batch_of_judge, judge_leaning
from evals.queries.metrics import Leaning, leaning_of, leanings


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """A judge's run, and the batch in which people meet the answers that it judged."""

    run: Run
    made: RunBatch
    signature: str


def judge_runs(study: Study) -> Iterator[JudgeRun]:
    """The finished ones that can be held against people, the latest first.

    Of two runs that judged the same answers in the same way the later one speaks.
    """
    seen: set[tuple[int, str]] = set()
    judges = Run.objects.filter(study=study, system=Run.System.JUDGE, state=Run.State.DONE)
    for run in judges.select_related("suite").order_by("-number"):
        try:
            found = judge_run(run)
        except JudgeError:
            continue
        if (found.made.pk, found.signature) not in seen:
            seen.add((found.made.pk, found.signature))
            yield found


def judge_run(run: Run) -> JudgeRun:
    """A judge's run with the batch of what it judged.

    Raises
    ------
    JudgeError
        If it is no judge's, has not ended well, or people have no batch of what it judged.
    """
    baseline, candidate = judged_runs(run)
    if run.state != Run.State.DONE:
        words = run.get_state_display().lower()
        raise JudgeError(f"Run {run.number} is not done ({words}): part of the verdicts is none.")
    made = batch_of_judge(baseline, candidate)
    if made is None:
        raise JudgeError(
            f"People have not met what run {run.number} judged: make a batch of runs "
            f"{baseline.number} and {candidate.number} with manage.py batch_from_runs."
        )
    return JudgeRun(run, made, signature_of(run).text)


def judge_leanings(study: Study, only: Source | None = None) -> list[Leaning]:
    """One for each way in which a model has judged, over all batches that it speaks of."""
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    for one in judge_runs(study):
        found = judge_leaning(one.run, one.made, only)
        rows.setdefault((one.run.model, one.signature), []).extend(found)
    return [
        leaning_of(f"model judge, {model}", found, signature)
        for (model, signature), found in rows.items()
        if found
    ]


def all_leanings(study: Study, only: Source | None = None) -> list[Leaning]:
    """Every metric and every model judge that speaks of items that people have judged."""
    return [*leanings(study, only), *judge_leanings(study, only)]
