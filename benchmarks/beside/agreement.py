"""Agreement of all annotators: percent, alpha, Fleiss, AC1, AC2, and bootstraps of alpha."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.beside.judgements import POINTS, Judgements
from benchmarks.beside.measuring import Case, public
from benchmarks.beside.packages import evalica, inter_rater, irrcac_raw, krippendorff, pandas
from evals.stats import coefficients
from evals.stats.agreement import LEVELS, estimates_of, fleiss_kappa
from evals.stats.checks import Ints
from evals.stats.coefficients import Coefficient
from evals.stats.estimates import Estimate, Undefined
from evals.stats.gwet import gwet_ac2_of_counts
from evals.stats.ratings import UnitRows, unit_rows

DRAWS = 1000
# So many resamples are made by the public implementation, whose time is multiplied.
FEW_DRAWS = 12
SCALE = list(range(POINTS))
JUDGEMENTS, COUNTS = "judgements", "counts of items"
KINDS = "kinds of items; theirs: counts of items"
# Of a frame of the judgements, items by places.
OfFrame = Callable[[Any], list[float]]
OfCounts = Callable[[Ints], list[float]]
OfRows = Callable[[UnitRows], list[float]]
# Standard errors of so few draws err by a fifth of themselves, so logarithms are compared.
CHANCE = 0.8


def cases(said: Judgements) -> list[Case]:
    found = _three("percent agreement", said, _coefficient(coefficients.percent), _irrcac("pa"))
    for level, coefficient in LEVELS.items():
        found += _three(
            f"Krippendorff's alpha, {level}", said, _coefficient(coefficient),
            _evalica(level), _krippendorff(level),
        )  # fmt: skip
    gwet = _irrcac("coefficient_value")
    found += _three("Gwet's AC1", said, _coefficient(coefficients.gwet_ac1), gwet)
    whole = _irrcac("coefficient_value", "se", weights="quadratic")
    found += _three("Gwet's AC2, quadratic, and its se", said, _ac2, whole)
    found.append(_fleiss(said))
    return found + [_bootstrap(level, said) for level in LEVELS]


def _coefficient(coefficient: Coefficient) -> OfRows:
    return lambda rows: [float(coefficient(rows, rows.multiplicity[None, :])[0])]


def _ac2(rows: UnitRows) -> list[float]:
    found = gwet_ac2_of_counts(rows.counts, rows.multiplicity)
    return [found.value, found.se or 0.0]


def _irrcac(*wanted: str, weights: str = "identity") -> tuple[str, Any, OfFrame]:
    def work(frame: Any) -> list[float]:
        cac = irrcac_raw.CAC(frame, weights=weights, categories=SCALE, digits=15)
        found = cac.gwet()["est"]
        return [float(found[name]) for name in wanted]

    return "irrCAC raw", irrcac_raw, work


def _evalica(level: str) -> tuple[str, Any, OfFrame]:
    return "evalica.alpha", evalica, lambda frame: [evalica.alpha(frame.T, distance=level).alpha]


def _krippendorff(level: str) -> tuple[str, Any, OfCounts]:
    return "krippendorff value_counts", krippendorff, lambda counts: [
        float(krippendorff.alpha(value_counts=counts, level_of_measurement=level))
    ]  # fmt: skip


def _three(
    name: str,
    said: Judgements,
    ours: OfRows,
    by_frame: tuple[str, Any, OfFrame],
    by_counts: tuple[str, Any, OfCounts] | None = None,
) -> list[Case]:
    """One figure from judgements, from counts of items, and from kinds of items."""
    title, package, of_frame = by_frame
    # Made once, before anything is timed: `prepared` is what is given then.
    counts, kinds = said.counts, said.kinds
    frame = pandas.DataFrame(said.packed()) if pandas is not None else None
    raw = [public(title, package, lambda: of_frame(pandas.DataFrame(said.packed())))]
    prepared = [public(f"{title}, frame made before", package, lambda: of_frame(frame))]
    if by_counts is not None:
        title, package, of_counts = by_counts
        raw.append(public(title, package, lambda: of_counts(said.count_items())))
        prepared.append(public(title, package, lambda: of_counts(counts)))
    return [
        Case(name, JUDGEMENTS, lambda: ours(_rows(said.count_kinds())), raw),
        Case(name, COUNTS, lambda: ours(unit_rows(counts)), prepared),
        Case(name, KINDS, lambda: ours(_rows(kinds)), prepared),
    ]


def _rows(kinds: Ints) -> UnitRows:
    return unit_rows(kinds[:, :POINTS], kinds[:, POINTS])


def _fleiss(said: Judgements) -> Case:
    alike = said.counts[said.counts.sum(axis=1) == 5]
    return Case(
        "Fleiss' kappa (items with five judgements)",
        COUNTS,
        lambda: fleiss_kappa(alike, draws=1).value,
        [public("statsmodels fleiss_kappa", inter_rater, lambda: inter_rater.fleiss_kappa(alike))],
    )


def _bootstrap(level: str, said: Judgements) -> Case:
    """Items resampled; both sides answer the spread of the resamples."""
    counts, kinds = said.counts, said.kinds

    def theirs() -> float:
        rng, drawn = np.random.default_rng(1), []
        for _ in range(FEW_DRAWS):
            again = counts[rng.integers(0, len(counts), len(counts))]
            drawn.append(krippendorff.alpha(value_counts=again, level_of_measurement=level))
        return float(np.log(np.std(drawn, ddof=1)))

    def ours() -> float:
        key = f"alpha_{level}"
        rows = _rows(kinds)
        return log_spread(estimates_of(rows, {key: LEVELS[level]}, 1, DRAWS, 0.95)[key])

    name = f"krippendorff value_counts, items drawn by numpy ({FEW_DRAWS} of {DRAWS:,} draws)"
    others = [public(name, krippendorff, theirs, DRAWS / FEW_DRAWS, CHANCE)]
    return Case(f"bootstrap of alpha, {level}, {DRAWS:,} draws: log se", KINDS, ours, others)


def log_spread(found: Estimate | Undefined) -> float:
    """Logarithm of the standard error that a percentile interval of 95 % speaks of."""
    if isinstance(found, Undefined) or found.low is None or found.high is None:
        raise ValueError("the bootstrap has no interval")
    return float(np.log((found.high - found.low) / 3.92))
