"""Simulated judgements: 200 annotators, three to seven of each item, everything seeded."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from evals.stats.checks import Floats, Ints
from evals.stats.histograms import distinct, merged

SEED = 20261121
ANNOTATORS = 200
POINTS = 7
WINNERS = 3
# As the product reads them: so many items at a time.
A_BLOCK = 65_536


@dataclass(frozen=True)
class Judgements:
    """What was judged, sorted by item and annotator.

    Attributes
    ----------
    item, who, point, side : (N,) arrays
        Numbers from 0; points 0 to 6, 3 being a tie; side 0 where the candidate stood left.
    longer_by : (I,) array
        Length of the candidate's output minus the baseline's, of each item.
    leaning : (I,) array
        What a metric says of each item.
    """

    item: Ints
    who: Ints
    point: Ints
    side: Ints
    longer_by: Ints
    leaning: Floats

    @property
    def n(self) -> int:
        return len(self.item)

    @property
    def items(self) -> int:
        return len(self.longer_by)

    @cached_property
    def winner(self) -> Ints:
        """0 the baseline, 1 a tie, 2 the candidate."""
        return np.asarray(np.sign(self.point - POINTS // 2) + 1)

    @cached_property
    def score(self) -> Floats:
        return np.asarray(self.winner / 2)

    @cached_property
    def counts(self) -> Ints:
        """(I, 7): judgements of each item on each point."""
        return self.count_items()

    @cached_property
    def kinds(self) -> Ints:
        """(H, 8): distinct rows of these counts, and how many items have each."""
        return self.count_kinds()

    @cached_property
    def people_say(self) -> Floats:
        """(I,): mean of +1, 0 and -1 over the votes of each item."""
        return np.asarray(np.bincount(self.item, self.winner - 1.0) / np.bincount(self.item))

    def count_items(self) -> Ints:
        cells = np.bincount(self.item * POINTS + self.point, minlength=self.items * POINTS)
        return cells.reshape(-1, POINTS)

    def count_kinds(self) -> Ints:
        """As `evals.queries.votes` does it: block by block, equal items together."""
        return merged(self._kinds_of(first) for first in range(0, self.items, A_BLOCK))

    def _kinds_of(self, first: int) -> Ints:
        last = min(first + A_BLOCK, self.items)
        start, end = np.searchsorted(self.item, (first, last))
        cells = (self.item[start:end] - first) * POINTS + self.point[start:end]
        counted = np.bincount(cells, minlength=(last - first) * POINTS)
        return distinct(counted.reshape(-1, POINTS))

    def packed(self) -> Floats:
        """(I, 7): the judgements of each item side by side, NaN where there are no more."""
        starts = np.searchsorted(self.item, np.arange(self.items))
        table = np.full((self.items, POINTS), np.nan)
        table[self.item, np.arange(self.n) - starts[self.item]] = self.point
        return table

    def matrix(self) -> Any:
        """(annotators, I) of octets: what each one said of each item, -1 for nothing."""
        table = np.full((ANNOTATORS, self.items), -1, dtype=np.int8)
        table[self.who, self.item] = self.point
        return table


def simulate(n: int) -> Judgements:
    """`n` judgements of a fifth as many items."""
    rng = np.random.default_rng(SEED)
    items = n // 5
    sizes = rng.choice(np.arange(3, 8), items, p=[0.1, 0.2, 0.4, 0.2, 0.1])
    missing = n - int(sizes.sum())
    middling = rng.permutation(np.flatnonzero((sizes > 3) & (sizes < 7)))
    sizes[middling[: abs(missing)]] += np.sign(missing)
    item = np.repeat(np.arange(items), sizes)
    place = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # Steps without a factor in common with the annotators: nobody judges an item twice.
    steps = np.array([step for step in range(1, ANNOTATORS) if np.gcd(step, ANNOTATORS) == 1])
    first, step = rng.integers(0, ANNOTATORS, items), rng.choice(steps, items)
    who = (first[item] + place * step[item]) % ANNOTATORS
    order = np.lexsort((who, item))
    item, who = item[order], who[order]
    lean, habit = rng.normal(0.2, 1.0, items), rng.normal(0.0, 0.3, ANNOTATORS)
    felt = lean[item] + habit[who] + rng.normal(0.0, 1.0, n)
    point = np.digitize(felt, (-2.0, -1.2, -0.4, 0.4, 1.2, 2.0))
    return Judgements(
        item, who, point, rng.integers(0, 2, n),
        np.rint(rng.normal(30, 300, items) + 60 * lean).astype(np.int64),
        np.round(lean + rng.normal(0.0, 1.0, items), 2),
    )  # fmt: skip
