"""Agreement coefficients of many resamples at once.

Every function takes the distinct rows of the items and a (B, U) array that says how often
each row occurs in each of B samples, and answers B numbers; NaN (inside this room only)
marks a sample in which the coefficient does not exist.
"""

from collections.abc import Callable

import numpy as np

from evals.stats.checks import Floats
from evals.stats.ratings import UnitRows

Coefficient = Callable[[UnitRows, Floats], Floats]


def _ratio(over: Floats, under: Floats) -> Floats:
    return np.asarray(np.divide(over, under, out=np.full(under.shape, np.nan), where=under > 0))


def percent(rows: UnitRows, samples: Floats) -> Floats:
    """Mean over items with two ratings or more of the share of agreeing pairs."""
    return _ratio(samples @ (rows.agreeing * rows.paired), samples @ rows.paired)


def fleiss(rows: UnitRows, samples: Floats) -> Floats:
    """Fleiss' kappa; all rows must have the same number of ratings.

    References: J. L. Fleiss, Psychol. Bull. 76 (1971), 378-382.
    """
    totals = samples @ rows.counts
    everything = np.maximum(totals.sum(axis=1), 1)
    # The chance of two different ratings, without a subtraction from 1.
    differing = (totals * (everything[:, None] - totals)).sum(axis=1) / everything**2
    observed = _ratio(samples @ (1 - rows.agreeing), samples.sum(axis=1))
    return 1 - _ratio(observed, differing)


def alpha_nominal(rows: UnitRows, samples: Floats) -> Floats:
    """Krippendorff's alpha, every difference counting alike.

    References: K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011).
    """
    paired = samples * rows.paired
    totals = paired @ rows.counts
    n = totals.sum(axis=1)
    observed = paired @ (rows.sizes * (1 - rows.agreeing))
    expected = (totals * (n[:, None] - totals)).sum(axis=1)
    return 1 - _ratio((n - 1) * observed, expected)


def alpha_interval(rows: UnitRows, samples: Floats) -> Floats:
    """Krippendorff's alpha, differences counting by their square on the scale."""
    places = np.broadcast_to(_scaled(rows.positions), (len(samples), rows.counts.shape[1]))
    return _alpha_on(places, rows, samples)


def alpha_ordinal(rows: UnitRows, samples: Floats) -> Floats:
    """Krippendorff's alpha, differences counting by the square of the ranks between.

    The distance of two categories is that of their mid-ranks among the pairable
    ratings of the sample, so each sample has its own scale.
    """
    totals = (samples * rows.paired) @ rows.counts
    ranks = np.cumsum(totals, axis=1) - totals / 2
    return _alpha_on(ranks / np.maximum(totals.sum(axis=1), 1)[:, None], rows, samples)


def gwet_ac1(rows: UnitRows, samples: Floats) -> Floats:
    """Gwet's AC1 over the k categories of the scale.

    References: K. L. Gwet, Br. J. Math. Stat. Psychol. 61 (2008), 29-48.
    """
    size = rows.counts.shape[1]
    prevalence = _ratio_rows(samples @ (rows.counts / rows.sizes[:, None]), samples)
    chance = (prevalence * (1 - prevalence)).sum(axis=1) / max(size - 1, 1)
    # With one category chance is 0 and the number would be 1 by definition, not by evidence.
    apart = 1 - percent(rows, samples)
    return 1 - _ratio(apart, np.full(len(samples), 1.0 if size > 1 else 0.0) * (1 - chance))


def _ratio_rows(over: Floats, samples: Floats) -> Floats:
    return np.asarray(over / np.maximum(samples.sum(axis=1), 1)[:, None])


def _scaled(places: Floats) -> Floats:
    # Alpha does not change with origin and unit; the arithmetic is steadier near 0.
    if places.size == 0:
        return places
    spread = float(places.max() / 2 - places.min() / 2)
    return np.asarray((places / 2 - (places.max() / 4 + places.min() / 4)) / (spread or 1.0))


def _alpha_on(places: Floats, rows: UnitRows, samples: Floats) -> Floats:
    """Alpha with squared distances between the places (B, k) of the categories."""
    paired = samples * rows.paired
    totals = paired @ rows.counts
    n = totals.sum(axis=1)
    centre = _ratio((totals * places).sum(axis=1), n)
    offsets = places - np.nan_to_num(centre)[:, None]
    expected = 2 * n * (totals * offsets**2).sum(axis=1)
    sums, squares = offsets @ rows.counts.T, offsets**2 @ rows.counts.T
    others = np.maximum(rows.sizes - 1, 1)
    within = np.maximum(rows.sizes * squares - sums**2, 0.0)
    observed = 2 * (paired * within / others).sum(axis=1)
    used = (totals > 0).sum(axis=1)
    return 1 - _ratio((n - 1) * observed, np.where(used > 1, expected, 0.0))
