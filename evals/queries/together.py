"""What people said of the same items: each two of them, and each one beside all others."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.said import MIDDLE, POINTS, Said, said_in_blocks
from evals.queries.votes_from import Source
from evals.stats.checks import Floats, Ints
from evals.stats.histograms import Histogram


def pairs_in(said: Said, people: int) -> tuple[Ints, Ints]:
    """All pairs of votes on the same item, whose id is lower first.

    Returns
    -------
    array
        Who and who, and what both said, as one number to the base of `people` and of the points.
    array
        Which of the items each pair is on.
    """
    cells, items = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for step in range(1, len(said.item)):
        same = said.item[:-step] == said.item[step:]
        if not same.any():
            break
        # Whoever judged an item here and elsewhere is no pair.
        (first,) = np.nonzero(same & (said.who[:-step] != said.who[step:]))
        second = first + step
        pair = said.who[first] * people + said.who[second]
        cells.append((pair * POINTS + said.point[first]) * POINTS + said.point[second])
        items.append(said.item[first])
    return np.concatenate(cells), np.concatenate(items)


def cells_of(
    study: Study, only: Source | None, people: int, whose: tuple[UUID, ...] = ()
) -> tuple[Ints, Ints]:
    """The cells that occur in tables of pairs, in their order, and how often each one does."""
    found = Histogram(1)
    for said in said_in_blocks(study, only, whose):
        found.add(pairs_in(said, people)[0][:, None])
    return found.rows[:, 0], found.rows[:, 1]


def squares(
    study: Study, only: Source | None, people: int, cells: Ints, pulls: Sequence[Floats]
) -> tuple[int, Floats]:
    """Items with a pair, and for each of `pulls` the sum of the squares of the items' sums.

    What an item does in all its pairs is added up before it is squared: pairs share items.

    Parameters
    ----------
    cells : array
        All cells that occur, in their order.
    pulls : sequence of arrays
        What a pair in each of these cells weighs.
    """
    items, found = 0, np.zeros(len(pulls))
    for said in said_in_blocks(study, only):
        here, on = pairs_in(said, people)
        where = np.searchsorted(cells, here)
        items += len(np.unique(on))
        for number, pull in enumerate(pulls):
            sums = np.bincount(on, weights=pull[where])
            found[number] += float(sums @ sums)
    return items, found


def beside_others(said: Said) -> Ints:
    """Of each vote: who, what they said (0, 1, 2), and how many others said each of the three."""
    own = np.eye(MIDDLE, dtype=np.int64)[said.winner]
    others = said.by_item(said.winner, MIDDLE)[said.item] - own
    return np.column_stack((said.who, said.winner, others))
