"""Shares, tests and quantiles that take a few counts, or the values of one sample."""

from collections.abc import Callable

import numpy as np
from scipy import stats

from benchmarks.beside.agreement import log_spread
from benchmarks.beside.measuring import Case, public
from benchmarks.beside.packages import contingency, multitest, proportion
from evals.stats.checks import Floats
from evals.stats.estimates import Estimate
from evals.stats.judges import alternative_annotator_by_codes
from evals.stats.latency import quantile_hazen, quantile_interval, quantile_ratio
from evals.stats.means import mean_interval
from evals.stats.multiplicity import (
    Adjusted,
    benjamini_hochberg,
    benjamini_yekutieli,
    holm,
)
from evals.stats.paired import mcnemar_exact, mcnemar_mid_p, newcombe_paired_difference
from evals.stats.planning import sample_size_proportion
from evals.stats.proportions import (
    binomial_test_exact,
    clopper_pearson_interval,
    newcombe_independent_difference,
    wilson_interval,
    zero_failure_bound,
)
from evals.stats.regression import mcnemar_loss, regressions
from evals.stats.relative import relative_difference

COUNTS = "counts"
DRAWS, FEW_DRAWS = 2000, 20
P_VALUES = 10_000
TABLE = [[61_000, 9_500], [8_900, 20_600]]


def ends(found: Estimate) -> list[float]:
    return [found.low or 0.0, found.high or 0.0]


def cases(n: int) -> list[Case]:
    rng = np.random.default_rng(20261123)
    return [*_shares(), *_paired(), *_several(rng), *_quantiles(rng, n), *_alone(rng)]


def _shares() -> list[Case]:
    k, n = 612_345, 1_000_000

    def confint(method: str) -> list[float]:
        return list(proportion.proportion_confint(k, n, method=method))

    def by_scipy(method: str) -> list[float]:
        return list(stats.binomtest(k, n).proportion_ci(method=method))

    def apart() -> list[float]:
        found = proportion.confint_proportions_2indep(k, n, k - 900, n, method="newcomb")
        return list(found)

    def none_failed() -> float:
        return float(stats.binomtest(0, n, alternative="less").proportion_ci().high)

    return [
        Case("Wilson interval", COUNTS, lambda: ends(wilson_interval(k, n)), [
            public("statsmodels proportion_confint", proportion, lambda: confint("wilson")),
            public("scipy binomtest", stats, lambda: by_scipy("wilson"))]),
        Case("Clopper-Pearson interval", COUNTS, lambda: ends(clopper_pearson_interval(k, n)), [
            public("statsmodels proportion_confint", proportion, lambda: confint("beta")),
            public("scipy binomtest", stats, lambda: by_scipy("exact"))]),
        Case("difference of independent shares, Newcombe", COUNTS,
             lambda: ends(newcombe_independent_difference(k, n, k - 900, n)),
             [public("statsmodels confint_proportions_2indep", proportion, apart)]),
        Case("zero-failure bound", COUNTS, lambda: zero_failure_bound(n),
             [public("scipy binomtest", stats, none_failed)]),
        Case("exact binomial test, two-sided", COUNTS, lambda: binomial_test_exact(k, n, 0.6115),
             [public("scipy binomtest", stats, lambda: stats.binomtest(k, n, 0.6115).pvalue)]),
    ]  # fmt: skip


def _paired() -> list[Case]:
    (_, b), (c, _) = TABLE

    def mid_p() -> float:
        law = stats.binom(b + c, 0.5)
        return float(2 * law.cdf(min(b, c)) - law.pmf(min(b, c)))

    def exact() -> float:
        return float(contingency.mcnemar(TABLE, exact=True).pvalue)

    def lost() -> float:
        return float(stats.binomtest(c, b + c, alternative="greater").pvalue)

    return [
        Case("McNemar, exact", COUNTS, lambda: mcnemar_exact(TABLE),
             [public("statsmodels mcnemar", contingency, exact)]),
        Case("McNemar, mid-p", COUNTS, lambda: mcnemar_mid_p(TABLE),
             [public("the formula with scipy binom", stats, mid_p)]),
        Case("McNemar, exact, one-sided", COUNTS, lambda: mcnemar_loss(TABLE),
             [public("scipy binomtest", stats, lost)]),
        Case("paired difference, Newcombe's method 10", COUNTS,
             lambda: ends(newcombe_paired_difference(TABLE))),
        Case("relative change, Bonett & Price", COUNTS, lambda: ends(relative_difference(TABLE))),
        Case("regression of 12 categories", COUNTS,
             lambda: [one.p for one in regressions([TABLE] * 12, 0.05)]),
    ]  # fmt: skip


def _several(rng: np.random.Generator) -> list[Case]:
    many = rng.beta(0.4, 2.0, P_VALUES)
    few = many[:12]

    named = {"Holm": (holm, "holm"), "Benjamini-Hochberg": (benjamini_hochberg, "fdr_bh"),
             "Benjamini-Yekutieli": (benjamini_yekutieli, "fdr_by")}  # fmt: skip
    return [
        _adjusting(name, ours, method, p)
        for name, (ours, method) in named.items()
        for p in (few, many)
    ]


def _adjusting(name: str, ours: Callable[[Floats], Adjusted], method: str, p: Floats) -> Case:
    others = [public("statsmodels multipletests", multitest,
                     lambda: multitest.multipletests(p, method=method)[1])]  # fmt: skip
    if method != "holm":
        law = method.removeprefix("fdr_")
        others.append(public("scipy false_discovery_control", stats,
                             lambda: stats.false_discovery_control(p, method=law)))  # fmt: skip
    return Case(f"{name}, {len(p):,} p-values", "p-values", lambda: ours(p).p_values, others)


def _quantiles(rng: np.random.Generator, n: int) -> list[Case]:
    first, second = rng.lognormal(0, 0.6, n), rng.lognormal(0.1, 0.6, n)
    mean, sd = float(first.mean()), float(first.std(ddof=1))

    def interval() -> list[float]:
        found = stats.quantile_test(first, q=0, p=0.99).confidence_interval(0.95)
        return [found.low, found.high]

    def of_mean() -> list[float]:
        return list(stats.t.interval(0.95, n - 1, mean, sd / np.sqrt(n)))

    def ratio() -> float:
        def statistic(x: Floats, y: Floats, axis: int = -1) -> Floats:
            one, other = (np.quantile(v, 0.99, axis=axis, method="hazen") for v in (x, y))
            return np.asarray(np.log(one) - np.log(other))

        found = stats.bootstrap((first, second), statistic, n_resamples=FEW_DRAWS, batch=5,
                                method="percentile", rng=np.random.default_rng(1))  # fmt: skip
        return float(np.log(found.standard_error))

    def ours() -> float:
        found = quantile_ratio(first, second, draws=DRAWS)
        low, high = np.log(ends(found))
        return log_spread(Estimate((low + high) / 2, low, high, n, ""))

    values = f"{n:,} values"
    return [
        Case("99th percentile", values, lambda: quantile_hazen(first, 0.99),
             [public("numpy quantile, hazen", np,
                     lambda: np.quantile(first, 0.99, method="hazen"))]),
        Case("99th percentile, interval", values, lambda: ends(quantile_interval(first, 0.99)),
             [public("scipy quantile_test", stats, interval)]),
        Case(f"ratio of 99th percentiles, bootstrap, {DRAWS:,} draws: log se", f"twice {values}",
             ours, [public(f"scipy bootstrap ({FEW_DRAWS} of {DRAWS:,} draws)", stats, ratio,
                           DRAWS / FEW_DRAWS, 0.7)]),
        Case("mean, t interval", "mean, deviation, n",
             lambda: ends(mean_interval(n, mean, sd)),
             [public("scipy t.interval", stats, of_mean)]),
    ]  # fmt: skip


def _alone(rng: np.random.Generator) -> list[Case]:
    """What no package that is known here computes."""
    labels = np.where(rng.random((20, 2000)) < 0.3, rng.integers(0, 3, (20, 2000)), -1)
    judge, times = rng.integers(0, 3, 2000), rng.integers(1, 100, 2000)
    return [
        Case("alternative annotator test, 20 annotators", "2,000 kinds of items",
             lambda: alternative_annotator_by_codes(labels, judge, times).p_values),
        Case("sample size, exact binomial test", "shares",
             lambda: sample_size_proportion(0.5, 0.6).value),
    ]  # fmt: skip
