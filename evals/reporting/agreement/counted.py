"""What pages and reports of agreement are made of, read once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload
from uuid import UUID

import numpy as np

from annotate.models import Batch, Study, User
from evals.queries import Source
from evals.queries.agreement import (
    ItemKinds,
    ItemParts,
    PairPoints,
    item_kinds,
    item_parts,
    on_winners,
    pair_points,
    squares_by_item,
)
from evals.queries.agreement_criteria import CriterionKinds, criterion_kinds
from evals.queries.kept import kept
from evals.queries.others import votes_with_others
from evals.queries.said import MIDDLE, POINTS
from evals.reporting.rubric import criterion_names
from evals.stats.checks import Floats, Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.pooled import Pooled, pool_kappa, pooled_estimate
from evals.tallies import Tally

# Who won, as a reason says it.
SAID = ("the baseline", "a tie", "the candidate")
WINNERS = 3
WEIGHTED = ("linear", "quadratic")


@dataclass(frozen=True, slots=True)
class Scale:
    """On how many ordered points strength is compared, and why on no more."""

    points: int
    why: str = ""

    @property
    def has_strength(self) -> bool:
        return self.points > WINNERS


def scale_of(scales: tuple[int, int] | None) -> Scale:
    """The scale that everything was judged on; three categories where it has no strength.

    `scales` are the shortest and the longest one judged on.
    """
    if scales is None:
        return Scale(WINNERS)
    shortest, longest = scales
    if shortest != longest:
        why = f"judgements were made on scales of {shortest} to {longest} points"
        return Scale(WINNERS, f"{why}, so only who won is compared")
    return Scale(longest, "" if longest > WINNERS else "the scale has no strengths")


def on_winner(rows: Ints) -> Ints:
    """Rows of `ItemKinds` as (losses, ties, wins, items)."""
    return np.column_stack(
        (rows[:, :MIDDLE].sum(axis=1), rows[:, MIDDLE], rows[:, MIDDLE + 1 : POINTS].sum(axis=1),
         rows[:, POINTS])
    )  # fmt: skip


def on_points(rows: Ints, points: int) -> Ints:
    """Rows of `ItemKinds` as (judgements on each of the points of the scale, items)."""
    if points == WINNERS:
        return on_winner(rows)
    reach = points // 2
    return np.column_stack((rows[:, MIDDLE - reach : MIDDLE + reach + 1], rows[:, POINTS]))


def tables_on(tables: Ints, points: int) -> Ints:
    """(P, 7, 7) tables of pairs on the points of the scale, or on who won."""
    if points != WINNERS:
        reach = points // 2
        inner = slice(MIDDLE - reach, MIDDLE + reach + 1)
        return np.asarray(tables[:, inner, inner])
    return on_winners(tables)


@dataclass(frozen=True)
class NamedPairs(Sequence[tuple[User, User]]):
    """Pairs of people. Many people make very many pairs: these are two numbers each.

    Attributes
    ----------
    users : sequence of User
        In the order of their labels.
    who : (P, 2) array
        Each pair as two places in `users`.
    """

    users: Sequence[User]
    who: Ints

    def __len__(self) -> int:
        return len(self.who)

    @overload
    def __getitem__(self, place: int) -> tuple[User, User]: ...
    @overload
    def __getitem__(self, place: slice) -> "NamedPairs": ...
    def __getitem__(self, place: int | slice) -> "tuple[User, User] | NamedPairs":
        if isinstance(place, slice):
            return NamedPairs(self.users, self.who[place])
        one, other = self.who[place].tolist()
        return self.users[one], self.users[other]


@dataclass(frozen=True)
class Counted:
    """The overall question of one study: everybody's answers, all together.

    Attributes
    ----------
    pairs : NamedPairs
        Who shares items with whom, in the order of their labels.
    tables : (P, 7, 7) array
        What both said, in the same order.
    pooled : dict
        Kappa of all pairs: unweighted, linear, quadratic.
    """

    confidence: float
    kinds: ItemKinds
    pairs: NamedPairs
    tables: Ints
    pooled: dict[str, Estimate | Undefined]

    @cached_property
    def scale(self) -> Scale:
        return scale_of(self.kinds.scales)

    @cached_property
    def tally(self) -> Tally:
        """Of items alone: for what is measured of items."""
        return Tally(on_winner(self.kinds.rows), both_bad=self.kinds.both_bad)

    @cached_property
    def winners(self) -> Ints:
        """(P, 3, 3) tables of who won, of each pair."""
        return tables_on(self.tables, WINNERS)

    @cached_property
    def on_scale(self) -> Ints:
        """(P, k, k) tables on the points of the scale, of each pair."""
        return tables_on(self.tables, self.scale.points)


@dataclass(frozen=True)
class Parts:
    """The same study part by part: by annotator, criterion, category, batch, time and length.

    Attributes
    ----------
    others : dict
        For each annotator rows as of `votes_with_others`.
    systems : dict
        What "baseline" and "candidate" are called.
    """

    confidence: float
    systems: dict[str, str]
    parts: ItemParts
    people: dict[UUID, User]
    others: dict[UUID, Ints]
    criteria: dict[str, CriterionKinds]
    batches: dict[int, Batch]

    @cached_property
    def scale(self) -> Scale:
        return scale_of(self.parts.kinds.scales)


def read(study: Study, only: Source | None = None, confidence: float = 0.95) -> Counted:
    """Count the overall question; inside a snapshot all of it is of one state."""
    kinds, found = item_kinds(study, only), pair_points(study, only)
    pairs, tables = named(found)
    pooled = _pooled(study, only, confidence)
    return Counted(confidence, kinds, pairs, tables, pooled)


def read_parts(study: Study, only: Source | None = None, confidence: float = 0.95) -> Parts:
    """Count part by part; inside a snapshot all of it is of one state."""
    parts, criteria = item_parts(study, only), criterion_kinds(study, only)
    others = votes_with_others(study, only)
    named_criteria = criterion_names(study, criteria)
    return Parts(
        confidence,
        {"baseline": study.baseline_name, "candidate": study.candidate_name},
        parts,
        _people(others),
        others,
        {name: criteria.get(key, CriterionKinds()) for key, name in named_criteria.items()},
        Batch.objects.in_bulk(list(parts.batches)),
    )


def _people(who: Iterable[UUID]) -> dict[UUID, User]:
    """What pages tell people by: what is kept of a page holds no more of them."""
    return User.objects.only("email", "name", "outside_of").in_bulk(list(who))


def named_pairs(study: Study, only: Source | None) -> tuple[NamedPairs, Ints]:
    """Pairs of annotators who share items, in the order of their labels, and who won for both."""
    pairs, tables = named(pair_points(study, only))
    return pairs, on_winners(tables)


def named(found: PairPoints) -> tuple[NamedPairs, Ints]:
    """Pairs of people in the order of their labels, and their tables, turned where need be."""
    # Some share items with nobody.
    places, who = np.unique(found.who, return_inverse=True)
    known = _people([found.people[place] for place in places.tolist()])
    users = sorted(known.values(), key=lambda user: user.label)
    ranks = {user.pk: rank for rank, user in enumerate(users)}
    ordered = np.array([ranks[found.people[place]] for place in places.tolist()], dtype=np.int64)
    who = ordered[who.reshape(-1, 2)]
    back = who[:, 0] > who[:, 1]
    tables = np.where(back[:, None, None], found.tables.swapaxes(1, 2), found.tables)
    who.sort(axis=1)
    order = np.lexsort((who[:, 1], who[:, 0]))
    return NamedPairs(users, who[order]), tables[order]


@kept
def _pooled(
    study: Study, only: Source | None, confidence: float
) -> dict[str, Estimate | Undefined]:
    """Pooled kappa of who won, and by strength; one pass over the pairs for all intervals."""
    found, points = pair_points(study, only), scale_of(item_kinds(study, only).scales).points
    winners, on_scale = tables_on(found.tables, WINNERS), tables_on(found.tables, points)
    pooled = {"unweighted": attempt(pool_kappa, winners)}
    pooled |= {weights: attempt(pool_kappa, on_scale, weights) for weights in WEIGHTED}
    known = [one for one in pooled.values() if isinstance(one, Pooled)]
    if not known:
        return {name: _undefined(one) for name, one in pooled.items()}
    nothing = np.zeros(found.tables.shape)
    items, squares = squares_by_item(
        study,
        only,
        found,
        [_spread_out(one) if isinstance(one, Pooled) else nothing for one in pooled.values()],
    )
    return {
        name: pooled_estimate(one, name, items, square, confidence)
        if isinstance(one, Pooled)
        else one
        for (name, one), square in zip(pooled.items(), squares, strict=True)
    }


def _undefined(one: Pooled | Undefined) -> Undefined:
    return one if isinstance(one, Undefined) else Undefined("")


def _spread_out(pooled: Pooled) -> Floats:
    """Influences of the scale's cells as those of the cells of all seven points."""
    size = pooled.influence.shape[1]
    columns = _columns(size)
    return np.asarray(pooled.influence[:, columns][:, :, columns])


def _columns(size: int) -> list[int]:
    """For each of the seven points its place among `size` of them."""
    if size == WINNERS:
        return [int(np.sign(point - MIDDLE)) + 1 for point in range(POINTS)]
    reach = size // 2
    return [min(max(point - MIDDLE + reach, 0), size - 1) for point in range(POINTS)]
