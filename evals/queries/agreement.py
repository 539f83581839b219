"""Agreement as counts: kinds of items on all points of the scale, and everybody with everybody.

What comes out grows with the points of the scale, the annotators, categories and batches,
never with the number of judgements.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import F, QuerySet

from annotate.models import Judgement, Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.said import MIDDLE, POINTS, everybody
from evals.queries.together import cells_of, squares
from evals.queries.votes import Source, counted_judgements, overall
from evals.stats.checks import Floats, Ints
from evals.tallies import counts_of

# As many items, at least, in each part of the study's time; and as many parts at most.
ITEMS_IN_A_PERIOD = 50
MOST_PERIODS = 10

SAID = ", ".join(
    f"count(*) FILTER (WHERE preference = {point - MIDDLE}) AS p{point}" for point in range(POINTS)
)
KINDS = ", ".join(f"p{point}" for point in range(POINTS))

ITEMS = f"""
, items AS (
    SELECT item_id, {SAID}, count(*) AS n, count(*) FILTER (WHERE both_bad) AS bad,
           max(judged_at) AS ended, min(scale) AS least, max(scale) AS most
    FROM votes GROUP BY item_id
)"""  # noqa: S608 (put together from constants)

# Equal kinds of items together, by what they have in common. An item belongs to the time at
# which its last judgement was made. Lengths are octets: how long a text is then stands in its
# header, and it need not be read; and they are made before anything is sorted, or the sorting
# would carry the texts along.
PARTS = f"""{ITEMS}
, lengths AS MATERIALIZED (
    SELECT id, category, batch_id,
           CASE WHEN least(octet_length(baseline_output), octet_length(candidate_output)) * 10
                  >= greatest(octet_length(baseline_output), octet_length(candidate_output)) * 9
                THEN 0
                WHEN least(octet_length(baseline_output), octet_length(candidate_output)) * 2
                  > greatest(octet_length(baseline_output), octet_length(candidate_output))
                THEN 1 ELSE 2 END AS apart
    FROM annotate_item WHERE study_id = %s
), placed AS (
    SELECT items.*, category, batch_id, apart, n > 1 AND ended IS NOT NULL AS timed
    FROM items JOIN lengths ON lengths.id = items.item_id
), ranked AS (
    SELECT placed.*,
           CASE WHEN timed THEN
               (row_number() OVER (PARTITION BY timed ORDER BY ended, item_id) - 1)
               * least({MOST_PERIODS}, greatest(1, count(*) OVER (PARTITION BY timed)
                                                   / {ITEMS_IN_A_PERIOD}))
               / count(*) OVER (PARTITION BY timed)
           END AS period
    FROM placed
)
SELECT GROUPING(category, batch_id, period, apart), category, batch_id, period, apart, {KINDS},
       count(*), min(ended), max(ended), min(least), max(most)
FROM ranked
GROUP BY GROUPING SETS ((category, {KINDS}), (batch_id, {KINDS}), (period, {KINDS}),
                        (apart, {KINDS}))
"""  # noqa: S608 (put together from constants)
# What GROUPING answers for each of the sets: a bit for each of the columns left out.
CATEGORY, BATCH, PERIOD, APART = 0b0111, 0b1011, 0b1101, 0b1110


@dataclass(frozen=True, slots=True)
class Period:
    """Items whose last judgements were made one after the other."""

    first: datetime
    last: datetime
    rows: Ints


@dataclass(frozen=True)
class ItemKinds:
    """How many items were judged how.

    Attributes
    ----------
    rows : (H, 8) array
        Judgements on each of the seven points, and items with just these.
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    """

    rows: Ints = field(default_factory=lambda: counts_of((), POINTS + 1))
    both_bad: int = 0
    scales: tuple[int, int] | None = None


@dataclass(frozen=True)
class ItemParts:
    """The same rows by what items have in common.

    Attributes
    ----------
    kinds : ItemKinds
        All together, but without the count of "both bad".
    apart : dict
        0: the shorter output has at least nine tenths of the longer one's length;
        2: at most half; 1: between.
    """

    kinds: ItemKinds = field(default_factory=ItemKinds)
    categories: dict[str, Ints] = field(default_factory=dict)
    batches: dict[int, Ints] = field(default_factory=dict)
    periods: Sequence[Period] = ()
    apart: dict[int, Ints] = field(default_factory=dict)


def item_kinds(study: Study, only: Source | None = None) -> ItemKinds:
    """Everything said of the overall question, by kinds of items."""
    found = overall(study, only)
    return ItemKinds(found.points, found.both_bad, found.scales)


@kept
def item_parts(study: Study, only: Source | None = None) -> ItemParts:
    """The same by category, batch, time, and how far the lengths of the outputs lie apart."""
    sets: dict[int, dict[Any, list[tuple[Any, ...]]]] = {}
    for which, category, batch, period, apart, *row in counted_from(
        _items(study, only), PARTS, study.pk
    ):
        key = {CATEGORY: category, BATCH: batch, PERIOD: period, APART: apart}[which]
        sets.setdefault(which, {}).setdefault(key, []).append(tuple(row))
    if not sets:
        return ItemParts()
    # Every item has one category.
    everything = [row for rows in sets[CATEGORY].values() for row in rows]
    least, most = zip(*(row[-2:] for row in everything), strict=True)
    periods = sets[PERIOD]
    return ItemParts(
        ItemKinds(_kinds(everything), 0, (min(least), max(most))),
        {key: _kinds(rows) for key, rows in sorted(sets[CATEGORY].items())},
        {key: _kinds(rows) for key, rows in sorted(sets[BATCH].items())},
        [_period(periods[key]) for key in sorted(key for key in periods if key is not None)],
        {key: _kinds(rows) for key, rows in sorted(sets[APART].items())},
    )


def _kinds(rows: Sequence[tuple[Any, ...]]) -> Ints:
    return counts_of((row[: POINTS + 1] for row in rows), POINTS + 1)


def _period(rows: Sequence[tuple[Any, ...]]) -> Period:
    first = min(row[POINTS + 1] for row in rows)
    return Period(first, max(row[POINTS + 2] for row in rows), _kinds(rows))


@dataclass(frozen=True)
class PairPoints:
    """What each two annotators said of the items both judged, on the seven points.

    Attributes
    ----------
    pairs : list of (annotator, annotator)
        In the order of their ids.
    tables : (P, 7, 7) array of counts
    """

    pairs: Sequence[tuple[UUID, UUID]]
    tables: Ints


def scales_judged_on(study: Study, only: Source | None = None) -> tuple[int, int] | None:
    """The shortest and the longest scale that was judged on; None without a judgement."""
    return overall(study, only).scales


@kept
def pair_points(study: Study, only: Source | None = None) -> PairPoints:
    """For each pair of annotators who share items, what both said of them."""
    users = everybody()
    cells, times = cells_of(study, only, len(users))
    pairs, where = np.unique(cells // POINTS**2, return_inverse=True)
    tables = np.zeros((len(pairs), POINTS**2), dtype=np.int64)
    tables[where, cells % POINTS**2] = times
    named = [(users[pair // len(users)], users[pair % len(users)]) for pair in pairs.tolist()]
    return PairPoints(named, tables.reshape(-1, POINTS, POINTS))


def pair_tables(study: Study, only: Source | None = None) -> tuple[list[tuple[UUID, UUID]], Ints]:
    """For each pair of annotators who share items, who won for both.

    Returns
    -------
    list of (annotator, annotator)
    (P, 3, 3) array of counts
        Items by what the first (rows) and the second (columns) said, in the order
        baseline, tie, candidate.
    """
    found = pair_points(study, only)
    ends = [0, MIDDLE, MIDDLE + 1]
    rows = np.add.reduceat(found.tables, ends, axis=1)
    return list(found.pairs), np.asarray(np.add.reduceat(rows, ends, axis=2))


def points_of_pair(study: Study, only: Source | None, one: UUID, other: UUID) -> PairPoints:
    """The same of one pair alone: nobody else's judgements are read."""
    users = everybody()
    cells, times = cells_of(study, only, len(users), (one, other))
    if not len(cells):
        return PairPoints([], np.zeros((0, POINTS, POINTS), dtype=np.int64))
    table = np.zeros(POINTS**2, dtype=np.int64)
    table[cells % POINTS**2] = times
    return PairPoints([(min(one, other), max(one, other))], table.reshape(1, POINTS, POINTS))


def squares_by_item(
    study: Study, only: Source | None, found: PairPoints, influences: Sequence[Floats]
) -> tuple[int, list[float]]:
    """Items with a pair, and for each influence the sum of the items' squares.

    Parameters
    ----------
    found : PairPoints
    influences : (P, 7, 7) arrays
        What an item in each cell of each pair's table weighs.
    """
    users = everybody()
    number = {person: place for place, person in enumerate(users)}
    pairs = np.array([number[a] * len(users) + number[b] for a, b in found.pairs], dtype=np.int64)
    order = np.argsort(pairs)
    where = tuple(np.argwhere(found.tables[order] > 0).T)
    cells = (pairs[order][where[0]] * POINTS + where[1]) * POINTS + where[2]
    items, sums = squares(
        study,
        only,
        len(users),
        cells,
        [influence[order][where] for influence in influences],
    )
    return items, sums.tolist()


def votes_with_others(study: Study, only: Source | None = None) -> dict[UUID, Ints]:
    """For each annotator rows of what they said (0, 1, 2), what others did, and items.

    Returns
    -------
    dict of (H, 5) arrays
        Own answer; others for the baseline, for neither, for the candidate; items with
        just these. Of items that nobody else judged too.
    """
    return overall(study, only).others


def _items(study: Study, only: Source | None) -> QuerySet[Judgement, Any]:
    return _votes(study, only).values(
        "item_id",
        "preference",
        "both_bad",
        "scale",
        judged_at=F("task__judged_at"),
    )


def _votes(study: Study, only: Source | None) -> QuerySet[Judgement]:
    return counted_judgements(study, only)
