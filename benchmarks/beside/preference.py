"""Win rate, strength and length, by item and annotator; several systems; a judge; metrics."""

from typing import Any

import numpy as np
from scipy.stats import bootstrap, mannwhitneyu
from scipy.stats import t as student

from benchmarks.beside.agreement import log_spread
from benchmarks.beside.judgements import Judgements
from benchmarks.beside.measuring import Case, public
from benchmarks.beside.packages import (
    confseq,
    ppi_py,
    robust,
    sklearn_metrics,
    statsmodels,
    weightstats,
)
from evals.stats.checks import Floats, Ints
from evals.stats.concordance import agreement_gap, agreement_scores, separation, side_agreement
from evals.stats.histograms import distinct
from evals.stats.judges import ppi_mean
from evals.stats.length import length_fit
from evals.stats.preference import ClusteredRate, clustered_win_rate, win_rate_from_sums
from evals.stats.sequential import asymptotic_confidence_sequence
from evals.stats.share_tests import clustered_test
from evals.stats.strength import mean_strength

REACH = 3
DRAWS, FEW_DRAWS = 2000, 20
LABELLED = 0.05
# What Newton's method leaves of a maximum.
CONVERGED = 1e-7
JUDGEMENTS = "judgements"


def cases(said: Judgements) -> list[Case]:
    return [
        *_win_rate(said),
        _left_share(said),
        _strength(said),
        *_length(said),
        _powered(said),
        _watched(said),
        *_metrics(said),
        _gap(said),
    ]


def two_ways(
    said: Judgements, y: Floats, keep: Any = slice(None), null: float = 0.5
) -> list[float]:
    """Mean, its two-way clustered standard error, and p of `null`, by statsmodels."""
    groups = np.column_stack((said.item[keep], said.who[keep]))
    fit = statsmodels.OLS(y, np.ones(len(y))).fit()
    covariance = robust.cov_cluster_2groups(fit, groups[:, 0], groups[:, 1])[0]
    mean, se = float(fit.params[0]), float(np.sqrt(covariance[0, 0]))
    df = min(len(np.unique(column)) for column in groups.T) - 1
    return [mean, se, float(2 * student.sf(abs((mean - null) / se), df))]


def _numbers(rate: ClusteredRate) -> list[float]:
    return [rate.value, rate.se or 0.0, clustered_test(rate).p_value]


def _win_rate(said: Judgements) -> list[Case]:
    name = "win rate, two-way clustered se, and p"
    others = [public("statsmodels cov_cluster_2groups", robust, lambda: two_ways(said, said.score))]
    items, people = _sums(said.item, said), _sums(said.who, said)
    total, squares = float(said.score.sum()), float(said.score @ said.score)

    def from_counts() -> list[float]:
        return _numbers(win_rate_from_sums(said.n, total, squares, items, people))

    def from_judgements() -> list[float]:
        return _numbers(clustered_win_rate(said.item, said.who, said.score))

    return [
        Case(name, JUDGEMENTS, from_judgements, others),
        Case(name, "sums by item and annotator; theirs: judgements", from_counts, others),
    ]


def _sums(codes: Ints, said: Judgements) -> Floats:
    """Rows (votes, score sum, how many have these), as PostgreSQL answers them."""
    halves = np.bincount(codes, said.winner).astype(np.int64)
    rows = distinct(np.column_stack((np.bincount(codes), halves))).astype(float)
    rows[:, 1] /= 2
    return np.asarray(rows[rows[:, 0] > 0])


def _left_share(said: Judgements) -> Case:
    decided = said.winner != 1
    left = (said.winner[decided] == 2) == (said.side[decided] == 0)
    y = left.astype(float)

    def ours() -> list[float]:
        return _numbers(clustered_win_rate(said.item[decided], said.who[decided], y))

    return Case("left share, two-way clustered se, and p", JUDGEMENTS, ours,
                [public("statsmodels cov_cluster_2groups", robust,
                        lambda: two_ways(said, y, decided))])  # fmt: skip


def _strength(said: Judgements) -> Case:
    choices = said.point - REACH

    def ours() -> list[float]:
        found = mean_strength(said.item, said.who, choices, reach=REACH)
        return [found.value, found.se or 0.0]

    return Case("mean strength and two-way clustered se", JUDGEMENTS, ours,
                [public("statsmodels cov_cluster_2groups", robust,
                        lambda: two_ways(said, choices / REACH)[:2])])  # fmt: skip


def _length(said: Judgements) -> list[Case]:
    name = "rate at equal length, its interval, the slope and its se"
    others = [public("statsmodels Logit, cov_type cluster", statsmodels,
                     lambda: _logit(said), tolerance=CONVERGED)]  # fmt: skip
    rows = length_rows(said)
    return [
        Case(name, JUDGEMENTS, lambda: _fit(length_rows(said)), others),
        Case(name, "kinds of items; theirs: judgements", lambda: _fit(rows), others),
    ]


def length_rows(said: Judgements) -> Ints:
    """As PostgreSQL answers them: length difference, wins and losses by side, items."""
    decided = said.winner != 1
    cell = 2 * said.side[decided] + (said.winner[decided] == 0)
    counted = np.bincount(said.item[decided] * 6 + cell, minlength=said.items * 6).reshape(-1, 6)
    met = counted.sum(axis=1) > 0
    return distinct(np.column_stack((said.longer_by, counted))[met])


def _fit(rows: Ints) -> list[float]:
    found = length_fit(rows)
    at, slope = found.at_equal, found.slope
    numbers = [getattr(at, name) for name in ("value", "low", "high")]
    return [*numbers, getattr(slope, "value", np.nan), getattr(slope, "se", np.nan)]


def _logit(said: Judgements) -> list[float]:
    decided = said.winner != 1
    item, y = said.item[decided], (said.winner[decided] == 2).astype(float)
    kinds, group = np.unique(item, return_inverse=True)
    sd = said.longer_by[kinds].std(ddof=1)
    columns = (np.ones(len(y)), np.tanh(said.longer_by[item] / sd), 0.5 - said.side[decided])
    fit = statsmodels.Logit(y, np.column_stack(columns)).fit(
        disp=0, cov_type="cluster", cov_kwds={"groups": group, "use_correction": False}
    )
    groups = len(kinds)
    se = fit.bse * np.sqrt(groups / (groups - 1))
    wide = student.ppf(0.975, groups - 1) * se[0]
    at = [1 / (1 + np.exp(-x)) for x in (fit.params[0] + s * wide for s in (0, -1, 1))]
    return [*at, fit.params[1], se[1]]


def _powered(said: Judgements) -> Case:
    """A judge has scored all items, people a part of them."""
    some = int(LABELLED * said.items)
    human = (1 + said.people_say) / 2
    judge = (1 + np.sign(said.leaning)) / 2
    parts = human[:some], judge[:some], judge[some:]

    def ours() -> list[float]:
        found = ppi_mean(*parts)
        return [found.low or 0.0, found.high or 0.0]

    def theirs() -> list[float]:
        return [float(end[0]) for end in ppi_py.ppi_mean_ci(*parts, alpha=0.05)]

    # Theirs divides by n where ours does by n - 1.
    name = f"prediction-powered mean, {some:,} of {said.items:,} items judged"
    others = [public("ppi_py ppi_mean_ci", ppi_py, theirs, tolerance=0.1 / some)]
    return Case(name, "scores of items", ours, others)


def _watched(said: Judgements) -> Case:
    """The asymptotic sequence is the normal mixture at time n, over n, in standard deviations."""
    scores = (1 + said.people_say) / 2
    mean, sd, n = float(scores.mean()), float(scores.std(ddof=1)), said.items

    def theirs() -> float:
        bound = confseq.normal_mixture_bound(n, 0.05, 150, 0.05, is_one_sided=False)
        return float(sd * bound / n)

    return Case("confidence sequence", "mean, deviation, n",
                lambda: asymptotic_confidence_sequence(mean, sd, n).value,
                [public("confseq normal_mixture_bound", confseq, theirs)])  # fmt: skip


def _metrics(said: Judgements) -> list[Case]:
    people, metric = said.people_say, said.leaning
    decided = people != 0

    def area() -> float:
        return float(sklearn_metrics.roc_auc_score(people[decided] > 0, metric[decided]))

    def by_scipy() -> float:
        won, lost = metric[people > 0], metric[people < 0]
        return float(mannwhitneyu(won, lost, method="asymptotic").statistic / len(won) / len(lost))

    def described() -> list[float]:
        scores = agreement_scores(metric, people)
        found = weightstats.DescrStatsW(scores[decided])
        return [found.mean, found.std_mean]

    def agreed() -> list[float]:
        found = side_agreement(metric, people)
        return [found.value, found.se or 0.0]

    given = "scores of items"
    return [
        Case("area under the ROC curve (metrics)", given,
             lambda: separation(metric, people).value, [
            public("scikit-learn roc_auc_score", sklearn_metrics, area),
            public("scipy mannwhitneyu", mannwhitneyu, by_scipy)]),
        Case("share of sides taken and its se (metrics)", given, agreed,
             [public("statsmodels DescrStatsW", weightstats, described)]),
    ]  # fmt: skip


def _gap(said: Judgements) -> Case:
    """Items resampled: how far two metrics are apart."""
    people, one = said.people_say, said.leaning
    other = np.sign(said.longer_by).astype(float)

    def ours() -> float:
        return log_spread(agreement_gap(one, other, people, draws=DRAWS))

    def theirs() -> float:
        gaps = agreement_scores(one, people) - agreement_scores(other, people)
        found = bootstrap((gaps[~np.isnan(gaps)],), np.mean, n_resamples=FEW_DRAWS, batch=5,
                          method="percentile", rng=np.random.default_rng(1))  # fmt: skip
        return float(np.log(found.standard_error))

    return Case(
        f"bootstrap of items, distance of two metrics, {DRAWS:,} draws: log se", "scores of items",
        ours, [public(f"scipy.stats.bootstrap ({FEW_DRAWS} of {DRAWS:,} draws)", bootstrap, theirs,
                      DRAWS / FEW_DRAWS, 0.7)],
    )  # fmt: skip
