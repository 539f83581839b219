"""The bootstraps behind a verdict: their seeds and draws, said once and used there."""

from typing import Any

from evals.stats.agreement import DRAWS as AGREEMENT_DRAWS
from evals.stats.latency import DRAWS as LATENCY_DRAWS

GENERATOR = "numpy.random.default_rng (PCG64)"
AGREEMENT_SEED = 0
LATENCY_SEED = 0


def seeds() -> list[dict[str, Any]]:
    """Of each number that is resampled: from which seed, and how often."""
    return [
        {"number": number, "seed": seed, "draws": draws, "generator": GENERATOR}
        for number, seed, draws in (
            ("agreement", AGREEMENT_SEED, AGREEMENT_DRAWS),
            ("latency_p99", LATENCY_SEED, LATENCY_DRAWS),
        )
    ]
