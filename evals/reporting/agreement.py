"""The page of agreement: how often two people say the same, who stands apart, on what."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from annotate.models import Study, User
from evals import queries
from evals.reporting.numbers import Shown, shown
from evals.reporting.report import SAID, criterion_tallies, named_pairs
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs
from evals.tallies import Tally

# Under this many shared items a cell is grey: its interval is too wide to rank by.
FEW = 20
# A matrix of more people is no longer read.
MOST_PEOPLE = 24
MOST_REASONS = 6
# How dark a cell is: kappa from 0.2, 0.3, 0.45, 0.6.
SHADES = ((0.6, 4), (0.45, 3), (0.3, 2), (0.2, 1))


@dataclass(frozen=True, slots=True)
class Cell:
    """A pair of annotators: kappa below the diagonal, the number of shared items above."""

    kind: str
    number: Shown | None = None
    n: int = 0
    shade: int = 0


@dataclass(frozen=True, slots=True)
class Matrix:
    """The pairs of the annotators who share items with somebody."""

    people: Sequence[User] = ()
    rows: Sequence[tuple[User, Sequence[Cell]]] = ()
    undefined: Sequence[str] = ()
    more_undefined: int = 0
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class CriterionRow:
    name: str
    items: str
    ordinal: Shown
    percent: Shown


@dataclass(frozen=True, slots=True)
class Agreement:
    """Everything on the page."""

    finding: str
    tally: Tally
    nominal: Shown
    ordinal: Shown
    fleiss: Shown
    ac1: Shown
    percent: Shown
    matrix: Matrix = field(default_factory=Matrix)
    apart: str = ""
    criteria: Sequence[CriterionRow] = ()
    prevalent: Sequence[str] = ()

    @property
    def is_short(self) -> bool:
        return any(number.is_short for number in (self.nominal, self.ordinal, self.percent))

    @property
    def both_bad(self) -> str:
        """How many of all judgements are "both bad"; empty where none is."""
        tally = self.tally
        return wording.percent(tally.both_bad / tally.n) if tally.both_bad else ""


def agreement(
    study: Study,
    tally: Tally,
    *,
    weights: str = "unweighted",
    only: queries.Source | None = None,
    confidence: float = 0.95,
) -> Agreement:
    """Read inside a snapshot: `tally` and what is read here are of one state."""
    found = tally.agreement(confidence)
    pairs, tables = named_pairs(study, only)
    kappas = kappa_pairs(tables, weights, labels=SAID, confidence=confidence)
    rows, prevalent = _by_criterion(study, only, confidence)
    return Agreement(
        finding=finding(found["percent"], found["alpha_nominal"]),
        tally=tally,
        nominal=shown(found["alpha_nominal"], "coefficient", "items"),
        ordinal=shown(found["alpha_ordinal"], "coefficient", "items"),
        fleiss=shown(found["fleiss_kappa"], "coefficient", "items"),
        ac1=shown(found["gwet_ac1"], "coefficient", "items"),
        percent=shown(found["percent"], "share", "items"),
        matrix=matrix(pairs, tables, kappas),
        apart=stands_apart(pairs, tables),
        criteria=rows,
        prevalent=prevalent,
    )


def finding(percent: Estimate | Undefined, alpha: Estimate | Undefined) -> str:
    """Of 100 items, on how many two people agree, and on how many they would by chance."""
    if isinstance(percent, Undefined):
        return "Agreement cannot be measured yet: no item has two judgements"
    said = f"Two annotators agree on {_of_100(percent.value)}"
    if isinstance(alpha, Undefined):
        return f"{said}; whether beyond chance is undefined, since {alpha.reason}"
    # Alpha is (observed - expected) / (1 - expected), so the expected share follows.
    if alpha.value >= 1 or percent.value >= 1:
        return said
    expected = (percent.value - alpha.value) / (1 - alpha.value)
    if alpha.low is not None and alpha.low <= 0:
        return f"{said}, which chance alone could explain"
    return f"{said}; {round(100 * expected)} of these by chance alone"


def _of_100(share: float) -> str:
    return f"{round(100 * share)} of 100 items"


def matrix(
    pairs: Sequence[tuple[User, User]], tables: Ints, kappas: Sequence[Estimate | Undefined]
) -> Matrix:
    """Everybody against everybody; the people with most shared items where there are many."""
    shared: dict[User, int] = {}
    cells: dict[frozenset[Any], tuple[int, Estimate | Undefined]] = {}
    for (a, b), table, kappa in zip(pairs, tables, kappas, strict=True):
        n = int(table.sum())
        shared[a], shared[b] = shared.get(a, 0) + n, shared.get(b, 0) + n
        cells[frozenset((a.pk, b.pk))] = (n, kappa)
    busiest = sorted(shared, key=lambda user: -shared[user])[:MOST_PEOPLE]
    people = sorted(busiest, key=lambda user: (str(user).lower(), user.email))
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
        len(shared) - len(people),
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
    return Cell("kappa", shown(kappa, "coefficient", "items"), n, 0 if n < FEW else shade)


def stands_apart(pairs: Sequence[tuple[User, User]], tables: Ints) -> str:
    """Who agrees with the others less often than anybody else, where somebody does.

    Compared are shares of agreeing pairs; only people with enough shared items count.
    """
    same: dict[User, int] = {}
    n: dict[User, int] = {}
    for pair, table in zip(pairs, tables, strict=True):
        for person in pair:
            same[person] = same.get(person, 0) + int(table.trace())
            n[person] = n.get(person, 0) + int(table.sum())
    shares = sorted(
        ((same[person] / n[person], person) for person in n if n[person] >= FEW),
        key=lambda one: one[0],
    )
    if len(shares) < 3:
        return ""
    share, person = shares[0]
    return f"{person} agrees least with the others, in {100 * share:.0f}\u202f% of shared items."


def _by_criterion(
    study: Study, only: queries.Source | None, confidence: float
) -> tuple[list[CriterionRow], list[str]]:
    rows, prevalent = [], []
    for name, tally in criterion_tallies(study, only).items():
        found = tally.agreement(confidence)
        percent, ordinal = found["percent"], found["alpha_ordinal"]
        rows.append(
            CriterionRow(
                name, str(percent.n), shown(ordinal, "coefficient", ""), shown(percent, "share", "")
            )
        )
        if _one_answer_prevails(percent, ordinal):
            prevalent.append(name)
    return rows, prevalent


def _one_answer_prevails(percent: Estimate | Undefined, alpha: Estimate | Undefined) -> bool:
    """A low alpha beside high agreement: nearly all answers are the same one."""
    return (
        isinstance(percent, Estimate)
        and isinstance(alpha, Estimate)
        and percent.value >= 0.85
        and alpha.value < 0.4
    )
