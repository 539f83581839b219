"""What annotators say of the same pair when asked again with its sides exchanged.

How often they say the same, and how often they stay on the side instead: the pair is the
same, so whoever stays on a side has changed the system with it.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Ints, count, counts
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.preference import win_rate_from_sums
from evals.stats.proportions import clopper_pearson_interval

NOBODY = "nobody has answered an item a second time"
NOT_STUCK = "nobody stayed on one side of a repeated item"
SAME = "share of repeats with the same answer"
EXACT = "share of repeats with the same point of the scale"
ON_ONE_SIDE = "share of repeats in which the side was kept and the system changed"
LEFT_OF_KEPT = "share for the left, of repeats in which the side was kept"
COLUMNS = 5


@dataclass(frozen=True, slots=True)
class Repeated:
    """The repeats of one annotator or one item, counted.

    Attributes
    ----------
    n : int
        Repeats answered.
    same : int
        Of these with the same answer: baseline, tie or candidate.
    exact : int
        Of these with the same point of the study's scale.
    left, right : int
        Repeats in which the left (the right) output was chosen both times, which is one
        system at first and the other one then.
    """

    n: int
    same: int
    exact: int
    left: int
    right: int


def same_answer(of: Repeated, confidence: float = 0.95) -> Estimate:
    """How often one annotator says the same again, with the exact interval.

    Raises
    ------
    UndefinedError
        If nothing was asked again.
    """
    return _share(of.same, of.n, SAME, confidence)


def same_point(of: Repeated, confidence: float = 0.95) -> Estimate:
    """As `same_answer`, on the study's own scale."""
    return _share(of.exact, of.n, EXACT, confidence)


def kept_side(of: Repeated, confidence: float = 0.95) -> Estimate:
    """How often one annotator stayed on a side, and so changed the system."""
    return _share(of.left + of.right, of.n, ON_ONE_SIDE, confidence)


def _share(good: int, n: int, what: str, confidence: float) -> Estimate:
    if count(n, "the number of repeats") == 0:
        raise UndefinedError(NOBODY)
    exact = clopper_pearson_interval(good, n, confidence)
    return replace(exact, method=f"{what}, Clopper-Pearson interval")


@dataclass(frozen=True)
class AllRepeats:
    """The repeats of a study, counted by item and by annotator.

    Attributes
    ----------
    items, annotators : (H, 6) arrays
        Rows (n, same, exact, left, right, how many items or annotators have just these).
    """

    items: Ints
    annotators: Ints

    @property
    def total(self) -> Repeated:
        """All repeats together."""
        sums = (self.items[:, :COLUMNS] * self.items[:, COLUMNS:]).sum(axis=0)
        return Repeated(*(int(one) for one in sums))


def all_repeats(items: npt.ArrayLike, annotators: npt.ArrayLike) -> AllRepeats:
    """Check rows of counts as `AllRepeats` holds them.

    Raises
    ------
    UndefinedError
        If a count is no whole number of at least 0, or a part is larger than its whole.
    """
    checked = AllRepeats(_rows(items, "the items"), _rows(annotators, "the annotators"))
    if checked.total != AllRepeats(checked.annotators, checked.items).total:
        raise UndefinedError("items and annotators do not add up to the same repeats")
    return checked


def _rows(rows: npt.ArrayLike, name: str) -> Ints:
    plain = np.asarray(rows)
    if plain.size == 0:
        return np.zeros((0, COLUMNS + 1), dtype=np.int64)
    if plain.ndim != 2 or plain.shape[1] != COLUMNS + 1:
        raise UndefinedError(f"{name} must have rows of five counts and a number")
    table = counts(plain, name).astype(np.int64)
    n, same, exact, left, right = table.T[:COLUMNS]
    if (exact > same).any() or (same + left + right > n).any():
        raise UndefinedError(f"{name}: a part is larger than its whole")
    return table


def all_same_answer(repeats: AllRepeats, confidence: float = 0.95) -> Estimate:
    """How often annotators say the same again: the win rate's formula and interval.

    The share of all repeats, clustered by item and by annotator.

    Raises
    ------
    UndefinedError
        If nothing was asked again, or all repeats are of a single item.
    """
    return _clustered(repeats, (1,), (0,), SAME, NOBODY, confidence)


def all_same_point(repeats: AllRepeats, confidence: float = 0.95) -> Estimate:
    """As `all_same_answer`, on the study's own scale."""
    return _clustered(repeats, (2,), (0,), EXACT, NOBODY, confidence)


def all_kept_side(repeats: AllRepeats, confidence: float = 0.95) -> Estimate:
    """How often annotators stayed on a side, of all repeats, as `all_same_answer`."""
    return _clustered(repeats, (3, 4), (0,), ON_ONE_SIDE, NOBODY, confidence)


def left_of_kept(repeats: AllRepeats, confidence: float = 0.95) -> Estimate:
    """Of the repeats in which the side was kept, the share of the left one.

    Whoever errs at random stays on either side as often, whatever system is better:
    an interval that leaves out one half is a lean to one side, and nothing else. This is
    the matched comparison of McNemar, clustered by item and by annotator.

    Raises
    ------
    UndefinedError
        If nobody stayed on a side, or all who did were asked of a single item.

    References
    ----------
    Q. McNemar, Psychometrika 12 (1947), 153-157.
    """
    reason = NOT_STUCK if repeats.total.n else NOBODY
    return _clustered(repeats, (3,), (3, 4), LEFT_OF_KEPT, reason, confidence)


def _clustered(
    repeats: AllRepeats,
    good: tuple[int, ...],
    of: tuple[int, ...],
    what: str,
    reason: str,
    confidence: float,
) -> Estimate:
    items = _histogram(repeats.items, good, of)
    n, total = (int(one) for one in (items[:, :2] * items[:, 2:]).sum(axis=0))
    if n == 0:
        raise UndefinedError(reason, repeats.total.n)
    annotators = _histogram(repeats.annotators, good, of)
    rate = win_rate_from_sums(n, total, total, items, annotators, confidence=confidence)
    method = rate.method.replace("mean score", what).replace("votes", "repeats")
    return replace(rate, method=method.replace("one vote", "one repeat"))


def _histogram(rows: Ints, good: tuple[int, ...], of: tuple[int, ...]) -> Ints:
    table = np.stack(
        [rows[:, list(of)].sum(axis=1), rows[:, list(good)].sum(axis=1), rows[:, COLUMNS]], axis=1
    )
    return np.asarray(table[table[:, 0] > 0])
