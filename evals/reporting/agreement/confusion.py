"""A confusion table: what two annotators said of the items both judged, cell by cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import numpy as np

from annotate.models import Study, User
from evals.queries import Source
from evals.reporting.agreement.counted import SAID, WEIGHTED, WINNERS, Scale, tables_on
from evals.reporting.agreement.lopsided import explained, is_lopsided
from evals.reporting.agreement.rest import against_majority, against_rest
from evals.reporting.items import preference_words
from evals.reporting.numbers import Shown, shown
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs, percent_pairs
from evals.stats.pairs import bias_pairs, even_kappa_pairs, prevalence_pairs, scott_pairs
from evals.stats.resampling import MIN_UNITS

OTHERS = "others"
NO_MAJORITY = "none"
WINNER_WORDS = ("baseline", "tie", "candidate")
# A cell is darker the more of the items lie in it.
SHADES = ((0.3, 4), (0.2, 3), (0.1, 2), (0.05, 1))


@dataclass(frozen=True, slots=True)
class Cell:
    """How many items both answered so, and where to see them."""

    n: int
    query: str
    agrees: bool
    shade: int
    label: str


@dataclass(frozen=True, slots=True)
class Line:
    name: str
    cells: Sequence[Cell]
    total: int


@dataclass(frozen=True, slots=True)
class Number:
    name: str
    number: Shown


@dataclass(frozen=True, slots=True)
class Confusion:
    """Everything on the page of one pair.

    Attributes
    ----------
    by : str
        "winner" or "strength": what the rows and columns are.
    """

    one: str
    other: str
    finding: str
    by: str
    columns: Sequence[str]
    lines: Sequence[Line]
    totals: Sequence[int]
    n: int
    numbers: Sequence[Number]
    lopsided: str

    @property
    def is_short(self) -> bool:
        """Whether there are too few items for the intervals to be as wide as they should be."""
        return self.n < MIN_UNITS


@dataclass(frozen=True, slots=True)
class Asked:
    """Who against whom, as an address says it; `other` is None for all others."""

    one: User
    other: User | None
    only: Source | None
    by: str = "winner"

    def query(self, **cell: str) -> str:
        """The part of an address after the question mark."""
        given = {
            "one": str(self.one.pk),
            "other": str(self.other.pk) if self.other else OTHERS,
            "by": self.by,
            "only": self.only or "both",
        }
        return urlencode(given | cell)


def confusion_of_pair(asked: Asked, table: Ints, scale: Scale, confidence: float) -> Confusion:
    """Two annotators; `table` is on all seven points."""
    points = scale.points if asked.by == "strength" else WINNERS
    shown_table = tables_on(table[None], points)[0]
    winners = tables_on(table[None], WINNERS)
    values = list(range(-(points // 2), points // 2 + 1))
    words = [_word(value, points) for value in values]
    kappas = kappa_pairs(winners, labels=SAID, confidence=confidence)
    prevalence = prevalence_pairs(winners, confidence=confidence)[0]
    even = even_kappa_pairs(winners, confidence=confidence)[0]
    (percent,) = percent_pairs(winners, confidence=confidence)
    names = f"{asked.one} and {asked.other}"
    numbers = [
        Number("They agree on", shown(percent, "share", "items")),
        _number("Cohen’s κ", kappas[0]),
        *(_weighted(table, scale, weights, confidence) for weights in WEIGHTED),
        _number("Scott’s π", *scott_pairs(winners, labels=SAID, confidence=confidence)),
        _number(f"Prevalence index, most: {WINNER_WORDS[prevalence.category]}", prevalence.index),
        _number("Bias index", *bias_pairs(winners, confidence=confidence)),
        _number("κ at an even use of the answers", even),
    ]
    told = ""
    if is_lopsided(kappas[0], prevalence):
        told = explained(names, winners[0], kappas[0], prevalence, even)
    return _confusion(asked, shown_table, (words, words), (values, values), numbers, told)


def _number(name: str, found: Estimate | Undefined) -> Number:
    return Number(name, shown(found, "coefficient", "items"))


def _weighted(table: Ints, scale: Scale, weights: str, confidence: float) -> Number:
    tables = tables_on(table[None], scale.points)
    points = f"{scale.points} points" if scale.has_strength else "three categories"
    (found,) = kappa_pairs(tables, weights, labels=_labels(scale.points), confidence=confidence)
    return _number(f"κ, {weights} on {points}", found)


def _labels(points: int) -> list[str] | tuple[str, ...]:
    """The points of a scale as a reason says them."""
    if points == WINNERS:
        return SAID
    return [_word(value, points) for value in range(-(points // 2), points // 2 + 1)]


def confusion_with_others(asked: Asked, rows: Ints, confidence: float) -> Confusion:
    """One annotator and what most of the others said; the last column is no majority.

    `rows` are those of the annotator in `votes_with_others`.
    """
    words = list(WINNER_WORDS)
    values: list[int | None] = [-1, 0, 1]
    one = against_rest(asked.one, rows, confidence)
    numbers = [
        Number("Agrees with each of the others on", shown(one.percent, "share", "items")),
        _number("κ against all others, taken as one", one.kappa),
    ]
    columns = ([*words, "no majority"], [*values, None])
    return _confusion(
        asked, against_majority(rows), (words, columns[0]), (values, columns[1]), numbers, ""
    )


def _confusion(
    asked: Asked,
    table: Ints,
    words: tuple[Sequence[str], Sequence[str]],
    values: tuple[Sequence[int | None], Sequence[int | None]],
    numbers: Sequence[Number],
    told: str,
) -> Confusion:
    n = int(table.sum())
    other = str(asked.other) if asked.other else "the majority of the others"
    lines = [
        Line(
            words[0][row],
            [
                _cell(asked, int(table[row, column]), n, values[0][row], values[1][column],
                      f"{asked.one}: {words[0][row]}, {other}: {words[1][column]}")
                for column in range(len(words[1]))
            ],
            int(table[row].sum()),
        )
        for row in range(len(words[0]))
    ]  # fmt: skip
    return Confusion(
        str(asked.one),
        other,
        _finding(asked, table, words),
        asked.by,
        words[1],
        lines,
        [int(total) for total in table.sum(axis=0)],
        n,
        numbers,
        told,
    )


def _cell(
    asked: Asked, count: int, n: int, mine: int | None, theirs: int | None, label: str
) -> Cell:
    share = count / n if n else 0.0
    shade = next((shade for least, shade in SHADES if share >= least), 0)
    return Cell(count, asked.query(**cell_query(mine, theirs)), mine == theirs, shade, label)


def cell_query(mine: int | None, theirs: int | None) -> dict[str, str]:
    """The part of an address that names a cell."""
    return {"mine": str(mine), "theirs": NO_MAJORITY if theirs is None else str(theirs)}


def _finding(asked: Asked, table: Ints, words: tuple[Sequence[str], Sequence[str]]) -> str:
    """What they most often differ on."""
    n = int(table.sum())
    names = f"{asked.one} and {asked.other or 'the others'}"
    if n == 0:
        return f"{names} share no items"
    apart = table.copy()
    np.fill_diagonal(apart, 0)
    decided = apart[:, : len(words[0])]
    if not decided.any():
        return f"{names} never differ on {wording.counted(n, 'items')}"
    row, column = np.unravel_index(int(decided.argmax()), decided.shape)
    times = wording.counted(int(decided[row, column]), "items")
    other = asked.other or "most others"
    return (
        f"Most often {asked.one} chose “{words[0][int(row)]}” where {other} chose "
        f"“{words[1][int(column)]}”: {times} of {wording.count(n)}"
    )


def _word(value: int, points: int) -> str:
    if points == WINNERS:
        return WINNER_WORDS[value + 1]
    return preference_words(value, points // 2)


def cell_words(asked: Asked, mine: int, theirs: int | None, study: Study) -> str:
    """What both said of the items of a cell: "Amara: candidate, Bastian: tie"."""
    points = study.scale if asked.by == "strength" else WINNERS
    second = "no majority" if theirs is None else _word(theirs, points)
    other = str(asked.other) if asked.other else "most others"
    return f"{asked.one}: {_word(mine, points)}; {other}: {second}"
