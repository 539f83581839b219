"""Strengths of 100 systems from comparisons in pairs, with and without their variances."""

import numpy as np

from benchmarks.beside.measuring import Case, public
from benchmarks.beside.packages import choix, evalica, pandas, statsmodels
from evals.stats.bradley_terry import Strengths, bradley_terry
from evals.stats.checks import Floats, Ints

SYSTEMS = 100
SEED = 20261122
CONVERGED = 1e-6
LOSS, TIE, WIN = range(3)


def cases(n: int) -> list[Case]:
    first, second, outcome = votes(n)
    table = pairs_of(first, second, outcome)
    wins = np.zeros((SYSTEMS, SYSTEMS))
    i, j, won, lost, tied = table.T
    np.add.at(wins, (i, j), won + tied / 2)
    np.add.at(wins, (j, i), lost + tied / 2)

    def by_choix() -> list[float]:
        return list(_centred(choix.ilsr_pairwise_dense(wins, tol=1e-12)))

    def by_evalica() -> list[float]:
        # Its own numbers of outcomes: 0 a tie, 1 the first, 2 the second.
        winners = np.array([2, 0, 1])[outcome].tolist()
        found = evalica.bradley_terry(
            first, second, winners, index=pandas.Index(range(SYSTEMS)), tolerance=1e-9, limit=1000
        )
        return list(_centred(np.log(found.scores.sort_index().to_numpy())))

    def ours(rows: Ints) -> list[float]:
        return list(bradley_terry(SYSTEMS, rows).values)

    def whole(rows: Ints) -> list[float]:
        found = bradley_terry(SYSTEMS, rows)
        return [*found.values, *_errors(found)]

    counted = "counts of pairs"
    strengths = f"Bradley-Terry with ties, {SYSTEMS} systems, {n:,} votes"
    sandwich = f"{strengths}, with sandwich se"
    return [
        Case(strengths, "votes", lambda: ours(pairs_of(first, second, outcome)),
             [public("evalica bradley_terry", evalica, by_evalica, tolerance=CONVERGED)]),
        Case(strengths, counted, lambda: ours(table),
             [public("choix ilsr_pairwise_dense", choix, by_choix, tolerance=CONVERGED)]),
        Case(sandwich, counted, lambda: whole(table),
             [public("statsmodels GLM, its meat by numpy", statsmodels,
                     lambda: _by_glm(table), tolerance=CONVERGED)]),
    ]  # fmt: skip


def votes(n: int) -> tuple[Ints, Ints, Ints]:
    """Who met whom, and what came of it for the first."""
    rng = np.random.default_rng(SEED)
    strength = rng.normal(0, 0.7, SYSTEMS)
    first = rng.integers(0, SYSTEMS, n)
    second = (first + rng.integers(1, SYSTEMS, n)) % SYSTEMS
    chance = 1 / (1 + np.exp(strength[second] - strength[first]))
    outcome = np.where(rng.random(n) < 0.15, TIE, np.where(rng.random(n) < chance, WIN, LOSS))
    return first, second, outcome.astype(np.int64)


def pairs_of(first: Ints, second: Ints, outcome: Ints) -> Ints:
    """Rows (i, j, wins of i, wins of j, ties)."""
    cells = np.bincount((first * SYSTEMS + second) * 3 + outcome, minlength=SYSTEMS**2 * 3)
    table = cells.reshape(-1, 3)
    met = np.flatnonzero(table.sum(axis=1))
    return np.column_stack((met // SYSTEMS, met % SYSTEMS, table[met][:, [WIN, LOSS, TIE]]))


def _centred(values: Floats) -> Floats:
    return np.asarray(values - values.mean())


def _errors(found: Strengths) -> list[float]:
    return [found.difference(number, 0)[1] for number in range(1, SYSTEMS)]


def _by_glm(table: Ints) -> list[float]:
    """Each pair in up to three rows, by outcome; a weighted row is so many votes, not one."""
    i, j = np.repeat(table[:, 0], 3), np.repeat(table[:, 1], 3)
    times, y = table[:, 2:].ravel(), np.tile([1.0, 0.0, 0.5], len(table))
    some = times > 0
    i, j, times, y = i[some], j[some], times[some], y[some]
    features = np.zeros((len(y), SYSTEMS))
    features[np.arange(len(y)), i], features[np.arange(len(y)), j] = 1, -1
    features = features[:, 1:]
    family = statsmodels.families.Binomial()
    fit = statsmodels.GLM(y, features, family=family, freq_weights=times).fit(tol=1e-14)
    scores = features * ((y - fit.fittedvalues) * np.sqrt(times))[:, None]
    bread = fit.normalized_cov_params
    covariance = bread @ (scores.T @ scores) @ bread
    return [*_centred(np.append(0, fit.params)), *np.sqrt(np.diag(covariance))]
