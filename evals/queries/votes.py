"""Votes on the overall question as counts: by item and annotator, by category and side."""

from dataclasses import dataclass
from typing import Any
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
from evals.queries.together import beside_others
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
    others : dict of (H, 5) arrays
        For each annotator: own answer (0, 1, 2); others for the baseline, for neither, for the
        candidate; items with just these.
    """

    sided: SidedVotes
    points: Ints
    people: dict[UUID, Ints]
    both_bad: int
    scales: tuple[int, int] | None
    others: dict[UUID, Ints]


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
    others : (H, 6) array
        Annotator, and as above.
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
    others: Ints
    disputed: Ints


@kept
def overall(study: Study, only: Source | None = None) -> Overall:
    """Everything said of the overall question: all that pages need of it but pairs."""
    found = parts(study, overall_part, only)
    everybody = Everybody(part.people for part in found)
    names = sorted({name for part in found for name in part.categories})
    users, place = everybody.users, {name: number for number, name in enumerate(names)}
    items, points, others = [_none(SIDED + 2)], [_none(POINTS + 1)], [_none(6)]
    keys, sums = [_none(2)], [_none(SIDED + 1)]
    by_point = np.zeros((len(users), POINTS), dtype=np.int64)
    for part in found:
        who = everybody.numbers_of(part.people)
        category = np.array([place[name] for name in part.categories], dtype=np.int64)
        points.append(part.points)
        items.append(np.column_stack((category[part.items[:, 0]], part.items[:, 1:])))
        keys.append(np.column_stack((category[part.sided[:, 0]], who[part.sided[:, 1]])))
        sums.append(part.sided[:, 2:])
        others.append(np.column_stack((who[part.others[:, 0]], part.others[:, 1:])))
        by_point[who] += part.by_point
    of_all = merged(others)
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
        {
            users[who]: of_all[of_all[:, 0] == who, 1:]
            for who in np.unique(of_all[:, 0]).tolist()
        },
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
        distinct(beside_others(said)),
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


def agreement_with_others(
    study: Study, only: Source | None = None
) -> dict[Any, list[tuple[int, int, int]]]:
    """For each annotator rows (others on an item, of these who agree, items with just these)."""
    found = {who: _agreeing(rows) for who, rows in overall(study, only).others.items()}
    return {who: kinds for who, kinds in found.items() if kinds}


def _agreeing(rows: Ints) -> list[tuple[int, int, int]]:
    others = rows[:, 1:4]
    same = np.take_along_axis(others, rows[:, :1], axis=1)[:, 0]
    found = np.column_stack((others.sum(axis=1), same))
    met = found[:, 0] > 0
    return [
        (n, agreeing, items) for n, agreeing, items in distinct(found[met], rows[met, 4]).tolist()
    ]
