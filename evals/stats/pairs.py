"""What stands beside kappa: Scott's pi, prevalence, bias, and kappa at an even prevalence.

Kappa falls where nearly everything is put into one category, and rises where two annotators
use the categories unlike one another, however often they agree. These numbers say how much
of either there is. All of many pairs in one call.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, inside
from evals.stats.distributions import normal_quantile
from evals.stats.estimates import Estimate, Undefined
from evals.stats.kappa import checked_tables, disagreement_weights, why_undefined
from evals.stats.proportions import clopper_pearson_limits

NOTHING_SHARED = "they share no items"
# Rounding leaves about 1e-17 where every item has the same influence.
NO_SPREAD = 1e-12


@dataclass(frozen=True)
class Prevalence:
    """How far the answers of a pair lie in one category.

    Attributes
    ----------
    category : int
        The category that both together use most (the first of equals).
    share : float
        Its share of the answers of both.
    chance : float
        How often both would agree by chance, from the use that each makes of the categories.
    index : Estimate or Undefined
    """

    category: int
    share: float
    chance: float
    index: Estimate | Undefined


def prevalence_pairs(tables: npt.ArrayLike, *, confidence: float = 0.95) -> list[Prevalence]:
    """How far the answers of each pair lie in one category.

    Parameters
    ----------
    tables : (P, k, k) array of counts
        Items by what annotator 1 (rows) and annotator 2 (columns) chose; k at least 2.
    confidence : float
        Coverage of the interval value ± z·se, clipped to [0, 1].

    Returns
    -------
    list of P Prevalence
        `index` is (k·m − 1)/(k − 1), m being the share of the most used category among the
        answers of both: 0 where all are used alike, 1 where there is no other. With two
        categories it is the prevalence index |a − d|/n; `n` counts items.

    References
    ----------
    T. Byrt, J. Bishop, J. B. Carlin, J. Clin. Epidemiol. 46 (1993), 423-429, for k = 2.
    """
    z = normal_quantile(inside(confidence, "the confidence"))
    stack, shares, n = _shares(tables)
    size = stack.shape[1]
    rows, columns = shares.sum(axis=2), shares.sum(axis=1)
    used = (rows + columns) / 2
    found = []
    for i in range(len(n)):
        top = int(used[i].argmax())
        # Of an item none, one or both of the answers are the category.
        hits = (np.eye(size)[top][:, None] + np.eye(size)[top][None, :]) / 2
        value, se = _mean_and_se(shares[i], hits, n[i])
        scale = size / (size - 1)
        index = _estimate(
            (size * value - 1) / (size - 1), scale * se, int(n[i]), "prevalence index",
            confidence, z, (0.0, 1.0),
        )  # fmt: skip
        found.append(Prevalence(top, float(used[i, top]), float(rows[i] @ columns[i]), index))
    return found


def bias_pairs(tables: npt.ArrayLike, *, confidence: float = 0.95) -> list[Estimate | Undefined]:
    """How unlike each pair uses the categories, whatever the item.

    Parameters
    ----------
    tables, confidence
        As for `prevalence_pairs`.

    Returns
    -------
    list of P Estimate or Undefined
        Half the sum over categories of the difference of both shares: 0 where both use all
        alike, 1 where they share none. With two categories it is the bias index |b − c|/n.
        The interval takes the direction of each difference as given, so it is rough near 0.

    References
    ----------
    T. Byrt, J. Bishop, J. B. Carlin, J. Clin. Epidemiol. 46 (1993), 423-429, for k = 2.
    """
    z = normal_quantile(inside(confidence, "the confidence"))
    stack, shares, n = _shares(tables)
    answers: list[Estimate | Undefined] = []
    for counted, table, items in zip(stack, shares, n, strict=True):
        # Of counts: where both use a category alike, rounding must not give it a direction.
        direction = np.sign(counted.sum(axis=1) - counted.sum(axis=0))
        leaning = (direction[:, None] - direction[None, :]) / 2
        value, se = _mean_and_se(table, leaning, items)
        answers.append(_estimate(value, se, int(items), "bias index", confidence, z, (0.0, 1.0)))
    return answers


def even_kappa_pairs(
    tables: npt.ArrayLike, *, confidence: float = 0.95
) -> list[Estimate | Undefined]:
    """The kappa of each pair if all categories had been used alike.

    Parameters
    ----------
    tables, confidence
        As for `prevalence_pairs`.

    Returns
    -------
    list of P Estimate or Undefined
        (k·p − 1)/(k − 1) of the share p of agreeing items, with the ends of its exact
        interval. With two categories it is the prevalence- and bias-adjusted kappa, 2p − 1.

    References
    ----------
    R. L. Brennan, D. J. Prediger, Educ. Psychol. Meas. 41 (1981), 687-699.
    """
    level = inside(confidence, "the confidence")
    stack, shares, n = _shares(tables)
    size = stack.shape[1]
    name = "kappa at an even use of the categories (Brennan & Prediger)"
    answers: list[Estimate | Undefined] = []
    for table, items in zip(shares, n, strict=True):
        if items == 0:
            answers.append(Undefined(NOTHING_SHARED, 0, name))
            continue
        share = min(1.0, float(np.trace(table)))
        ends = clopper_pearson_limits(share * int(items), int(items), level)
        value, low, high = ((size * p - 1) / (size - 1) for p in (share, *ends))
        method = f"{name}; from the Clopper-Pearson interval of agreement"
        answers.append(Estimate(value, low, high, int(items), method, confidence))
    return answers


def scott_pairs(
    tables: npt.ArrayLike,
    *,
    labels: Sequence[str] | None = None,
    confidence: float = 0.95,
) -> list[Estimate | Undefined]:
    """Scott's pi of every pair at once: chance agreement from their pooled use of categories.

    Parameters
    ----------
    tables, confidence
        As for `prevalence_pairs`; the interval is value ± z·se, clipped to [-1, 1].
    labels : k words, optional
        What the categories are called in a reason ("the candidate").

    Returns
    -------
    list of P Estimate or Undefined
        The value of `scott_pi`; `se` is that of the mean influence of an item. Undefined
        where there are no items, or both used one and the same category only.

    References
    ----------
    W. A. Scott, Public Opin. Q. 19 (1955), 321-325; F. R. Hampel, J. Am. Stat. Assoc. 69
    (1974), 383-393, for the standard error.
    """
    z = normal_quantile(inside(confidence, "the confidence"))
    stack, shares, n = _shares(tables)
    distance = disagreement_weights(stack.shape[1], "unweighted")
    answers: list[Estimate | Undefined] = []
    for table, items in zip(shares, n, strict=True):
        used = (table.sum(axis=1) + table.sum(axis=0)) / 2
        expected = float(used @ distance @ used)
        # A shade above 0 is rounding: one category, used by both, has the share 1.
        if items == 0 or expected < NO_SPREAD:
            answers.append(
                Undefined(why_undefined(table, int(items), labels), int(items), "Scott's pi")
            )
            continue
        observed = float((table * distance).sum())
        reach = distance @ used
        pull = reach[:, None] + reach[None, :] - 2 * expected
        influence = -(distance - observed - observed / expected * pull) / expected
        _, se = _mean_and_se(table, influence, items)
        value = 1 - observed / expected
        answers.append(
            _estimate(value, se, int(items), "Scott's pi", confidence, z, (-1.0, 1.0))
        )  # fmt: skip
    return answers


def _shares(tables: npt.ArrayLike) -> tuple[Floats, Floats, Floats]:
    stack = checked_tables(tables)
    n = stack.sum(axis=(1, 2))
    return stack, stack / np.maximum(n, 1)[:, None, None], n


def _mean_and_se(shares: Floats, values: Floats, n: float) -> tuple[float, float]:
    """Mean over the items of a table of what each cell is worth, and its standard error."""
    mean = float((shares * values).sum())
    return mean, float(np.sqrt((shares * (values - mean) ** 2).sum() / max(n, 1)))


def _estimate(
    value: float,
    se: float,
    n: int,
    name: str,
    confidence: float,
    z: float,
    ends: tuple[float, float],
) -> Estimate | Undefined:
    if n == 0:
        return Undefined(NOTHING_SHARED, 0, name)
    if se < NO_SPREAD:
        method = f"{name}; no spread, so no interval"
        return Estimate(value, None, None, n, method, confidence, se=0.0)
    low, high = max(ends[0], value - z * se), min(ends[1], value + z * se)
    return Estimate(value, low, high, n, f"{name}; ± z·se", confidence, se=se)
