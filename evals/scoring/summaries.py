"""What the scores of a run amount to, scorer by scorer."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Avg, Count, Q, StdDev

from evals.formats import ScorerSpec
from evals.metrics import SCORERS
from evals.models import Run, Score
from evals.scoring.versions import ready
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.means import mean_interval
from evals.stats.proportions import clopper_pearson_interval

NAMED = ("scorer__name", "scorer__signature")


@dataclass(frozen=True, slots=True)
class ScoredWith:
    """A scorer, and how many outputs of a run it scored, passed and failed.

    `own` says whether it is the one that cases name: there, passing decides.
    """

    name: str
    signature: str
    own: bool
    outputs: int = 0
    scored: int = 0
    passed: int = 0
    failed: int = 0
    mean: float | None = None
    deviation: float | None = None
    # Why outputs have no score: the commonest reason.
    why: str = ""

    @property
    def unscored(self) -> int:
        return self.outputs - self.scored

    @property
    def is_graded(self) -> bool:
        """Whether scores say more than passed or failed."""
        return self.passed + self.failed < self.scored or self.mean != self.passed / self.scored

    def mean_score(self, confidence: float = 0.95) -> Estimate | Undefined:
        """Of the outputs that have a score; its interval ends where the scorer's scale does."""
        if not self.scored:
            return Undefined("no output has a score")
        found = attempt(mean_interval, self.scored, self.mean, self.deviation, confidence)
        kind = SCORERS.get(self.name)
        if isinstance(found, Undefined) or found.low is None or kind is None or kind.top is None:
            return found
        return replace(found, low=max(0.0, found.low), high=min(kind.top, found.high or 0.0))

    def pass_rate(self, confidence: float = 0.95) -> Estimate | Undefined:
        """Of the outputs that passed or failed."""
        return attempt(clopper_pearson_interval, self.passed, self.passed + self.failed, confidence)


def summaries_of(run: Run) -> list[ScoredWith]:
    """Every scorer that looked at `run`, the cases' own first."""
    scores = Score.objects.filter(generation__run=run).values_list(*NAMED, "own")
    rows: Any = _counted(scores).order_by("-own", *NAMED)
    why = _reasons(run)
    return [replace(ScoredWith(*row), why=why.get(row[1], "")) for row in rows]


def _reasons(run: Run) -> dict[str, str]:
    """The commonest reason of each scorer for having no score, by its signature."""
    without = Score.objects.filter(generation__run=run, value=None)
    counted = without.values_list("scorer__signature", "reason").annotate(n=Count("pk"))
    return {signature: reason for signature, reason, _ in counted.order_by("n", "reason")}


def summary_of(run: Run, spec: ScorerSpec) -> ScoredWith:
    """What the scorer `spec` says of `run`, as the cases' own and where it was added."""
    signature = ready(spec).signature
    scores = Score.objects.filter(generation__run=run, scorer__signature=signature.text)
    row: Any = _counted(scores.values_list(*NAMED)).order_by(*NAMED).first()
    if row is None:
        return ScoredWith(signature.name, signature.text, own=False)
    own = not scores.filter(own=False).exists()
    return ScoredWith(row[0], row[1], own, *row[2:])


def _counted(scores: Any) -> Any:
    return scores.annotate(
        outputs=Count("pk"),
        scored=Count("value"),
        passing=Count("pk", filter=Q(passed=True)),
        failing=Count("pk", filter=Q(passed=False)),
        mean=Avg("value"),
        deviation=StdDev("value", sample=True),
    )
