"""Runs of a suite of one's own: cases and the answers of both systems, given in full."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.utils import timezone

from annotate.models import Study
from evals.models import Case, Generation, Run, Score, ScorerVersion, Suite

SYSTEMS = ("baseline", "candidate")
Answer = Mapping[str, Any]


def make_answers(
    study: Study, pairs: Sequence[tuple[Answer, ...]], *, name: str = "answers", **case: Any
) -> tuple[Run, Run]:
    """Two runs that are done: one case a pair, its answers the fields of generations.

    `scores` of an answer are {signature: value}; `passed` scores it by the case's own scorer.
    """
    suite = Suite.objects.create(
        name=name, version=1, title=name, digest=uuid4().hex * 2, format="suite",
        case_count=len(pairs),
    )  # fmt: skip
    cases = [_case(suite, number, case) for number in range(1, len(pairs) + 1)]
    together = uuid4()
    baseline, candidate = (
        _run(study, suite, system, together, [pair[side] for pair in pairs], cases)
        for side, system in enumerate(SYSTEMS)
    )
    return baseline, candidate


def _case(suite: Suite, number: int, fields: Mapping[str, Any]) -> Case:
    given = {"messages": [{"role": "user", "content": f"Question {number}?"}]} | dict(fields)
    return Case.objects.create(suite=suite, position=number, case_id=f"case-{number}", **given)


def _run(
    study: Study, suite: Suite, system: str, pair: Any, answers: Sequence[Answer],
    cases: Sequence[Case],
) -> Run:  # fmt: skip
    run = Run.objects.create(
        study=study, number=Run.objects.filter(study=study).count() + 1, suite=suite,
        system=system, pair=pair, source="imported", state="done", ended_at=timezone.now(),
    )  # fmt: skip
    for case, answer in zip(cases, answers, strict=True):
        fields = dict(answer)
        scores, passed = fields.pop("scores", {}), fields.pop("passed", None)
        generation = Generation.objects.create(
            run=run, case=case, position=case.position, state="done",
            done_at=timezone.now(), **{"tries": 1, **fields},
        )  # fmt: skip
        if passed is not None:
            _score(generation, "exact_match|version:1|level:output", float(passed), passed)
        for signature, value in scores.items():
            _score(generation, signature, value, None)
    return run


def _score(generation: Generation, signature: str, value: float, passed: bool | None) -> None:
    scorer, _ = ScorerVersion.objects.get_or_create(
        name=signature.partition("|")[0], signature=signature
    )
    Score.objects.create(
        generation=generation, scorer=scorer, own=passed is not None, value=value, passed=passed
    )
