"""Win rate and left share: shares of votes that repeat items and annotators.

The naive interval of N votes covers 45 to 88 % instead of 95 % as soon as items have
several votes or annotators repeat; the variance here is clustered both ways.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import array, inside
from evals.stats.clusters import codes_of
from evals.stats.distributions import normal_quantile, student_quantile, student_two_sided
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.proportions import clopper_pearson_limits, clopper_pearson_p, wilson_limits
from evals.stats.vote_sums import (
    ROUNDING,
    Clustering,
    VoteSums,
    clustered_variance,
    clustering_of,
    sums_of_histograms,
    sums_of_votes,
)

# Share, effective votes, confidence and degrees of freedom: both limits, and whose they are.
Limits = Callable[[float, float, float, int], tuple[float, float, str]]
BOTH = "item_and_annotator"
# What is named by its clustering is as the literature has it, whatever it covers.
WITH_WILSON = ("item", BOTH)


@dataclass(frozen=True)
class ClusteredRate(Estimate):
    """A share of votes with its clustered interval.

    Attributes
    ----------
    n_eff : float
        Independent votes that would say as much.
    df : int or None
        Degrees of freedom of Student's t; None where the interval is the exact one.
    p_value : float or None
        Two-sided test against the null share; None where there is nothing to divide by.
    clustering : str
        By what votes were taken to go together, in words.
    """

    n_eff: float = 0.0
    df: int | None = None
    p_value: float | None = None
    clustering: str = ""

    @property
    def is_unanimous(self) -> bool:
        """All votes alike, so that no variance tells of clustering."""
        return self.df is not None and self.value in (0.0, 1.0)

    def statistic_against(self, p0: float) -> float | None:
        """Distance to `p0` in standard errors; None where there is nothing to divide by."""
        # Below rounding the clusters do not differ at all.
        if self.df is None or self.se is None or self.se <= ROUNDING:
            return None
        return (self.value - p0) / self.se

    def p_against(self, p0: float) -> float | None:
        """Two-sided p-value of the share `p0`."""
        if self.df is not None and self.is_unanimous:
            # Votes within a cluster may all be one opinion, so only clusters count as trials.
            return min(1.0, 2 * (p0 if self.value == 1 else 1 - p0) ** (self.df + 1))
        if self.df is None:
            return clopper_pearson_p(self.value * self.n, self.n, p0)
        statistic = self.statistic_against(p0)
        return None if statistic is None else student_two_sided(statistic, self.df)


def win_rate_from_sums(
    n: int,
    total: float,
    total_squares: float,
    item_hist: npt.ArrayLike,
    annotator_hist: npt.ArrayLike,
    *,
    cell_hist: npt.ArrayLike | None = None,
    cluster: str = "auto",
    confidence: float = 0.95,
    p0: float = 0.5,
) -> ClusteredRate:
    """Mean score of N votes, from sums that a database can make.

    Parameters
    ----------
    n : int
        Votes.
    total, total_squares : float
        Sum of the scores (win 1, tie ½, loss 0) and of their squares.
    item_hist, annotator_hist : (H, 3) arrays
        Rows (votes, score sum, number of items or annotators with just these).
    cell_hist : (H, 3) array, optional
        The same by (item, annotator); only needed where someone judged an item twice.
    cluster : {"auto", "item_and_annotator", "item", "item_or_exact"}
        Auto clusters both ways; with fewer than 5 annotators (then it speaks for these only)
        as "item_or_exact": by item alone with the interval of Korn and Graubard, and not at
        all where no item has a second vote. By item, or both ways: Wilson's with t.
    confidence : float
        Two-sided coverage, in (0, 1).
    p0 : float
        Share under test, in (0, 1).

    Returns
    -------
    ClusteredRate
        Shares in [0, 1]; `n` counts votes.

    Raises
    ------
    UndefinedError
        If there are no votes, a clustering has a single cluster, or the sums contradict
        each other.

    References
    ----------
    Variance: A. C. Cameron, J. B. Gelbach, D. L. Miller, JBES 29 (2011), 238-249.
    Interval: E. L. Korn, B. I. Graubard, Surv. Methodol. 24 (1998), 193-201; J. N. K. Rao,
    A. J. Scott, Biometrics 48 (1992), 577-585; E. B. Wilson, JASA 22 (1927), 209-212; of single
    votes: C. J. Clopper, E. S. Pearson, Biometrika 26 (1934), 404-413.
    """
    sums = sums_of_histograms(n, total, total_squares, item_hist, annotator_hist, cell_hist)
    return _rate(sums, cluster, confidence, p0)


def clustered_win_rate(
    items: Any,
    annotators: Any,
    scores: npt.ArrayLike,
    *,
    cluster: str = "auto",
    confidence: float = 0.95,
    p0: float = 0.5,
) -> ClusteredRate:
    """Mean score of votes, clustered by item and annotator.

    Parameters
    ----------
    items, annotators : (N,) sequences
        Whose vote it is, on what; numbers or words.
    scores : (N,) array
        Win 1, tie ½, loss 0; anything in [0, 1].
    cluster, confidence, p0
        As for `win_rate_from_sums`.

    Returns, Raises, References
    ---------------------------
    As for `win_rate_from_sums`.
    """
    values = array(scores, "the scores")
    item_codes, annotator_codes = codes_of(items, "items"), codes_of(annotators, "annotators")
    if not len(values) == len(item_codes) == len(annotator_codes):
        raise UndefinedError("items, annotators and scores differ in length")
    if len(values) == 0:
        raise UndefinedError("there are no votes")
    if values.min() < 0 or values.max() > 1:
        raise UndefinedError("a score lies outside 0 to 1", len(values))
    return _rate(sums_of_votes(item_codes, annotator_codes, values), cluster, confidence, p0)


def clustered_left_share(
    items: Any,
    annotators: Any,
    chose_left: npt.ArrayLike,
    *,
    cluster: str = "auto",
    confidence: float = 0.95,
) -> ClusteredRate:
    """Share of decided votes for the left output, and the test that it is one half.

    Parameters
    ----------
    items, annotators, cluster, confidence
        As for `clustered_win_rate`.
    chose_left : (N,) array
        1 left, 0 right; ties carry no side and are left out.

    Returns, Raises, References
    ---------------------------
    As for `clustered_win_rate`; also if a vote is neither 0 nor 1.
    """
    values = array(chose_left, "the choices")
    if ((values != 0) & (values != 1)).any():
        raise UndefinedError("a choice must be 1 (left) or 0 (right)", len(values))
    return clustered_win_rate(items, annotators, values, cluster=cluster, confidence=confidence)


def _rate(sums: VoteSums, cluster: str, confidence: float, p0: float) -> ClusteredRate:
    level, null = inside(confidence, "the confidence"), inside(p0, "p0")
    chosen = clustering_of(sums, cluster)
    limits = _wilson if cluster in WITH_WILSON or chosen.by == BOTH else _korn_graubard
    if chosen.by == "none":
        rate = _plain(sums, level, chosen)
    elif sums.mean in (0.0, 1.0):
        rate = _unanimous(sums, level, chosen, limits)
    else:
        rate = _clustered(sums, level, chosen, limits)
    return replace(rate, p_value=rate.p_against(null))


def _wilson(p: float, n_eff: float, level: float, df: int) -> tuple[float, float, str]:
    return *wilson_limits(p, n_eff, student_quantile(level, df)), "Wilson"


def _korn_graubard(p: float, n_eff: float, level: float, df: int) -> tuple[float, float, str]:
    """Exact for so many trials, fewer where the spread is known from few clusters."""
    trials = n_eff * (normal_quantile(level) / student_quantile(level, df)) ** 2
    return *clopper_pearson_limits(p * trials, trials, level), "Korn-Graubard"


def _clustered(sums: VoteSums, level: float, chosen: Clustering, limits: Limits) -> ClusteredRate:
    p, n, df = sums.mean, sums.n, chosen.smallest - 1
    variance = clustered_variance(sums, chosen.by)
    design_effect = max(1.0, variance / (p * (1 - p) / n))
    n_eff = n / design_effect
    low, high, name = limits(p, n_eff, level, df)
    method = (
        f"mean score, {chosen.label}; {name} on {n_eff:,.0f} effective votes, "
        f"t with {df} degrees of freedom"
    )
    return ClusteredRate(
        p, low, high, n, method, level, float(np.sqrt(variance)), design_effect,
        exact=limits is _korn_graubard, n_eff=n_eff, df=df, clustering=chosen.label,
    )  # fmt: skip


def _unanimous(sums: VoteSums, level: float, chosen: Clustering, limits: Limits) -> ClusteredRate:
    """All wins or all losses: the residuals are zero and say nothing of clustering."""
    p, items, df = sums.mean, sums.items.size, chosen.smallest - 1
    is_exact = limits is _korn_graubard
    if is_exact:
        # No spread was taken from the items, so that nothing is lost by taking it from few.
        low, high = clopper_pearson_limits(p * items, items, level)
        name = f"Clopper-Pearson with the {items:,} items as votes"
    else:
        low, high, whose = limits(p, items, level, df)
        name = f"{whose} with the {items:,} items as votes, t with {df} degrees of freedom"
    return ClusteredRate(
        p, low, high, sums.n, f"mean score, all votes alike, {chosen.label}; {name}", level,
        0.0, sums.n / items, exact=is_exact, n_eff=float(items), df=df, clustering=chosen.label,
    )  # fmt: skip


def _plain(sums: VoteSums, level: float, chosen: Clustering) -> ClusteredRate:
    p, n = sums.mean, sums.n
    low, high = clopper_pearson_limits(p * n, n, level)
    se = float(np.sqrt(max(0.0, sums.total_squares / n - p**2) / max(1, n - 1)))
    return ClusteredRate(
        p, low, high, n, f"mean score, {chosen.label}; Clopper-Pearson interval", level, se, 1.0,
        exact=True, n_eff=float(n), df=None, clustering=chosen.label,
    )  # fmt: skip
