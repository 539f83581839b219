"""What the scores of a run amount to, scorer by scorer."""

from dataclasses import dataclass

from django.db.models import Avg, Count, Q

from evals.formats import ScorerSpec
from evals.models import Run, Score
from evals.scoring.versions import ready


@dataclass(frozen=True, slots=True)
class ScoredWith:
    """A scorer and how many outputs of a run it scored, passed and failed.

    `own` says whether it is the one that cases name: there, passing decides. `mean` is of the
    outputs that have a score; None where none has.
    """

    name: str
    signature: str
    own: bool
    outputs: int
    scored: int
    passed: int
    failed: int
    mean: float | None

    @property
    def unscored(self) -> int:
        return self.outputs - self.scored


def summaries_of(run: Run) -> list[ScoredWith]:
    """Every scorer that looked at `run`, the cases' own first."""
    return _summaries(Q(generation__run=run))


def summary_of(run: Run, spec: ScorerSpec) -> ScoredWith:
    """What the scorer `spec` says of `run`."""
    signature = ready(spec).signature
    found = _summaries(Q(generation__run=run, scorer__signature=signature.text))
    if not found:
        return ScoredWith(signature.name, signature.text, False, 0, 0, 0, 0, None)
    total = found[0]
    for other in found[1:]:
        total = _together(total, other)
    return total


def _summaries(which: Q) -> list[ScoredWith]:
    rows = (
        Score.objects.filter(which)
        .values_list("scorer__name", "scorer__signature", "own")
        .annotate(
            outputs=Count("pk"),
            scored=Count("value"),
            passing=Count("pk", filter=Q(passed=True)),
            failing=Count("pk", filter=Q(passed=False)),
            mean=Avg("value"),
        )
        .order_by("-own", "scorer__name", "scorer__signature")
    )
    return [ScoredWith(*row) for row in rows]


def _together(one: ScoredWith, other: ScoredWith) -> ScoredWith:
    """A scorer that is the own one of some cases, and was added to the others."""
    scored = one.scored + other.scored
    sums = [each.mean * each.scored for each in (one, other) if each.mean is not None]
    return ScoredWith(
        one.name,
        one.signature,
        one.own and other.own,
        one.outputs + other.outputs,
        scored,
        one.passed + other.passed,
        one.failed + other.failed,
        sum(sums) / scored if scored else None,
    )
