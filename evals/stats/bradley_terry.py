"""Strengths of several systems from pairwise comparisons."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.stats.checks import Floats, count, counts
from evals.stats.errors import UndefinedError

MAX_STEPS = 200
# Newton squares the error at each step: one more after this is exact.
SMALL_STEP = 1e-8


@dataclass(frozen=True)
class Strengths:
    """Log-strengths of systems that were compared in pairs.

    Attributes
    ----------
    values : tuple of float
        Natural log-strengths with sum 0; P(i beats j) = 1/(1 + exp(values[j] - values[i])).
    covariance : tuple of tuples of float
        Sandwich covariance of the values, the comparisons being independent.
    n : int
        Comparisons.
    """

    values: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]
    n: int
    method: str = "Bradley-Terry, ties as half a win for each, sandwich variance"

    def difference(self, first: int, second: int) -> tuple[float, float]:
        """Log-odds that `first` beats `second`, and their standard error."""
        cov = self.covariance
        variance = cov[first][first] + cov[second][second] - 2 * cov[first][second]
        return self.values[first] - self.values[second], float(np.sqrt(max(0.0, variance)))


def bradley_terry(
    n_items: int, pairs: npt.ArrayLike, clusters: Sequence[npt.ArrayLike] | None = None
) -> Strengths:
    """Maximum-likelihood strengths by Newton's method.

    Parameters
    ----------
    n_items : int
        Systems, at least 2, numbered from 0.
    pairs : (R, 5) array of counts
        Rows (i, j, wins of i, wins of j, ties); a pair may occur more than once and in
        either order.
    clusters : for each row of `pairs` an (H, 4) array of counts, optional
        Rows (wins of i, wins of j, ties, how many prompts have just these): judgements of
        one prompt are then not taken as independent. Their sums are those of `pairs`.

    Raises
    ------
    UndefinedError
        If the win graph is not strongly connected (someone undefeated, or groups that
        never met): the likelihood then has no finite maximum. Or if a row is impossible.

    References
    ----------
    R. A. Bradley, M. E. Terry, Biometrika 39 (1952), 324-345; L. R. Ford, Am. Math. Mon.
    64 (1957), 28-33 (existence). Ties counted as halves make the Fisher standard error
    too wide, hence the sandwich.
    """
    size = count(n_items, "the number of items")
    if size < 2:
        raise UndefinedError("there must be at least two items to compare")
    first, second, outcomes = _checked_pairs(pairs, size)
    wins = np.zeros((size, size))
    np.add.at(wins, (first, second), outcomes[:, 0] + outcomes[:, 2] / 2)
    np.add.at(wins, (second, first), outcomes[:, 1] + outcomes[:, 2] / 2)
    n = int(outcomes.sum())
    if not _strongly_connected(wins > 0):
        reason = "the win graph is not strongly connected, so no finite maximum exists"
        raise UndefinedError(reason, n)
    values, chance = _maximum(wins, n)
    squares = _squares(chance[first, second], outcomes, clusters)
    covariance = _sandwich(wins, chance, (first, second, squares))
    table = tuple(map(tuple, covariance.tolist()))
    if clusters is None:
        return Strengths(tuple(values.tolist()), table, n)
    return Strengths(tuple(values.tolist()), table, n, f"{Strengths.method}, clustered by prompt")


def _checked_pairs(
    pairs: npt.ArrayLike, size: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]:
    table = counts(pairs, "the pairs")
    if table.shape[1] != 5:
        if table.size == 0:
            raise UndefinedError("there are no comparisons")
        raise UndefinedError("every pair must be i, j, wins of i, wins of j, ties")
    first, second = table[:, 0].astype(np.intp), table[:, 1].astype(np.intp)
    if max(first.max(), second.max()) >= size:
        raise UndefinedError(f"an item number lies outside 0 to {size - 1}")
    if (first == second).any():
        raise UndefinedError("an item is compared with itself")
    return first, second, table[:, 2:]


def _strongly_connected(edges: npt.NDArray[np.bool_]) -> bool:
    return _reaches_all(edges) and _reaches_all(edges.T)


def _reaches_all(edges: npt.NDArray[np.bool_]) -> bool:
    seen = np.zeros(len(edges), dtype=bool)
    seen[0] = True
    frontier = seen
    while frontier.any():
        frontier = edges[frontier].any(axis=0) & ~seen
        seen = seen | frontier
    return bool(seen.all())


def _fit(values: Floats, wins: Floats) -> tuple[Floats, float]:
    """Everybody's chance to beat everybody, and the log-likelihood of what was won."""
    gaps = np.subtract.outer(values, values)
    # Of numbers below 0, so that nothing overflows, however far apart two systems are.
    small = np.exp(-np.abs(gaps))
    chance = np.where(gaps >= 0, 1.0, small) / (1 + small)
    likelihood = np.vdot(wins, np.minimum(gaps, 0.0) - np.log1p(small))
    return chance, float(likelihood)


def _laplacian(weights: Floats) -> Floats:
    return np.asarray(np.diag(weights.sum(axis=1)) - weights)


def _maximum(wins: Floats, n: int) -> tuple[Floats, Floats]:
    """The strengths, and everybody's chance to beat everybody."""
    games = wins + wins.T
    values = np.zeros(len(wins))
    chance, best = _fit(values, wins)
    for _ in range(MAX_STEPS):
        gradient = (wins - games * chance).sum(axis=1)
        step = _newton_step(_laplacian(games * chance * chance.T), gradient)
        values, chance, best = _uphill(values, step - step.mean(), (chance, best), wins)
        if np.abs(step).max() < SMALL_STEP:
            return np.asarray(values - values.mean()), chance
    raise UndefinedError("the strengths did not settle: some systems are too far apart", n)


def _newton_step(curvature: Floats, gradient: Floats) -> Floats:
    """The shortest solution; strengths are told up to a common shift, which has none."""
    try:
        step = np.linalg.solve(_regular(curvature), gradient)
    except np.linalg.LinAlgError:
        step = np.full(len(gradient), np.nan)
    if np.isfinite(step).all():
        return np.asarray(step, dtype=np.float64)
    # Systems so far apart that nothing holds them together but rounding: slow, but sure.
    return np.asarray(np.linalg.lstsq(curvature, gradient, rcond=None)[0])


def _regular(laplacian: Floats) -> Floats:
    """The same with the common shift, on which it says nothing, held still.

    What has no common shift is solved alike; to invert this is many times quicker than to find
    singular values.
    """
    return np.asarray(laplacian + np.trace(laplacian) / laplacian.size)


def _uphill(
    values: Floats, step: Floats, now: tuple[Floats, float], wins: Floats
) -> tuple[Floats, Floats, float]:
    """Take the Newton step, halved until the likelihood does not fall; with what is then so."""
    slack = 1e-12 * (1 + abs(now[1]))
    scale = 1.0
    for _ in range(60):
        trial = values + scale * step
        chance, likelihood = _fit(trial, wins)
        if likelihood >= now[1] - slack:
            return trial, chance, likelihood
        scale /= 2
    return values, *now


def _squares(p: Floats, outcomes: Floats, clusters: Sequence[npt.ArrayLike] | None) -> Floats:
    """For each pair of systems the sum of squared scores: of comparisons, or of prompts."""
    if clusters is None:
        squares = outcomes[:, 0] * (1 - p) ** 2 + outcomes[:, 1] * p**2
        return np.asarray(squares + outcomes[:, 2] * (0.5 - p) ** 2)
    found = np.zeros(len(p))
    for row, (chance, rows) in enumerate(zip(p, clusters, strict=True)):
        table = counts(rows, "the prompts").reshape(-1, 4)
        if not np.array_equal((table[:, :3] * table[:, 3:]).sum(axis=0), outcomes[row]):
            raise UndefinedError("the prompts of a pair do not add up to its comparisons")
        score = table[:, 0] * (1 - chance) - table[:, 1] * chance + table[:, 2] * (0.5 - chance)
        found[row] = float((table[:, 3] * score**2).sum())
    return found


def _sandwich(
    wins: Floats, chance: Floats, rows: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], Floats]
) -> Floats:
    first, second, squares = rows
    meat = np.zeros_like(wins)
    np.add.at(meat, (first, second), squares)
    laplacian = _laplacian((wins + wins.T) * chance * chance.T)
    try:
        bread = np.linalg.inv(_regular(laplacian))
    except np.linalg.LinAlgError:
        bread = np.linalg.pinv(laplacian)
    bread = bread - bread.mean(axis=0)
    return np.asarray(bread @ _laplacian(meat + meat.T) @ bread.T)


def components(n_items: int, pairs: npt.ArrayLike) -> list[list[int]]:
    """Systems that can be ranked against each other, group by group.

    Within a group everybody has beaten everybody along some chain (ties count as half a
    win); between groups somebody is undefeated or never met the others.
    """
    size = count(n_items, "the number of items")
    first, second, outcomes = _checked_pairs(pairs, size)
    beats = np.zeros((size, size), dtype=bool)
    np.logical_or.at(beats, (first, second), outcomes[:, 0] + outcomes[:, 2] > 0)
    np.logical_or.at(beats, (second, first), outcomes[:, 1] + outcomes[:, 2] > 0)
    reach = beats | np.eye(size, dtype=bool)
    for middle in range(size):
        reach |= np.outer(reach[:, middle], reach[middle])
    both = reach & reach.T
    groups = {tuple(np.flatnonzero(row).tolist()) for row in both}
    return [list(group) for group in sorted(groups)]
