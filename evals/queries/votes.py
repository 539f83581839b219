"""Votes on the overall question as counts: by item and annotator, by category and side."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.said import (
    MIDDLE,
    POINTS,
    SIDES,
    WINNERS,
    Everybody,
    categories_of,
    said_in,
)
from evals.queries.votes_from import Source as Source
from evals.queries.votes_from import counted_judgements as counted_judgements
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged, summed
from evals.tallies import SidedVotes

# Losses, ties and wins, with the candidate on the left, on the right, and nobody knows where.
SIDED = SIDES * WINNERS


@dataclass(frozen=True)
class Overall:
    """The overall question, counted in one pass over the votes.

    Attributes
    ----------
    sided : SidedVotes
    points : (H, 8) array
        Judgements on each of the seven points, and items with just these.
    people : dict of (7,) arrays
        For each annotator their judgements on each of the seven points.
    both_bad : int
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    """

    sided: SidedVotes
    points: Ints
    people: dict[UUID, Ints]
    both_bad: int
    scales: tuple[int, int] | None


@dataclass(frozen=True)
class OverallPart:
    """The same of one block; categories and people go by their places in these lists.

    Attributes
    ----------
    points : (H, 8) array
        As above.
    items : (H, 11) array
        Category, the nine counts of `SIDED`, and items with just these.
    sided : (K, 12) array
        Category, annotator, the nine counts and ties with both outputs bad.
    by_point : (people, 7) array
    bad_items : (H, 3) array
        Answers to an item that are not "both bad", those that are, items with just these.
    disputed : (D, 3) array
        Ids of items on which some chose the baseline and some the candidate, how far these lie
        apart, and how many judged.
    """

    people: tuple[bytes, ...]
    categories: list[str]
    points: Ints
    items: Ints
    sided: Ints
    by_point: Ints
    both_bad: int
    bad_items: Ints
    scales: tuple[int, ...]
    disputed: Ints


@kept
def overall(study: Study, only: Source | None = None) -> Overall:
    """Everything said of the overall question: all that pages need of it but pairs."""
    found = parts(study, overall_part, only)
    everybody = Everybody(part.people for part in found)
    names = sorted({name for part in found for name in part.categories})
    users, place = everybody.users, {name: number for number, name in enumerate(names)}
    items, points = [_none(SIDED + 2)], [_none(POINTS + 1)]
    keys, sums = [_none(2)], [_none(SIDED + 1)]
    by_point = np.zeros((len(users), POINTS), dtype=np.int64)
    for part in found:
        who = everybody.numbers_of(part.people)
        category = np.array([place[name] for name in part.categories], dtype=np.int64)
        points.append(part.points)
        items.append(np.column_stack((category[part.items[:, 0]], part.items[:, 1:])))
        keys.append(np.column_stack((category[part.sided[:, 0]], who[part.sided[:, 1]])))
        sums.append(part.sided[:, 2:])
        by_point[who] += part.by_point
    said = merged(items)
    whose, counts = summed(tuple(np.concatenate(keys).T), np.concatenate(sums))
    scales = {scale for part in found for scale in part.scales}
    return Overall(
        SidedVotes(
            names, said, np.column_stack((whose[:, 0], counts)),
            [users[who] for who in whose[:, 1].tolist()],
            merged([_none(3), *(part.bad_items for part in found)]),
        ),
        merged(points),
        dict(zip(users, by_point, strict=True)),
        sum(part.both_bad for part in found),
        (min(scales), max(scales)) if scales else None,
    )  # fmt: skip


def overall_part(block: Block, only: Source | None) -> OverallPart | None:
    """One block of `overall`."""
    said = said_in(block, only)
    if said is None:
        return None
    categories, category = categories_of(block, said.ids)
    cells = said.side * WINNERS + said.winner
    counted = np.eye(SIDED, dtype=np.int64)[cells]
    keys, sums = summed((category[said.item], said.who), np.column_stack((counted, said.both_bad)))
    points = said.by_item(said.point, POINTS)
    return OverallPart(
        said.people,
        categories,
        distinct(points),
        distinct(np.column_stack((category, said.by_item(cells, SIDED)))),
        np.column_stack((keys, sums)),
        said.by_person(said.point, POINTS),
        int(said.both_bad.sum()),
        distinct(said.by_item(said.both_bad, 2)),
        tuple(np.unique(said.scale).tolist()),
        _disputed(said.ids, points),
    )


def _disputed(ids: Ints, points: Ints) -> Ints:
    chosen = points > 0
    lowest = chosen.argmax(axis=1)
    highest = POINTS - 1 - chosen[:, ::-1].argmax(axis=1)
    apart = (lowest < MIDDLE) & (highest > MIDDLE)
    rows = np.column_stack((ids, highest - lowest, points.sum(axis=1)))
    return np.asarray(rows[apart])


def _none(width: int) -> Ints:
    return np.zeros((0, width), dtype=np.int64)


def sided_votes(study: Study, only: Source | None = None) -> SidedVotes:
    """Everything said of the overall question, by item, annotator, category and side."""
    return overall(study, only).sided
