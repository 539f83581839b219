"""What goes with disagreement: whose, where, on which criterion, near ties, lengths.

All are shares of the pairs of judgements of one item that name different winners. They say
what disagreement comes with; nothing here shows what brings it about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

import numpy as np

from evals.reporting.agreement.counted import Parts, on_points, on_winner
from evals.reporting.agreement.groups import batch_name, period_words
from evals.reporting.agreement.rest import Rest
from evals.reporting.numbers import Shown, listed, shown
from evals.stats.checks import Floats, Ints
from evals.stats.disagreement import pair_counts, pairs_apart, share_of_pairs
from evals.stats.estimates import Estimate, Undefined

MOST_ROWS = 8
LENGTHS = {
    0: "nearly the same length (within a tenth)",
    1: "between",
    2: "one at least twice as long",
}


@dataclass(frozen=True, slots=True)
class Driver:
    """One thing that disagreement may come with.

    Attributes
    ----------
    share : Estimate, Undefined or None
        Of all differing pairs, those with it; None where it is not among the largest asked for.
    own : Estimate, Undefined or None
        Of all pairs with it, those that differ; None where it is said of differing pairs only.
    stands_out : bool
        Whether the whole interval of `own` lies above the share of all pairs that differ.
    """

    name: str
    share: Estimate | Undefined | None
    own: Estimate | Undefined | None = None
    stands_out: bool = False


@dataclass(frozen=True, slots=True)
class Drivers:
    """Everything that disagreement may come with, one kind after the other.

    Attributes
    ----------
    differing : Estimate or Undefined
        Share of all pairs of judgements that differ.
    """

    differing: Estimate | Undefined
    kinds: dict[str, Sequence[Driver]]


@dataclass(frozen=True, slots=True)
class DriverRow:
    name: str
    share: Shown | None
    own: Shown | None
    stands_out: bool


@dataclass(frozen=True, slots=True)
class DriverTable:
    title: str
    note: str
    has_own: bool
    rows: Sequence[DriverRow]
    left_out: int = 0


TITLES = {
    "kind": ("A near miss or a reversal", ""),
    "annotator": (
        "Annotator",
        "Each pair has two annotators, so these shares add up to 200\u202f%.",
    ),
    "category": ("Category", ""),
    "criterion": (
        "Differ on a criterion too",
        "Of the differing pairs in which both answered the criterion. One pair may differ on "
        "several.",
    ),
    "batch": ("Batch", ""),
    "time": ("Time of an item’s last judgement", ""),
    "length": ("Lengths of the two outputs", ""),
}


def drivers(counted: Parts, rest: Sequence[Rest], *, most: int | None = None) -> Drivers:
    """Count what goes with the differing pairs of a study.

    Parameters
    ----------
    rest : sequence of Rest
        Each annotator against all others.
    most : int, optional
        Of how many annotators the share is asked for, those with the largest; of all without.
    """
    overall, level = on_winner(counted.parts.kinds.rows), counted.confidence
    found = pair_counts(overall[:, :3])
    differing = share_of_pairs(found.differing, found.pairs, overall[:, 3], level)
    shares = _Shares(overall, differing, level)
    kinds = counted.parts
    return Drivers(
        differing,
        {
            "kind": _kinds(counted, level),
            "annotator": shares.by_annotator(counted.others, rest, most),
            "category": shares.among(
                (name or "no category", rows) for name, rows in kinds.categories.items()
            ),
            "criterion": _criteria(counted, level),
            "batch": shares.among((batch_name(counted, k), r) for k, r in kinds.batches.items()),
            "time": shares.among((period_words(one), one.rows) for one in kinds.periods),
            "length": shares.among((LENGTHS[key], rows) for key, rows in kinds.apart.items()),
        },
    )


def _kinds(counted: Parts, level: float) -> list[Driver]:
    """Ties against choices, opposite choices, and of these the mildest."""
    rows = on_points(counted.parts.kinds.rows, counted.scale.points)
    found, times = pair_counts(on_winner(counted.parts.kinds.rows)[:, :3]), rows[:, -1]

    def share(part: Floats) -> Estimate | Undefined:
        return share_of_pairs(part, found.differing, times, level)

    answers = [
        Driver("a tie against a choice", share(found.near)),
        Driver("opposite choices", share(found.reversed)),
    ]
    if counted.scale.has_strength:
        mild = share(pairs_apart(rows[:, :-1], 2))
        answers.append(Driver("opposite choices, both by the smallest step", mild))
    return answers


def _criteria(counted: Parts, level: float) -> list[Driver]:
    found = []
    for name, kinds in counted.criteria.items():
        both, differing, times = kinds.split.T
        share = share_of_pairs(both, differing, times, level)
        if isinstance(share, Estimate):
            found.append(Driver(name, share))
    return sorted(found, key=_largest_first)


def _largest_first(one: Driver) -> float:
    return -one.share.value if isinstance(one.share, Estimate) else 1.0


@dataclass(frozen=True)
class _Shares:
    """Shares of parts of the items: those of a category, those that somebody judged.

    Attributes
    ----------
    overall : (H, 4) array
        Losses, ties, wins and items, of all items.
    """

    overall: Ints
    differing: Estimate | Undefined
    level: float

    def among(self, parts: Iterable[tuple[str, Ints]]) -> list[Driver]:
        """Of items that are in exactly one of the parts each."""
        found = []
        for name, points in parts:
            rows = on_winner(points)
            counted = pair_counts(rows[:, :3])
            inside = np.array((counted.differing, counted.differing, rows[:, 3])).T.astype(
                np.float64
            )
            own = share_of_pairs(counted.differing, counted.pairs, rows[:, 3], self.level)
            found.append(self._driver(name, inside, own))
        return sorted(found, key=_largest_first) if len(found) > 1 else []

    def by_annotator(
        self, others: Mapping[UUID, Ints], rest: Sequence[Rest], most: int | None
    ) -> list[Driver]:
        """The pairs that each annotator is in, of all that differ."""
        inside = [(one, _differing_of(others[one.person.pk])) for one in rest]
        inside.sort(key=lambda one: (-float(one[1][:, 0] @ one[1][:, 2]), str(one[0].person)))
        found = [
            self._driver(str(one.person), rows if most is None or place < most else None,
                         _differing(one.percent))
            for place, (one, rows) in enumerate(inside)
        ]  # fmt: skip
        return found if len(found) > 2 else []

    def _driver(self, name: str, inside: Floats | None, own: Estimate | Undefined) -> Driver:
        """`inside` are (pairs of the part, differing pairs, items) of the items with any."""
        if inside is None:
            return Driver(name, None, own, self._stands_out(own))
        part, whole, times = np.concatenate((inside, self._outside(inside))).T
        share = share_of_pairs(part, whole, times, self.level)
        return Driver(name, share, own, self._stands_out(own))

    def _outside(self, inside: Floats) -> Floats:
        """The differing pairs of all other items, in which the part has none."""
        found = pair_counts(self.overall[:, :3])
        left: dict[float, float] = {}
        for pairs, items in zip(found.differing, self.overall[:, 3], strict=True):
            left[pairs] = left.get(pairs, 0.0) + items
        for _, pairs, items in inside:
            left[pairs] = left.get(pairs, 0.0) - items
        rest = [(0.0, pairs, items) for pairs, items in left.items() if items > 0]
        return np.array(rest, dtype=np.float64).reshape(-1, 3)

    def _stands_out(self, own: Estimate | Undefined) -> bool:
        return (
            isinstance(own, Estimate)
            and isinstance(self.differing, Estimate)
            and own.low is not None
            and own.low > self.differing.value
        )


def _differing_of(rows: Ints) -> Floats:
    """(differing pairs with somebody, all differing pairs, items) of items that others judged.

    `rows` are those of the annotator in `votes_with_others`.
    """
    met = rows[rows[:, 1:4].sum(axis=1) > 0]
    said, others, times = met[:, 0], met[:, 1:4], met[:, 4]
    mine = others.sum(axis=1) - np.take_along_axis(others, said[:, None], axis=1)[:, 0]
    everybody = others + np.eye(3, dtype=np.int64)[said]
    return np.column_stack((mine, pair_counts(everybody).differing, times)).astype(np.float64)


def _differing(percent: Estimate | Undefined) -> Estimate | Undefined:
    """Of the pairs with somebody, those that differ: what is left of those that agree."""
    if isinstance(percent, Undefined):
        return percent
    return replace(
        percent,
        value=1 - percent.value,
        low=None if percent.high is None else 1 - percent.high,
        high=None if percent.low is None else 1 - percent.low,
        method=percent.method.replace("agreeing pairs", "differing pairs"),
    )


def driver_tables(found: Drivers) -> list[DriverTable]:
    """The kinds that have something to compare, in words."""
    return [
        DriverTable(
            *TITLES[key],
            has_own=any(one.own is not None for one in rows),
            rows=[_in_words(one) for one in rows[:MOST_ROWS]],
            left_out=max(0, len(rows) - MOST_ROWS),
        )
        for key, rows in found.kinds.items()
        if rows and key not in ("batch", "time")
    ]


def _in_words(one: Driver) -> DriverRow:
    own = None if one.own is None else shown(one.own, "share", "items")
    share = None if one.share is None else shown(one.share, "share", "items")
    return DriverRow(one.name, share, own, one.stands_out)


def above_the_rest(found: Drivers) -> str:
    """What lies wholly above the share of all pairs that differ, in a sentence."""
    names = [one.name for rows in found.kinds.values() for one in rows if one.stands_out]
    if not names:
        return ""
    verb = "lies" if len(names) == 1 else "lie"
    return (
        f"Beyond its interval above the share of all pairs {verb}: {listed(names, 6)}. With many "
        "rows some do so by chance."
    )
