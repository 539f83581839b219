"""Does the longer output win because it is longer? A diagnostic, never a verdict."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, array, inside
from evals.stats.distributions import student_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined

# Below this share of pairs in which the system that is mostly shorter is the longer one, the
# rate at equal length would be read off where hardly a pair lies.
LEAST_SHARE = 0.1
LEAST_ITEMS = 20
MAX_STEPS = 50
SMALL_STEP = 1e-9
# A slope beyond this is no estimate: length (or side) foretells every choice.
LARGEST_SLOPE = 20.0
METHOD = (
    "logistic regression of decided judgements on tanh(length difference / its standard "
    "deviation) and side, at difference zero, clustered by item"
)


@dataclass(frozen=True)
class LengthFit:
    """What length explains.

    Attributes
    ----------
    at_equal : Estimate or Undefined
        Win rate of the candidate among decided judgements, were both outputs equally long.
    slope : Estimate or Undefined
        Change of the log-odds that the candidate wins for one unit of tanh(difference / sd).
    overlap : float
        Share of items in which the system that is mostly shorter has the longer output.
    items : int
        Items with a decided judgement.
    """

    at_equal: Estimate | Undefined
    slope: Estimate | Undefined
    overlap: float
    items: int


def length_fit(rows: npt.ArrayLike, confidence: float = 0.95) -> LengthFit:
    """Fit how the preference follows length.

    Parameters
    ----------
    rows : (H, 8) array of whole numbers
        One for each distinct kind of item: length of the candidate's output minus the
        baseline's, then wins and losses of the candidate when it stood left, right, and where
        its side is unknown, then how many such items there are.
    confidence : float
        Coverage of the intervals, in (0, 1).

    Returns
    -------
    LengthFit
        Its numbers are `Undefined` with fewer than 20 items, where all differences are alike,
        where the lengths of the two systems hardly overlap (below 10 % of items), or where
        length or side foretell every choice.

    Raises
    ------
    UndefinedError
        If the rows are malformed.

    Notes
    -----
    logit P(candidate wins | decided) = b0 + b1·tanh(d/sd) + b2·side, side being ±1/2; the
    rate at equal length is logistic(b0). Covariance: sandwich, scores summed by item, times
    G/(G-1); intervals with Student's t on G-1 degrees of freedom.

    References
    ----------
    Dubois, Galambosi, Liang & Hashimoto, "Length-Controlled AlpacaEval" (2024), in its form
    without the difficulty of prompts; Liang & Zeger, Biometrika 73 (1986), 13-22.
    """
    table, level = _checked(rows), inside(confidence, "the confidence")
    differences, times = table[:, 0], table[:, 7]
    items = int(times.sum())
    overlap = _overlap(differences, times)
    if reason := _why_not(differences, items, overlap):
        nothing = Undefined(reason, int((table[:, 1:7].sum(axis=1) * times).sum()))
        return LengthFit(nothing, nothing, overlap, items)
    try:
        at_equal, slope = _estimates(table, level)
    except UndefinedError as error:
        nothing = Undefined(error.reason, error.n)
        return LengthFit(nothing, nothing, overlap, items)
    return LengthFit(at_equal, slope, overlap, items)


def _checked(rows: npt.ArrayLike) -> Floats:
    table = array(rows, "the lengths", 2)
    if table.size == 0:
        return np.zeros((0, 8))
    if table.shape[1] != 8:
        raise UndefinedError("every row of the lengths must have eight numbers")
    if (table[:, 1:] < 0).any() or (table != np.floor(table)).any():
        raise UndefinedError("the lengths: every count must be a whole number of at least 0")
    return np.asarray(table[(table[:, 1:7].sum(axis=1) > 0) & (table[:, 7] > 0)])


def _overlap(differences: Floats, times: Floats) -> float:
    """Share of items in which the system with fewer longer outputs has the longer one."""
    if not times.sum():
        return 0.0
    longer = [float(times[differences > 0].sum()), float(times[differences < 0].sum())]
    return min(longer) / float(times.sum())


def _why_not(differences: Floats, items: int, overlap: float) -> str:
    if items < LEAST_ITEMS:
        return f"there are {items} items with a decided judgement, and {LEAST_ITEMS} are needed"
    if (differences == differences[0]).all():
        return "the difference of length is the same in all pairs"
    if overlap < LEAST_SHARE:
        return (
            f"the system that is mostly shorter has the longer output in {100 * overlap:.0f} % of "
            f"items; below {100 * LEAST_SHARE:.0f} % this would be read off where hardly a pair is"
        )
    return ""


def _estimates(table: Floats, confidence: float) -> tuple[Estimate, Estimate]:
    features, wins, losses, item, times = _cells(table)
    n = int((wins + losses) @ times)
    weights = times * (wins + losses)
    values = _maximum(features, wins * times, weights, n)
    covariance = _sandwich(features, (wins, losses), item, times, values)
    groups = int(table[:, 7].sum())
    # Where both votes of every item agree, the variance of side is 0 but for rounding.
    spread = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    wide = student_quantile(confidence, groups - 1) * spread
    low, middle, high = (_logistic(values[0] + side * wide[0]) for side in (-1, 0, 1))
    at_equal = Estimate(float(middle), float(low), float(high), n, METHOD, confidence)
    slope = Estimate(
        float(values[1]),
        float(values[1] - wide[1]),
        float(values[1] + wide[1]),
        n,
        METHOD,
        confidence,
        se=float(np.sqrt(covariance[1, 1])),
    )
    return at_equal, slope


def _cells(table: Floats) -> tuple[Floats, Floats, Floats, npt.NDArray[np.intp], Floats]:
    """Features, wins and losses of every item on every side, its row, and how often it occurs."""
    differences, times = table[:, 0], table[:, 7]
    mean = float(differences @ times) / float(times.sum())
    spread = float(np.sqrt(((differences - mean) ** 2) @ times / (times.sum() - 1)))
    lengths = np.tanh(differences / spread)
    sides = np.array([0.5, -0.5, 0.0])
    by_length = np.repeat(lengths[:, None], 3, axis=1)
    by_side = np.tile(sides, (len(table), 1))
    features = np.stack([np.ones_like(by_side), by_length, by_side], axis=2).reshape(-1, 3)
    wins, losses = table[:, 1:7:2].ravel(), table[:, 2:7:2].ravel()
    item, used = np.repeat(np.arange(len(table)), 3), wins + losses > 0
    features, wins, losses, item = features[used], wins[used], losses[used], item[used]
    if (features[:, 2] == features[0, 2]).all():
        # One side only, or none known: there is nothing to hold apart.
        features = features[:, :2]
    return features, wins, losses, item, times[item]


def _maximum(features: Floats, wins: Floats, weights: Floats, n: int) -> Floats:
    values = np.zeros(features.shape[1])
    for _ in range(MAX_STEPS):
        chance = _logistic(features @ values)
        gradient = features.T @ (wins - weights * chance)
        step = np.linalg.lstsq(_curvature(features, weights, chance), gradient, rcond=None)[0]
        values = values + step * min(1.0, 4 / max(np.abs(step).max(), 1e-300))
        if np.abs(values).max() > LARGEST_SLOPE:
            break
        if np.abs(step).max() < SMALL_STEP:
            return np.asarray(values)
    raise UndefinedError("length or side foretell the choices so well that no fit settles", n)


def _curvature(features: Floats, weights: Floats, chance: Floats) -> Floats:
    return np.asarray(features.T @ (features * (weights * chance * (1 - chance))[:, None]))


def _sandwich(
    features: Floats,
    votes: tuple[Floats, Floats],
    item: npt.NDArray[np.intp],
    times: Floats,
    values: Floats,
) -> Floats:
    wins, losses = votes
    chance = _logistic(features @ values)
    scores = np.zeros((int(item.max()) + 1, features.shape[1]))
    np.add.at(scores, item, features * (wins - (wins + losses) * chance)[:, None])
    often = np.zeros(len(scores))
    often[item] = times
    groups = float(often.sum())
    meat = scores.T @ (scores * often[:, None]) * groups / (groups - 1)
    bread = np.linalg.pinv(_curvature(features, times * (wins + losses), chance))
    return np.asarray(bread @ meat @ bread)


def _logistic(value: Floats) -> Floats:
    # tanh does not overflow.
    return np.asarray(0.5 + 0.5 * np.tanh(np.asarray(value) / 2))
