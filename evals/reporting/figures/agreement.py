"""Who agrees with whom."""

from collections import Counter
from collections.abc import Collection
from functools import partial
from uuid import UUID

from annotate.models import User
from evals.figures import Figure, NoFigure
from evals.figures.people import PairCell, kappa_matrix
from evals.reporting.agreement.counted import SAID, named_pairs
from evals.reporting.agreement.matrix import busiest
from evals.reporting.figures.asked import Asked, interval
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import kappa_pairs

HEADER = ("Annotator", "Annotator", "Kappa", "Interval", "Items")


def pairs(asked: Asked) -> Figure | NoFigure:
    """Cohen's kappa of each pair of annotators."""
    title = "Agreement of each pair of annotators"
    people, tables = named_pairs(asked.study, asked.only)
    if not people:
        return NoFigure("pairs", title, "no two annotators have judged the same item")
    chosen, among = busiest(people, tables)
    left_out = len(people.users) - len(chosen)
    some = tables[among]
    kappas = kappa_pairs(some, "unweighted", labels=SAID, confidence=asked.confidence)
    known_as = _known_as(chosen)
    cells, rows = [], []
    for place, kappa, table in zip(among, kappas, some, strict=True):
        first, second = people[place]
        n, names = int(table.sum()), (known_as[first.pk], known_as[second.pk])
        cells.append(PairCell(*names, kappa.value if isinstance(kappa, Estimate) else None, n))
        rows.append((*names, *_told(kappa), str(n)))
    return Figure(
        "pairs",
        title,
        _in_words([cell.value for cell in cells if cell.value is not None], len(cells)),
        HEADER,
        rows,
        partial(kappa_matrix, cells),
        f"Cohen's kappa, unweighted, of baseline, tie and candidate; intervals at {asked.level}."
        f"{_of_whom(len(chosen), left_out)}",
    )


def _of_whom(shown: int, left_out: int) -> str:
    if not left_out:
        return ""
    return f" The {shown} annotators who share most items; {left_out} more are left out."


def _known_as(people: Collection[User]) -> dict[UUID, str]:
    """Names; whoever shares theirs goes by what tells them apart."""
    times = Counter(str(person) for person in people)
    return {
        person.pk: str(person) if times[str(person)] == 1 else person.label for person in people
    }


def _told(kappa: Estimate | Undefined) -> tuple[str, str]:
    if isinstance(kappa, Undefined):
        return "undefined", kappa.reason
    return wording.coefficient(kappa.value), interval(kappa.low, kappa.high, "coefficient")


def _in_words(values: list[float], count: int) -> str:
    if not values:
        return f"{wording.counted(count, 'pairs')}; kappa is undefined for all of them."
    low, high = wording.coefficient(min(values)), wording.coefficient(max(values))
    return f"{wording.counted(count, 'pairs')}; kappa from {low} to {high}."
