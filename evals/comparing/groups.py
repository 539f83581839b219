"""Cases in groups (all, a split, a category): pass rates, their difference, who wins."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from evals.queries.run_facts import ScoreCell, ScorerCells
from evals.queries.runs import PairedCell, summed
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.means import mean_interval
from evals.stats.paired import mcnemar_exact, newcombe_paired_difference
from evals.stats.proportions import (
    clopper_pearson_interval,
    zero_failure_bound,
)
from evals.stats.regression import detectable_difference

ADVERSARIAL = re.compile(r"(?:^|[^a-z])adversarial(?:$|[^a-z])", re.IGNORECASE)


def is_adversarial(category: str) -> bool:
    """Whether a category's name says so: "adversarial", "Adversarial (injection)"."""
    return bool(ADVERSARIAL.search(category))


@dataclass(frozen=True)
class Group:
    """Some cases of a suite that both systems answered, by passing.

    Rates are shares of the cases that both passed or failed: the same cases on both sides.
    """

    cell: PairedCell
    confidence: float = 0.95

    @property
    def split(self) -> str:
        return self.cell.split

    @property
    def category(self) -> str:
        return self.cell.category

    @property
    def n(self) -> int:
        return self.cell.n

    @cached_property
    def baseline(self) -> Estimate | Undefined:
        """Pass rate of the baseline, Clopper-Pearson interval."""
        return self._share(self.cell.both + self.cell.lost)

    @cached_property
    def candidate(self) -> Estimate | Undefined:
        """Pass rate of the candidate, Clopper-Pearson interval."""
        return self._share(self.cell.both + self.cell.won)

    @cached_property
    def difference(self) -> Estimate | Undefined:
        """Candidate minus baseline on the same cases, Newcombe's paired interval at every n."""
        if not self.n:
            return self._nothing()
        return attempt(newcombe_paired_difference, self.cell.table, self.confidence)

    @cached_property
    def p(self) -> float | Undefined:
        """Exact two-sided McNemar test that both pass equally often."""
        return attempt(mcnemar_exact, self.cell.table)

    @cached_property
    def leans(self) -> int:
        """1 or -1 where the whole interval lies on one side of no difference, else 0."""
        found = self.difference
        if isinstance(found, Undefined) or found.low is None or found.high is None:
            return 0
        return int(found.low > 0) - int(found.high < 0)

    @property
    def is_beyond_chance(self) -> bool:
        """Whether the exact test agrees with the interval: on few cases it may not."""
        return bool(self.leans) and isinstance(self.p, float) and self.p <= 1 - self.confidence

    @cached_property
    def detectable(self) -> float | Undefined:
        """Smallest difference that so many cases show with 80 % power."""
        return attempt(detectable_difference, self.cell.discordant, self.n, self.confidence)

    @cached_property
    def wins(self) -> Estimate | Undefined:
        return self._share(self.cell.won)

    @cached_property
    def ties(self) -> Estimate | Undefined:
        return self._share(self.cell.both + self.cell.neither)

    @cached_property
    def losses(self) -> Estimate | Undefined:
        return self._share(self.cell.lost)

    @property
    def least(self) -> dict[str, float]:
        """Of a system that never failed: the least pass rate that is still believable."""
        told = {"baseline": self.baseline, "candidate": self.candidate}
        return {
            system: 1 - zero_failure_bound(self.n, self.confidence)
            for system, rate in told.items()
            if isinstance(rate, Estimate) and rate.value == 1
        }

    def _share(self, count: int) -> Estimate | Undefined:
        if not self.n:
            return self._nothing()
        # As the gates have it, which must never err more often than they say.
        return attempt(clopper_pearson_interval, count, self.n, self.confidence)

    def _nothing(self) -> Undefined:
        if self.cell.unlike:
            return Undefined("the runs were scored by different versions of a scorer")
        if self.cell.unscored:
            return Undefined("no case of both runs has a score that passes or fails")
        return Undefined("there are no cases")

    def as_json(self) -> dict[str, Any]:
        cell = self.cell
        return {
            "split": cell.split,
            "category": cell.category,
            "n": cell.n,
            "unscored": cell.unscored,
            "both_passed": cell.both,
            "won": cell.won,
            "lost": cell.lost,
            "both_failed": cell.neither,
            "baseline": self.baseline.as_json(),
            "candidate": self.candidate.as_json(),
            "difference": self.difference.as_json(),
            "win": self.wins.as_json(),
            "tie": self.ties.as_json(),
            "loss": self.losses.as_json(),
            "mcnemar_p": number_or_reason(self.p),
            "detectable_difference": number_or_reason(self.detectable),
            "pass_rate_at_least": self.least,
        }


def number_or_reason(found: float | Undefined) -> float | dict[str, Any]:
    return found.as_json() if isinstance(found, Undefined) else found


@dataclass(frozen=True)
class ScoreGroup:
    """Some cases by the value that one scorer gave: higher, equal, lower for the candidate."""

    cell: ScoreCell
    confidence: float = 0.95

    @property
    def n(self) -> int:
        return self.cell.n

    @cached_property
    def wins(self) -> Estimate | Undefined:
        return attempt(clopper_pearson_interval, self.cell.wins, self.n, self.confidence)

    @cached_property
    def ties(self) -> Estimate | Undefined:
        return attempt(clopper_pearson_interval, self.cell.ties, self.n, self.confidence)

    @cached_property
    def losses(self) -> Estimate | Undefined:
        return attempt(clopper_pearson_interval, self.cell.losses, self.n, self.confidence)

    @cached_property
    def difference(self) -> Estimate | Undefined:
        """Mean of candidate minus baseline, in the scorer's own unit; t interval of pairs."""
        cell, what = self.cell, "mean paired difference"
        return attempt(
            mean_interval, self.n, cell.difference, cell.deviation, self.confidence, what
        )

    @cached_property
    def passing(self) -> Group | None:
        """The same cases by passing, where the scorer has a mark to pass."""
        cell = self.cell
        if not cell.marked:
            return None
        counts = (cell.both, cell.won, cell.lost, cell.neither)
        unscored = cell.n + cell.unscored - cell.marked
        return Group(PairedCell(cell.split, cell.category, *counts, unscored), self.confidence)

    def as_json(self) -> dict[str, Any]:
        cell = self.cell
        return {
            "split": cell.split,
            "category": cell.category,
            "n": cell.n,
            "unscored": cell.unscored,
            "wins": cell.wins,
            "ties": cell.ties,
            "losses": cell.losses,
            "win": self.wins.as_json(),
            "tie": self.ties.as_json(),
            "loss": self.losses.as_json(),
            "baseline_mean": cell.baseline,
            "candidate_mean": cell.candidate,
            "difference": self.difference.as_json(),
            "passing": self.passing.as_json() if self.passing else None,
        }


@dataclass(frozen=True)
class ScorerGroups:
    """What one scorer says of both systems."""

    cells: ScorerCells
    confidence: float = 0.95

    @property
    def slug(self) -> str:
        """How addresses name it: its name for cases' own, its number for one of whole runs."""
        return self.cells.name if self.cells.is_own else str(self.cells.key)

    @property
    def is_plain(self) -> bool:
        """Whether its values say no more than passing does."""
        cell = self.cells.overall
        same = (cell.wins, cell.losses, cell.n) == (cell.won, cell.lost, cell.marked)
        return self.cells.is_own and same

    @cached_property
    def overall(self) -> ScoreGroup:
        return ScoreGroup(self.cells.overall, self.confidence)

    @cached_property
    def splits(self) -> list[ScoreGroup]:
        return [ScoreGroup(cell, self.confidence) for cell in self.cells.splits]

    @cached_property
    def categories(self) -> list[ScoreGroup]:
        return [ScoreGroup(cell, self.confidence) for cell in self.cells.cells]

    def as_json(self) -> dict[str, Any]:
        return {
            "scorer": self.cells.name,
            "signature": self.cells.signature,
            "versions": self.cells.versions,
            "own": self.cells.is_own,
            "higher_is_better": self.cells.higher_is_better,
            "overall": self.overall.as_json(),
            "splits": [group.as_json() for group in self.splits],
            "categories": [group.as_json() for group in self.categories],
        }


def group_of(
    cells: Iterable[PairedCell], confidence: float, *, split: str = "", category: str = ""
) -> Group:
    """All of these cells as one group, under the names given."""
    whole = summed(cells)
    counts = (whole.both, whole.won, whole.lost, whole.neither, whole.unscored, whole.unlike)
    return Group(PairedCell(split, category, *counts), confidence)


def split_groups(cells: Sequence[PairedCell], confidence: float) -> list[Group]:
    """One group a split that has cases, target first."""
    return [
        group_of([cell for cell in cells if cell.split == split], confidence, split=split)
        for split in ("target", "general")
        if any(cell.split == split for cell in cells)
    ]


def adversarial_group(cells: Sequence[PairedCell], confidence: float) -> Group | None:
    """The cases of adversarial categories, of either split; None where there are none."""
    found = [cell for cell in cells if is_adversarial(cell.category)]
    return group_of(found, confidence, category="adversarial") if found else None
