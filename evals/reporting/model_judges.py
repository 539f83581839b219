"""Verdicts of model judges as one more metric, on the items that people have judged too."""

from annotate.models import Study
from evals.model_judge import JudgeError, judged_runs, signature_of, verdicts
from evals.models import Run, RunBatch
from evals.queries import Source
from evals.queries.metrics import Leaning, leaning_of, said_by_case

LEANS = {"candidate": 1.0, "tie": 0.0, "baseline": -1.0}


def judge_leanings(study: Study, only: Source | None = None) -> list[Leaning]:
    """One for each way in which a model has judged, over all batches that it speaks of."""
    rows: dict[tuple[str, str], list[tuple[int, float, float]]] = {}
    seen: set[tuple[int, str]] = set()
    judges = Run.objects.filter(study=study, system=Run.System.JUDGE, state=Run.State.DONE)
    for run in judges.select_related("suite").order_by("-number"):
        made = _batch_of(run)
        if made is None:
            continue
        signature = signature_of(run).text
        # Of two runs that judged the same answers in the same way the later one speaks.
        if (made.pk, signature) not in seen:
            seen.add((made.pk, signature))
            rows.setdefault((run.model, signature), []).extend(_rows(run, made, only))
    return [
        leaning_of(f"model judge, {model}", found, signature)
        for (model, signature), found in rows.items()
        if found
    ]


def _batch_of(run: Run) -> RunBatch | None:
    try:
        baseline, candidate = judged_runs(run)
    except JudgeError:
        return None
    made = RunBatch.objects.filter(baseline_run=baseline, candidate_run=candidate)
    return made.select_related("batch__study").first()


def _rows(run: Run, made: RunBatch, only: Source | None) -> list[tuple[int, float, float]]:
    said = said_by_case(made.batch, only)
    return [
        (said[verdict.case_id][0], LEANS[verdict.winner], said[verdict.case_id][1])
        for verdict in verdicts(run)
        if verdict.winner is not None and verdict.case_id in said
    ]
