"""How long the outputs of two systems are: a diagnostic, on which no gate hangs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from evals.queries.output_lengths import Answers, LengthCell, LengthCells
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.means import mean_interval, ratio_of_paired_means

Found = Estimate | Undefined
MEAN = "mean length of an output"


def mean_length(n: int, mean: float | None, deviation: float | None, confidence: float) -> Found:
    """Mean of lengths with its t interval, which no length can make begin below 0."""
    found = attempt(mean_interval, n, mean, deviation, confidence, MEAN)
    if isinstance(found, Estimate) and found.low is not None and found.low < 0:
        return replace(found, low=0.0, method=f"{found.method}, cut at 0")
    return found


@dataclass(frozen=True)
class LengthGroup:
    """Some cases by how long both systems' outputs are, in characters.

    All numbers are of the same cases: those where both outputs have a text.
    """

    cell: LengthCell
    confidence: float = 0.95

    @property
    def n(self) -> int:
        return self.cell.pairs

    @cached_property
    def baseline(self) -> Found:
        cell = self.cell
        return self._of(
            mean_length(self.n, cell.baseline, cell.baseline_deviation, self.confidence)
        )

    @cached_property
    def candidate(self) -> Found:
        cell = self.cell
        found = mean_length(self.n, cell.candidate, cell.candidate_deviation, self.confidence)
        return self._of(found)

    @cached_property
    def difference(self) -> Found:
        """Mean of candidate minus baseline; t interval of pairs."""
        cell, what = self.cell, "mean paired difference"
        return self._of(
            attempt(mean_interval, self.n, cell.difference, cell.deviation, self.confidence, what)
        )

    @cached_property
    def ratio(self) -> Found:
        """The candidate's mean over the baseline's."""
        cell = self.cell
        over = cell.candidate, cell.candidate_deviation
        under = cell.baseline, cell.baseline_deviation
        if 0 in (cell.baseline, cell.candidate):
            return Undefined("all outputs of a system are empty", self.n)
        return self._of(
            attempt(ratio_of_paired_means, self.n, over, under, cell.covariance, self.confidence)
        )

    def _of(self, found: Found) -> Found:
        return found if self.n else Undefined("no case has a text of both systems")

    def as_json(self) -> dict[str, Any]:
        return {
            "split": self.cell.split,
            "category": self.cell.category,
            "cases": self.cell.cases,
            "n": self.n,
            "baseline": self.baseline.as_json(),
            "candidate": self.candidate.as_json(),
            "difference": self.difference.as_json(),
            "ratio": self.ratio.as_json(),
        }


@dataclass(frozen=True)
class Lengths:
    """Lengths over all cases, by split and by category."""

    cells: LengthCells
    confidence: float = 0.95

    @cached_property
    def overall(self) -> LengthGroup:
        return LengthGroup(self.cells.overall, self.confidence)

    @cached_property
    def splits(self) -> Sequence[LengthGroup]:
        return [LengthGroup(cell, self.confidence) for cell in self.cells.splits]

    @cached_property
    def categories(self) -> Sequence[LengthGroup]:
        return [LengthGroup(cell, self.confidence) for cell in self.cells.categories]

    def as_json(self) -> dict[str, Any]:
        return {
            "unit": "characters",
            "overall": self.overall.as_json(),
            "splits": [group.as_json() for group in self.splits],
            "categories": [group.as_json() for group in self.categories],
            "outputs": {
                "baseline": answers_json(self.cells.baseline),
                "candidate": answers_json(self.cells.candidate),
            },
        }


def answers_json(answers: Answers) -> dict[str, int]:
    """How many outputs have a length, and why the others have none."""
    return {
        "with_text": answers.outputs,
        "empty": answers.empty,
        "without_text": answers.without_text,
        "failed": answers.failed,
    }
