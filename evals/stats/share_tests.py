"""Tests of a win rate: against no preference, and against the share that was agreed.

The clustered test goes with the clustered interval; the exact ones need one judgement for
each item, and take these as independent.
"""

from dataclasses import dataclass

from evals.stats.checks import count, inside
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Json, Undefined
from evals.stats.paired import mcnemar_mid_p
from evals.stats.preference import ClusteredRate
from evals.stats.proportions import binomial_test_exact

HALF = 0.5


@dataclass(frozen=True)
class ShareTest:
    """A two-sided test that a share is `null`.

    Attributes
    ----------
    null : float
        The share under test, in (0, 1).
    p_value : float
        How rarely a result as far off would be seen if `null` were true.
    n : int
        Judgements that were tested.
    method : str
        Sides, law and clustering, in words.
    statistic : float or None
        Distance in standard errors; None where the test is exact.
    df : int or None
        Degrees of freedom of Student's t.
    mid_p : float or None
        Of the sign test: the less cautious version, which counts equally rare splits half.
    """

    null: float
    p_value: float
    n: int
    method: str
    statistic: float | None = None
    df: int | None = None
    mid_p: float | None = None

    def as_json(self) -> Json:
        """As the commands print it."""
        answer: Json = {"null": self.null, "p_value": self.p_value, "n": self.n}
        answer |= {"method": self.method, "statistic": self.statistic, "df": self.df}
        return answer if self.mid_p is None else answer | {"mid_p": self.mid_p}


def clustered_test(rate: ClusteredRate, p0: float = HALF) -> ShareTest:
    """Whether a clustered win rate differs from `p0`, by the same clusters as its interval.

    Parameters
    ----------
    rate : ClusteredRate
        Of `clustered_win_rate` or `win_rate_from_sums`.
    p0 : float
        Share under test, in (0, 1).

    Returns
    -------
    ShareTest
        T = (p - p0)/√V against Student's t with one degree of freedom less than clusters of
        the fewer kind. If all votes are alike V is zero, and the clusters are the trials of a
        sign test. No item with a second vote and fewer than 5 annotators: twice the smaller
        tail of the binomial law, which goes with the exact interval.

    Raises
    ------
    UndefinedError
        If the clusters do not differ at all.

    References
    ----------
    A. C. Cameron, J. B. Gelbach, D. L. Miller, JBES 29 (2011), 238-249; R. M. Bell,
    D. F. McCaffrey, Surv. Methodol. 28 (2002), 169-181 (degrees of freedom by clusters).
    """
    null = inside(p0, "p0")
    p_value = rate.p_against(null)
    if p_value is None:
        raise UndefinedError("the clusters do not differ at all: there is no spread to test by")
    if rate.is_unanimous:
        trials = (rate.df or 0) + 1
        method = f"two-sided, all judgements alike: sign test with {trials:,} clusters as trials"
        return ShareTest(null, p_value, rate.n, f"{method}, {rate.clustering}")
    statistic = rate.statistic_against(null)
    if rate.df is None:
        method = f"two-sided, {rate.clustering}: twice the smaller binomial tail"
        return ShareTest(null, p_value, rate.n, method)
    method = f"two-sided, {rate.clustering}, t with {rate.df} degrees of freedom"
    return ShareTest(null, p_value, rate.n, method, statistic, rate.df)


def sign_test(wins: int, losses: int, p0: float = HALF) -> ShareTest:
    """Whether decided judgements, one on each item, are split as `p0` says; exact.

    Parameters
    ----------
    wins, losses : int
        Items on which the one judgement was for the candidate, and for the baseline; ties
        are left out.
    p0 : float
        Share of wins under test, in (0, 1).

    Raises
    ------
    UndefinedError
        If nothing was decided, or the input is impossible.

    References
    ----------
    W. J. Dixon, A. M. Mood, JASA 41 (1946), 557-566; mid-p: M. W. Fagerland, S. Lydersen,
    P. Laake, BMC Med. Res. Methodol. 13 (2013), 91.
    """
    won, lost = count(wins, "the number of wins"), count(losses, "the number of losses")
    null, n = inside(p0, "p0"), won + lost
    if not n:
        raise UndefinedError("nothing was decided")
    p_value = binomial_test_exact(won, n, null)
    on = "decided judgements, one on each item"
    if null != HALF:
        return ShareTest(null, p_value, n, f"two-sided exact binomial test on {on}")
    mid_p = mcnemar_mid_p([[0, won], [lost, 0]])
    return ShareTest(null, p_value, n, f"two-sided exact sign test on {on}", mid_p=mid_p)


def at_odds(rate: Estimate | Undefined, test: ShareTest | Undefined) -> bool:
    """Whether the interval holds the share that the test rejects, or the other way round."""
    if isinstance(rate, Undefined) or isinstance(test, Undefined):
        return False
    if rate.low is None or rate.high is None:
        return False
    held = rate.low <= test.null <= rate.high
    return held != (test.p_value > round(1 - rate.confidence, 12))
