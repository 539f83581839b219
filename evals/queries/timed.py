"""Judged items with when they were judged and what they have in common, block by block."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import numpy as np

from annotate.models import Study
from evals.queries.parts import Block, parts
from evals.queries.reading import counted_from
from evals.queries.said import MIDDLE, POINTS, categories_of, in_cells
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.histograms import codes_of, kinds_of

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
    names : list of str
        Of the categories.
    kinds : (K, 7) array
        The distinct rows of judgements on each of the seven points.
    scales : (int, int)
        The shortest and the longest that was judged on.
    items, batches : (N,) arrays
        Ids.
    ended, made : (N,) arrays
        When the last judgement was made, or -1; when it came in. Microseconds since 1970.
    category, kind : (N,) arrays
        Places in `names` and in `kinds`.
    apart : (N,) array
        How far the lengths of the outputs lie apart: 0 where the shorter one has at least nine
        tenths of the longer one's length, 2 at most half, 1 between.
    """

    names: list[str]
    kinds: Ints
    scales: tuple[int, int]
    items: Ints
    batches: Ints
    ended: Ints
    made: Ints
    category: Ints
    kind: Ints
    apart: Ints


def timed_part(block: Block, only: Source | None) -> TimedPart | None:
    """The judged items of one block."""
    votes = block.votes(only).values("item_id", "task_id", "preference", "scale", "created_at")
    places = (block.study.pk, block.first, block.last)
    ((packed, least, most),) = counted_from(votes, ITEMS, *places, *places)
    if packed is None:
        return None
    rows = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64).reshape(-1, COLUMNS)
    items, batches, apart, ended, made = rows[:, :5].T
    kinds, kind = kinds_of(rows[:, 5:])
    names, category = categories_of(block, items)
    return TimedPart(
        names, kinds, (least, most), items, batches, ended, made, category, kind, apart
    )


def moment(microseconds: int) -> datetime:
    """A time from microseconds since 1970."""
    return EPOCH + timedelta(microseconds=int(microseconds))


class Timed:
    """The judged items of all blocks."""

    def __init__(self, study: Study, only: Source | None) -> None:
        self.parts = parts(study, timed_part, only)
        self.names = sorted({name for part in self.parts for name in part.names})

    @cached_property
    def items(self) -> Ints:
        return joined([part.items for part in self.parts])

    @cached_property
    def batches(self) -> Ints:
        return joined([part.batches for part in self.parts])

    @cached_property
    def ended(self) -> Ints:
        return joined([part.ended for part in self.parts])

    @cached_property
    def made(self) -> Ints:
        return joined([part.made for part in self.parts])

    @cached_property
    def apart(self) -> Ints:
        return joined([part.apart for part in self.parts])

    @cached_property
    def category(self) -> Ints:
        """Places in `names`."""
        place = {name: number for number, name in enumerate(self.names)}
        return joined([
            np.array([place[name] for name in part.names], dtype=np.int64)[part.category]
            for part in self.parts
        ])  # fmt: skip

    @cached_property
    def points(self) -> Ints:
        """(N, 7) array: judgements of each item on each of the points."""
        kinds, kind = self._kinds
        return np.asarray(kinds[kind])

    @cached_property
    def _kinds(self) -> tuple[Ints, Ints]:
        """The distinct rows of `points` in their order, and which of these each item has."""
        nothing = np.zeros((0, POINTS), dtype=np.int64)
        kinds, place = kinds_of(np.concatenate([nothing, *(part.kinds for part in self.parts)]))
        starts = np.cumsum([0, *(len(part.kinds) for part in self.parts)])
        return kinds, joined([
            place[start + part.kind] for start, part in zip(starts, self.parts, strict=False)
        ])  # fmt: skip

    def by(self, group: Ints, which: Ints | None = None) -> dict[int, Ints]:
        """Rows of `points` and how many items have just these, for each number of a group.

        Parameters
        ----------
        group : (N,) array
            A number for each item, or for those of `which`.
        which : array, optional
            Places of items; all where it is left out.
        """
        kinds, kind = self._kinds
        kind = kind if which is None else kind[which]
        numbers, place = codes_of(group)
        items = in_cells(place, kind, len(numbers), len(kinds))
        return {
            number: np.column_stack((kinds, row))[row > 0]
            for number, row in zip(numbers.tolist(), items, strict=True)
        }


def joined(columns: list[Ints]) -> Ints:
    return np.concatenate([np.zeros(0, dtype=np.int64), *columns])
