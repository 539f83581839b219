"""Several tests at once: which findings survive?"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, inside
from evals.stats.errors import UndefinedError


@dataclass(frozen=True)
class Adjusted:
    """p-values corrected for their number.

    Attributes
    ----------
    p_values : tuple of float
        Adjusted, in the order given.
    rejected : int
        How many are at most `alpha`.
    """

    p_values: tuple[float, ...]
    rejected: int
    alpha: float
    method: str


def _checked(p_values: npt.ArrayLike) -> Floats:
    values = array(p_values, "the p-values")
    if values.size == 0:
        raise UndefinedError("there are no p-values")
    if values.min() < 0 or values.max() > 1:
        raise UndefinedError("a p-value lies outside 0 to 1", values.size)
    return values


def _adjusted(ordered: Floats, order: npt.NDArray[np.intp], alpha: float, name: str) -> Adjusted:
    values = np.empty_like(ordered)
    values[order] = np.minimum(ordered, 1.0)
    return Adjusted(tuple(values.tolist()), int((values <= alpha).sum()), alpha, name)


def holm(p_values: npt.ArrayLike, alpha: float = 0.05) -> Adjusted:
    """Control the chance of any false finding, by stepping down from the smallest p.

    Parameters
    ----------
    p_values : (m,) array
        In any order, each in [0, 1].
    alpha : float
        Level, in (0, 1).

    Raises
    ------
    UndefinedError
        If there are none, or one is no probability.

    References
    ----------
    S. Holm, Scand. J. Stat. 6 (1979), 65-70.
    """
    values, level = _checked(p_values), inside(alpha, "alpha")
    # In which order equal ones stand makes no difference.
    order = np.argsort(values)
    steps = values[order] * np.arange(values.size, 0, -1)
    return _adjusted(np.maximum.accumulate(steps), order, level, "Holm")


def _step_up(values: Floats, alpha: float, factor: float, name: str) -> Adjusted:
    order = np.argsort(values)
    steps = values[order] * values.size * factor / np.arange(1, values.size + 1)
    return _adjusted(np.minimum.accumulate(steps[::-1])[::-1], order, alpha, name)


def benjamini_hochberg(p_values: npt.ArrayLike, alpha: float = 0.05) -> Adjusted:
    """Control the expected share of false findings among the findings.

    Parameters and Raises as for `holm`.

    References
    ----------
    Y. Benjamini, Y. Hochberg, JRSS B 57 (1995), 289-300.
    """
    return _step_up(_checked(p_values), inside(alpha, "alpha"), 1.0, "Benjamini-Hochberg")


def benjamini_yekutieli(p_values: npt.ArrayLike, alpha: float = 0.05) -> Adjusted:
    """As `benjamini_hochberg`, valid under any dependence between the tests.

    Parameters and Raises as for `holm`.

    References
    ----------
    Y. Benjamini, D. Yekutieli, Ann. Stat. 29 (2001), 1165-1188.
    """
    values = _checked(p_values)
    factor = float((1 / np.arange(1, values.size + 1)).sum())
    return _step_up(values, inside(alpha, "alpha"), factor, "Benjamini-Yekutieli")
