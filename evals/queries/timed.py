"""Judged items with when they were judged and what they have in common, block by block."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar

import numpy as np

from annotate.models import Study
from evals.queries.parts import Block, parts
from evals.queries.reading import counted_from
from evals.queries.said import MIDDLE, POINTS, categories_of
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged

K = TypeVar("K", str, int)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Where nobody knows when an item was judged.
NEVER = -1
SAID = ", ".join(
    f"count(*) FILTER (WHERE preference = {point - MIDDLE}) AS p{point}" for point in range(POINTS)
)
# Lengths are octets: how long a text is then stands in its header, and it need not be read.
# Microseconds since 1970, as a number: a float would not hold them.
# Tasks are named by the block they are in: looked up one by one they take twice as long.
ITEMS = f"""
, tasks AS (
    SELECT id, judged_at FROM annotate_task WHERE study_id = %s AND item_id BETWEEN %s AND %s
), items AS (
    SELECT item_id, {SAID}, max(judged_at) AS ended, max(created_at) AS made,
           min(scale) AS least, max(scale) AS most
    FROM votes JOIN tasks ON tasks.id = task_id GROUP BY item_id
), lengths AS (
    SELECT id, batch_id,
           least(octet_length(baseline_output), octet_length(candidate_output))::bigint AS shorter,
           greatest(octet_length(baseline_output), octet_length(candidate_output))::bigint AS longer
    FROM annotate_item WHERE study_id = %s AND id BETWEEN %s AND %s
)
SELECT string_agg(int8send(item_id) || int8send(batch_id)
    || int8send(CASE WHEN shorter * 10 >= longer * 9 THEN 0 WHEN shorter * 2 > longer THEN 1
                ELSE 2 END)
    || int8send(coalesce((extract(epoch FROM ended) * 1000000)::bigint, {NEVER}))
    || int8send((extract(epoch FROM made) * 1000000)::bigint)
    || {" || ".join(f"int8send(p{point})" for point in range(POINTS))}, ''::bytea ORDER BY item_id),
    min(least), max(most)
FROM items JOIN lengths ON lengths.id = item_id
"""  # noqa: S608 (put together from constants)
COLUMNS = 5 + POINTS


@dataclass(frozen=True)
class TimedPart:
    """Items of a block, in the order of their ids.

    Attributes
    ----------
    categories : dict of (H, 8) arrays
        Of each category judgements on each of the seven points, and items with just these.
    batches, apart : dict of (H, 8) arrays
        The same by batch, and by how far the lengths of the outputs lie apart: 0 where the
        shorter one has at least nine tenths of the longer one's length, 2 at most half, 1 between.
    scales : (int, int)
    items, ended, made : (N,) arrays
        Ids; when the last judgement was made, or -1; when it came in. Microseconds since 1970.
    points : (N, 7) array
        Judgements on each of the points.
    """

    categories: dict[str, Ints]
    batches: dict[int, Ints]
    apart: dict[int, Ints]
    scales: tuple[int, int]
    items: Ints
    ended: Ints
    made: Ints
    points: Ints


def timed_part(block: Block, only: Source | None) -> TimedPart | None:
    """The judged items of one block."""
    votes = block.votes(only).values("item_id", "task_id", "preference", "scale", "created_at")
    places = (block.study.pk, block.first, block.last)
    ((packed, least, most),) = counted_from(votes, ITEMS, *places, *places)
    if packed is None:
        return None
    rows = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64).reshape(-1, COLUMNS)
    items, batch, apart, ended, made = rows[:, :5].T
    points = rows[:, 5:]
    names, category = categories_of(block, items)
    return TimedPart(
        {names[one]: kinds for one, kinds in _kinds(points, category).items()},
        _kinds(points, batch),
        _kinds(points, apart),
        (least, most),
        items,
        ended,
        made,
        points,
    )


def _kinds(points: Ints, group: Ints) -> dict[int, Ints]:
    return {one: distinct(points[group == one]) for one in np.unique(group).tolist()}


def moment(microseconds: int) -> datetime:
    """A time from microseconds since 1970."""
    return EPOCH + timedelta(microseconds=int(microseconds))


class Timed:
    """The judged items of all blocks."""

    def __init__(self, study: Study, only: Source | None) -> None:
        self.parts = parts(study, timed_part, only)

    def in_all(self, found: list[dict[K, Ints]]) -> dict[K, Ints]:
        """Histograms of the blocks by group, put together."""
        groups = sorted({key for part in found for key in part})
        return {key: merged([part[key] for part in found if key in part]) for key in groups}

    @cached_property
    def items(self) -> Ints:
        return self._all([part.items for part in self.parts])

    @cached_property
    def ended(self) -> Ints:
        return self._all([part.ended for part in self.parts])

    @cached_property
    def made(self) -> Ints:
        return self._all([part.made for part in self.parts])

    @cached_property
    def points(self) -> Ints:
        nothing = np.zeros((0, POINTS), dtype=np.int64)
        return np.concatenate([nothing, *(part.points for part in self.parts)])

    @staticmethod
    def _all(columns: list[Ints]) -> Ints:
        return np.concatenate([np.zeros(0, dtype=np.int64), *columns])
