"""Did the new system lose anything? Category by category, without crying wolf.

Three answers. *Regressed*: more cases were lost than chance explains, and more than is tolerated.
*No regression shown*: a loss beyond the margin is ruled out. *Not enough cases*: neither.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy.typing as npt

from evals.stats.checks import count, inside, square, within
from evals.stats.distributions import binomial_at_least, normal_quantile
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.multiplicity import holm
from evals.stats.paired import newcombe_paired_difference
from evals.stats.planning import MAX_MORE, more_needed

Status = Literal["regressed", "no regression shown", "not enough cases"]
POWER = 0.8


@dataclass(frozen=True)
class Regression:
    """What one category says.

    Attributes
    ----------
    difference : Estimate or Undefined
        Pass rate of the new system minus the old one's, with its interval.
    p : float
        One-sided exact: how often two like systems lose so many of the cases they differ on.
    adjusted : float or None
        p after Holm over the categories that could be found at all; None for one that could
        not, because the systems differ on too few of its cases.
    needed : int or None
        How many cases in all would answer, where there are not enough; None where that cannot
        be foretold.
    """

    status: Status
    difference: Estimate | Undefined
    p: float
    adjusted: float | None
    needed: int | None = None


def regressions(
    tables: Sequence[npt.ArrayLike], margin: float, confidence: float = 0.95
) -> list[Regression]:
    """Judge every category; the chance of any false alarm is at most 1 - confidence.

    Parameters
    ----------
    tables : sequence of (2, 2) arrays of counts
        One a category: rows new system, columns old, "passed" first.
    margin : float
        Largest loss that is tolerated, as a share in [0, 1).
    confidence : float
        Of the interval (two-sided); alarms err in 1 - confidence of comparisons at most.

    Returns
    -------
    list of Regression
        Regressed: the exact one-sided McNemar test, corrected by Holm, rejects that the systems
        are alike, and the loss seen exceeds the margin. No regression shown: the interval of
        the difference lies above -margin as a whole. The first needs a loss beyond the margin,
        the second excludes it, so no category is both.

    Notes
    -----
    A category on which the systems differ m times cannot reach a p below 2^-m, so Holm's count
    leaves out those that could not alarm at all. m says nothing of which system is better, so
    the level holds for every m, and thus on the whole (Tarone 1990 argues alike).

    References
    ----------
    S. Holm, Scand. J. Stat. 6 (1979), 65-70; R. E. Tarone, Biometrics 46 (1990), 515-522;
    intervals: R. G. Newcombe, Stat. Med. 17 (1998), 2635-2650, method 10.
    """
    allowed, level = within(margin, "the margin"), inside(confidence, "the confidence")
    p_values = [mcnemar_loss(table) for table in tables]
    adjusted = _adjusted(tables, p_values, 1 - level)
    return [
        _judged(table, p, corrected, allowed, level)
        for table, p, corrected in zip(tables, p_values, adjusted, strict=True)
    ]


def _judged(
    table: npt.ArrayLike, p: float, adjusted: float | None, margin: float, confidence: float
) -> Regression:
    difference = attempt(newcombe_paired_difference, table, confidence)
    if isinstance(difference, Undefined):
        needed = cases_to_rule_out(0, 0, margin, confidence)
        return Regression("not enough cases", difference, p, None, needed)
    low = -1.0 if difference.low is None else difference.low
    if low > -margin:
        return Regression("no regression shown", difference, p, adjusted)
    if adjusted is not None and adjusted <= 1 - confidence and difference.value < -margin:
        return Regression("regressed", difference, p, adjusted)
    needed = _needed(table, difference, margin, confidence)
    return Regression("not enough cases", difference, p, adjusted, needed)


def mcnemar_loss(table: npt.ArrayLike) -> float:
    """One-sided exact p-value that the new system (rows) passes less often; 1 if never unlike.

    References
    ----------
    Q. McNemar, Psychometrika 12 (1947), 153-157; exact form: sign test on the splits.
    """
    (_, won), (lost, _) = square(table, "the table", 2).tolist()
    return min(1.0, float(binomial_at_least(lost, won + lost, 0.5))) if won + lost else 1.0


def _adjusted(
    tables: Sequence[npt.ArrayLike], p_values: Sequence[float], alpha: float
) -> list[float | None]:
    """Holm over the categories whose smallest possible p is at most `alpha`."""
    splits = [square(table, "the table", 2).tolist() for table in tables]
    tested = [
        index for index, ((_, won), (lost, _)) in enumerate(splits) if 0.5 ** (won + lost) <= alpha
    ]
    found: list[float | None] = [None] * len(tables)
    if tested:
        corrected = holm([p_values[index] for index in tested], alpha).p_values
        for index, value in zip(tested, corrected, strict=True):
            found[index] = value
    return found


def _needed(
    table: npt.ArrayLike, difference: Estimate, margin: float, confidence: float
) -> int | None:
    (_, won), (lost, _) = square(table, "the table", 2).tolist()
    n = difference.n
    alike = cases_to_rule_out(int(won + lost), n, margin, confidence)
    if alike is None or alike > n:
        return alike
    # So many cases would have sufficed for like systems: go by the difference that is seen.
    if difference.value > -margin:
        more = more_needed(difference, -margin, "at least", "points").more
        return None if more is None else n + more
    seen = cases_to_detect(abs(difference.value), (won + lost) / n, 2 * confidence - 1)
    return max(seen, n + 1)


def cases_to_rule_out(
    discordant: int, n: int, margin: float, confidence: float = 0.95, power: float = POWER
) -> int | None:
    """Cases with which like systems are shown, with `power`, to lose no more than `margin`.

    n = (z + z_power)²·d/margin², d being the share of cases on which they differ, taken as
    (seen + 1)/(n + 2) so that none seen is not none ever; at least z²(1 - margin)/margin, below
    which the interval is too wide even if they never differ. With no case at all d is 0.2.

    Returns
    -------
    int or None
        None for a margin of 0, or where it would take more than 100,000.

    References
    ----------
    R. J. Connor, Biometrics 43 (1987), 207-211; W. C. Blackwelder, Control. Clin. Trials 3
    (1982), 345-353.
    """
    if margin <= 0:
        return None
    splits, cases = count(discordant, "the differences"), count(n, "n")
    share = (splits + 1) / (cases + 2) if cases else 0.2
    z, z_power = normal_quantile(confidence), normal_quantile(2 * power - 1)
    needed = max((z + z_power) ** 2 * share / margin**2, z**2 * (1 - margin) / margin)
    return math.ceil(needed) if needed <= MAX_MORE else None


def cases_to_detect(
    difference: float, discordance: float, confidence: float = 0.95, power: float = POWER
) -> int:
    """Cases with which McNemar's test finds a difference, with `power`.

    Parameters
    ----------
    difference : float
        Of pass rates, above 0 and at most `discordance`.
    discordance : float
        Share of cases on which the systems differ, in (0, 1].
    confidence : float
        1 - the level of the two-sided test.

    References
    ----------
    R. J. Connor, Biometrics 43 (1987), 207-211.
    """
    delta, share = inside(difference, "the difference", 0.0, 1.0 + 1e-9), float(discordance)
    if not delta <= share <= 1:
        raise UndefinedError("systems cannot differ by more than the share of cases they differ on")
    z, z_power = normal_quantile(confidence), normal_quantile(2 * power - 1)
    spread = z * math.sqrt(share) + z_power * math.sqrt(share - delta**2)
    return math.ceil((spread / delta) ** 2)


def detectable_difference(
    discordant: int, n: int, confidence: float = 0.95, power: float = POWER
) -> float:
    """Smallest difference of pass rates that these cases show, with `power`.

    Connor's formula solved for the difference, at the share of cases on which the systems
    were seen to differ.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    UndefinedError
        If the systems never differ, or so few cases cannot show any difference.
    """
    splits, cases = count(discordant, "the differences"), count(n, "n")
    if splits == 0:
        raise UndefinedError("the systems never differ", cases)
    share = splits / cases
    z, z_power = normal_quantile(confidence), normal_quantile(2 * power - 1)
    inner = cases + z_power**2 - z**2
    if inner > 0:
        found = z * math.sqrt(cases) + z_power * math.sqrt(inner)
        found *= math.sqrt(share) / (cases + z_power**2)
        if found <= share:
            return found
    raise UndefinedError("too few cases to show any difference", cases)
