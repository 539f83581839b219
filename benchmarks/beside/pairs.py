"""Agreement of pairs of annotators: Cohen, Scott, Brennan & Prediger, and all pairs together."""

from collections.abc import Callable, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from benchmarks.beside.judgements import A_BLOCK, ANNOTATORS, POINTS, Judgements
from benchmarks.beside.measuring import Case, public
from benchmarks.beside.packages import (
    inter_rater,
    irrcac_raw,
    irrcac_table,
    pandas,
    sklearn_metrics,
)
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined
from evals.stats.histograms import distinct, merged
from evals.stats.kappa import WEIGHTS, cohen_kappa, kappa_pairs, percent_pairs
from evals.stats.pairs import bias_pairs, even_kappa_pairs, prevalence_pairs, scott_pairs
from evals.stats.pooled import pool_kappa

# The public implementations take one pair at a time: so many of them, the time multiplied.
FEW = 100
COMPLETE = 5
NAMED = {"unweighted": None, "linear": "linear", "quadratic": "quadratic"}
IN_IRRCAC = {"unweighted": "identity", "linear": "linear", "quadratic": "quadratic"}
TABLES = "tables of pairs"


def cases(said: Judgements) -> list[Case]:
    names, tables = pair_tables(said)
    few = np.linspace(0, len(tables) - 1, min(FEW, len(tables))).astype(int)
    share = len(tables) / len(few)
    return [
        *(_from_judgements(weights, said, names, few, share) for weights in WEIGHTS),
        *(_cohen(weights, tables, few, share) for weights in WEIGHTS),
        *(_one_pair(weights, tables[0]) for weights in WEIGHTS),
        *_by_irrcac(tables, few, share),
        *(_pooled(weights, said) for weights in WEIGHTS),
        Case(f"prevalence index, {len(tables):,} pairs", TABLES,
             lambda: [one.share for one in prevalence_pairs(tables)]),
        Case(f"bias index, {len(tables):,} pairs", TABLES, lambda: numbers(bias_pairs(tables))),
    ]  # fmt: skip


def numbers(found: Sequence[Estimate | Undefined]) -> list[float]:
    return [one.value if isinstance(one, Estimate) else np.nan for one in found]


def numbers_and_variances(found: Sequence[Estimate | Undefined]) -> list[tuple[float, float]]:
    return [(one.value, (one.se or 0.0) ** 2) if isinstance(one, Estimate) else (np.nan, np.nan)
            for one in found]  # fmt: skip


def pair_tables(said: Judgements) -> tuple[Ints, Ints]:
    """What each two annotators said of the items both judged, as the product counts it."""
    # A block of items at a time, so that what is held does not grow with the judgements.
    ends = np.searchsorted(said.item, np.arange(0, said.items + A_BLOCK, A_BLOCK)).tolist()
    counted = (distinct(_cells(said, slice(*block))[:, None]) for block in pairwise(ends))
    cells, times = merged(counted).T
    names, where = np.unique(cells // POINTS**2, return_inverse=True)
    tables = np.zeros((len(names), POINTS**2), dtype=np.int64)
    tables[where, cells % POINTS**2] = times
    return names, tables.reshape(-1, POINTS, POINTS)


def _cells(said: Judgements, block: slice) -> Ints:
    """Who, who and what both said, as one number, of all two judgements of an item."""
    item, who, point = (part[block] for part in (said.item, said.who, said.point))
    found = []
    for step in range(1, POINTS):
        (first,) = np.nonzero(item[:-step] == item[step:])
        second = first + step
        pair = who[first] * ANNOTATORS + who[second]
        found.append((pair * POINTS + point[first]) * POINTS + point[second])
    return np.concatenate(found)


def _from_judgements(weights: str, said: Judgements, names: Ints, few: Ints, share: float) -> Case:
    """Theirs is told where the pairs are; to find what both judged is its own affair."""

    def ours() -> list[float]:
        return numbers(kappa_pairs(pair_tables(said)[1], weights))

    def theirs() -> list[float]:
        matrix = said.matrix()
        found = np.full(len(names), np.nan)
        for place in few.tolist():
            one, other = (matrix[who] for who in divmod(int(names[place]), ANNOTATORS))
            both = (one >= 0) & (other >= 0)
            found[place] = sklearn_metrics.cohen_kappa_score(
                one[both], other[both], weights=NAMED[weights], labels=range(POINTS)
            )
        return found.tolist()

    return Case(
        f"Cohen's kappa, {weights}, {len(names):,} pairs", "judgements", ours,
        [public(f"scikit-learn cohen_kappa_score ({FEW} pairs)", sklearn_metrics, theirs, share)],
    )  # fmt: skip


def _cohen(weights: str, tables: Ints, few: Ints, share: float) -> Case:
    """Variances are compared: theirs is a difference, of which rounding leaves 1e-16."""

    def theirs() -> list[list[float]]:
        found = np.full((len(tables), 2), np.nan)
        for place in few.tolist():
            one = inter_rater.cohens_kappa(tables[place], wt=NAMED[weights])
            found[place] = one.kappa, one.var_kappa
        return found.tolist()

    return Case(
        f"Cohen's kappa, {weights}, and its variance, {len(tables):,} pairs", TABLES,
        lambda: numbers_and_variances(kappa_pairs(tables, weights)),
        [public(f"statsmodels cohens_kappa ({FEW} pairs)", inter_rater, theirs, share)],
    )  # fmt: skip


def _one_pair(weights: str, table: Ints) -> Case:
    def theirs() -> list[float]:
        found = inter_rater.cohens_kappa(table, wt=NAMED[weights])
        return [found.kappa, found.std_kappa]

    def ours() -> list[float]:
        found = cohen_kappa(table, weights)
        return [found.value, found.se or 0.0]

    return Case(f"Cohen's kappa, {weights}, and its se, one pair", "one table", ours,
                [public("statsmodels cohens_kappa", inter_rater, theirs)])  # fmt: skip


def _by_irrcac(tables: Ints, few: Ints, share: float) -> list[Case]:
    methods: list[tuple[str, str, Callable[[Ints], list[Estimate | Undefined]]]] = [
        ("Scott's pi", "scott", scott_pairs),
        ("kappa at an even use", "bp", even_kappa_pairs),
        ("percent agreement of pairs", "pa2", percent_pairs),
    ]

    title = f"irrCAC table ({FEW} pairs)"

    def case(name: str, method: str, ours: Callable[[Ints], Any]) -> Case:
        def theirs() -> list[float]:
            found = np.full(len(tables), np.nan)
            for place in few.tolist():
                cac = irrcac_table.CAC(pandas.DataFrame(tables[place]), digits=15)
                found[place] = getattr(cac, method)()["est"]["coefficient_value"]
            return found.tolist()

        return Case(f"{name}, {len(tables):,} pairs", TABLES, lambda: numbers(ours(tables)),
                    [public(title, irrcac_table, theirs, share)])  # fmt: skip

    return [case(*method) for method in methods]


def _pooled(weights: str, said: Judgements) -> Case:
    """Where everybody judged every item, it is Conger's kappa."""
    ratings = complete(said)

    def ours() -> float:
        pairs = combinations(ratings.T, 2)
        cells = [np.bincount(a * POINTS + b, minlength=POINTS**2) for a, b in pairs]
        return pool_kappa(np.reshape(cells, (-1, POINTS, POINTS)), weights).value

    def theirs() -> float:
        frame = pandas.DataFrame(ratings.astype(float))
        cac = irrcac_raw.CAC(
            frame, weights=IN_IRRCAC[weights], categories=list(range(POINTS)), digits=15
        )
        return float(cac.conger()["est"]["coefficient_value"])

    return Case(
        f"pooled kappa, {weights} ({COMPLETE} annotators, nothing missing)", "judgements", ours,
        [public("irrCAC raw, conger", irrcac_raw, theirs)],
    )  # fmt: skip


def complete(said: Judgements) -> Ints:
    """(I, 5) judgements of five who judged everything, made of those there are."""
    draw = np.random.default_rng(3).random((said.items, COMPLETE))
    middle = np.rint(np.clip(said.leaning + 3, 0, POINTS - 1))[:, None]
    found = np.clip(middle + np.rint(3 * (draw - 0.4)), 0, POINTS - 1)
    return np.asarray(found, dtype=np.int64)
