"""Everybody against everybody: kappa, its interval, and the items both judged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np

from annotate.models import User
from evals.reporting.agreement.counted import NamedPairs
from evals.reporting.numbers import Shown, shown
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined

# Under this many shared items a cell is grey: its interval is too wide to rank by.
FEW = 20
# A matrix of more people is no longer read.
MOST_PEOPLE = 24
MOST_REASONS = 6
# How dark a cell is: kappa from 0.2, 0.3, 0.45, 0.6.
SHADES = ((0.6, 4), (0.45, 3), (0.3, 2), (0.2, 1))


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of annotators: kappa below the diagonal, the number of shared items above.

    `other` is the annotator of the column.
    """

    kind: str
    number: Shown | None = None
    n: int = 0
    shade: int = 0
    other: UUID | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """The pairs of the annotators who share items with somebody."""

    people: Sequence[User] = ()
    rows: Sequence[tuple[User, Sequence[Cell]]] = ()
    undefined: Sequence[str] = ()
    more_undefined: int = 0
    left_out: int = 0


def busiest(pairs: NamedPairs, tables: Ints) -> tuple[list[User], list[int]]:
    """The people who share most items, and the places of the pairs of two of them."""
    n = tables.sum(axis=(1, 2))
    shared = sum(np.bincount(who, n, len(pairs.users)) for who in pairs.who.T)
    chosen = np.zeros(len(pairs.users), dtype=bool)
    chosen[np.argsort(-np.asarray(shared), kind="stable")[:MOST_PEOPLE]] = True
    (among,) = np.nonzero(chosen[pairs.who].all(axis=1))
    return [pairs.users[place] for place in np.flatnonzero(chosen).tolist()], among.tolist()


def matrix(
    pairs: NamedPairs,
    tables: Ints,
    kappas_of: Callable[[list[int]], Sequence[Estimate | Undefined]],
) -> Matrix:
    """Everybody against everybody; the people with most shared items where there are many.

    `kappas_of` answers kappa of the pairs at these places: it is asked for what is shown alone.
    """
    chosen, among = busiest(pairs, tables)
    cells = {
        frozenset(user.pk for user in pairs[place]): (int(tables[place].sum()), kappa)
        for place, kappa in zip(among, kappas_of(among), strict=True)
    }
    people = sorted(chosen, key=lambda user: (str(user).lower(), user.email))
    rows = [
        (person, [_cell(cells, row, column, people) for column in range(len(people))])
        for row, person in enumerate(people)
    ]
    reasons = [
        f"{people[column]} and {people[row]}: {cell.number.why}"
        for row, (_, line) in enumerate(rows)
        for column, cell in enumerate(line)
        if cell.kind == "kappa" and cell.number and cell.number.why and cell.n
    ]
    return Matrix(
        people,
        rows,
        reasons[:MOST_REASONS],
        max(0, len(reasons) - MOST_REASONS),
        len(pairs.users) - len(people),
    )


def _cell(
    cells: dict[frozenset[Any], tuple[int, Estimate | Undefined]],
    row: int,
    column: int,
    people: Sequence[User],
) -> Cell:
    if row == column:
        return Cell("same")
    n, kappa = cells.get(frozenset((people[row].pk, people[column].pk)), (0, Undefined("")))
    if row < column:
        return Cell("count", n=n)
    if n == 0:
        return Cell("none")
    value = kappa.value if isinstance(kappa, Estimate) else -1.0
    shade = next((shade for least, shade in SHADES if value >= least), 0)
    number = shown(kappa, "coefficient", "items")
    return Cell("kappa", number, n, 0 if n < FEW else shade, people[column].pk)
