"""Bootstrap of items: resample how often each distinct row occurs, not the rows.

Drawing U multinomial counts has the same law as drawing the items one by one, and costs
the same for a hundred items as for a million.
"""

from collections.abc import Iterator

import numpy as np

from evals.stats.checks import Floats
from evals.stats.coefficients import Coefficient
from evals.stats.ratings import UnitRows

# Numbers held at once: draws are made in blocks of about this many cells (16 MB).
BLOCK_CELLS = 2_000_000

MIN_UNITS = 50


def resampled_counts(rows: UnitRows, draws: int, seed: int) -> Iterator[Floats]:
    """Blocks of (b, U) arrays: how often each row occurs in each of `draws` resamples."""
    rng = np.random.default_rng(seed)
    n = int(rows.multiplicity.sum())
    shares = rows.multiplicity / rows.multiplicity.sum()
    block = max(1, BLOCK_CELLS // max(1, rows.counts.size))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        yield rng.multinomial(n, shares, size=size).astype(np.float64)


def bootstrap(
    rows: UnitRows, coefficients: dict[str, Coefficient], draws: int, seed: int
) -> dict[str, Floats]:
    """Every coefficient in every resample, NaN where it does not exist.

    All coefficients see the same resamples.

    Returns
    -------
    dict of (draws,) arrays
    """
    parts: dict[str, list[Floats]] = {name: [] for name in coefficients}
    for samples in resampled_counts(rows, draws, seed):
        for name, coefficient in coefficients.items():
            parts[name].append(coefficient(rows, samples))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}


def percentile_limits(
    value: float, replicates: Floats, confidence: float
) -> tuple[float, float] | None:
    """Percentile interval, widened where need be to hold the estimate itself.

    Returns None where the resamples show no spread or most of them have no number.
    """
    defined = replicates[np.isfinite(replicates)]
    if 2 * defined.size < replicates.size or np.ptp(defined) < 1e-12:
        return None
    tail = (1 - confidence) / 2
    low, high = np.quantile(defined, (tail, 1 - tail))
    return min(value, float(low)), max(value, float(high))
