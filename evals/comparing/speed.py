"""How long answers take and how many tokens, of both systems and as a ratio."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evals.queries.run_facts import RunFacts, Tokens
from evals.stats.checks import Floats
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.latency import least_for_ratio, quantile_interval, quantile_ratio
from evals.stats.means import mean_interval, ratio_of_means

Found = Estimate | Undefined
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
NO_LATENCY = "no request was measured"


@dataclass(frozen=True, slots=True)
class SpeedRow:
    """One summary of latencies, in milliseconds, and how many times the baseline's it is."""

    name: str
    baseline: Found
    candidate: Found
    ratio: Found

    def as_json(self) -> dict[str, Any]:
        return {
            "baseline": self.baseline.as_json(),
            "candidate": self.candidate.as_json(),
            "ratio": self.ratio.as_json(),
        }


@dataclass(frozen=True, slots=True)
class Speed:
    """Latencies of first tries that succeeded.

    Attributes
    ----------
    rows : mean, p50, p95, p99
    more_for_p99 : int
        Requests that the smaller side lacks for a verdict on p99; 0 where it has enough.
    is_interleaved : bool
        Whether requests of both systems were sent in turns, so that both met the same network.
    """

    rows: tuple[SpeedRow, ...]
    n: tuple[int, int]
    more_for_p99: int
    is_interleaved: bool

    def row(self, name: str) -> SpeedRow:
        return next(row for row in self.rows if row.name == name)

    def as_json(self) -> dict[str, Any]:
        return {
            "unit": "ms",
            "requests": {"baseline": self.n[0], "candidate": self.n[1]},
            "interleaved": self.is_interleaved,
            "more_requests_for_p99": self.more_for_p99,
            **{row.name: row.as_json() for row in self.rows},
        }


def speed(
    baseline: RunFacts, candidate: RunFacts, confidence: float, *, is_interleaved: bool
) -> Speed:
    """Compare the latencies of two runs."""
    sides = baseline.latencies, candidate.latencies
    rows = [_mean_row(*sides, confidence)]
    rows += [_quantile_row(name, *sides, confidence) for name in QUANTILES]
    least = min(side.size for side in sides)
    missing = max(0, least_for_ratio(QUANTILES["p99"], confidence) - least)
    return Speed(tuple(rows), (sides[0].size, sides[1].size), missing, is_interleaved)


def _mean_row(baseline: Floats, candidate: Floats, confidence: float) -> SpeedRow:
    means = [_mean(side, confidence) for side in (baseline, candidate)]
    under, over = means
    ratio: Found = Undefined(NO_LATENCY)
    if isinstance(under, Estimate) and isinstance(over, Estimate):
        ratio = attempt(ratio_of_means, over, under)
    return SpeedRow("mean", under, over, ratio)


def _mean(side: Floats, confidence: float) -> Found:
    if not side.size:
        return Undefined(NO_LATENCY)
    deviation = float(np.std(side, ddof=1)) if side.size > 1 else None
    return attempt(mean_interval, side.size, float(side.mean()), deviation, confidence)


def _quantile_row(name: str, baseline: Floats, candidate: Floats, confidence: float) -> SpeedRow:
    q = QUANTILES[name]
    under, over = (attempt(_quantile, side, q, confidence) for side in (baseline, candidate))
    if isinstance(under, Undefined) or isinstance(over, Undefined):
        return SpeedRow(name, under, over, Undefined(NO_LATENCY))
    least = least_for_ratio(q, confidence)
    ratio = attempt(quantile_ratio, candidate, baseline, q, confidence=confidence, least=least)
    return SpeedRow(name, under, over, ratio)


def _quantile(side: Floats, q: float, confidence: float) -> Estimate:
    if not side.size:
        raise UndefinedError(NO_LATENCY)
    return quantile_interval(side, q, confidence)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """Tokens of one answer on the mean: of the prompt, or generated."""

    name: str
    baseline: Found
    candidate: Found

    def as_json(self) -> dict[str, Any]:
        return {"baseline": self.baseline.as_json(), "candidate": self.candidate.as_json()}


def token_rows(baseline: RunFacts, candidate: RunFacts, confidence: float) -> tuple[TokenRow, ...]:
    """Prompt and generated tokens per answer."""
    return (
        TokenRow("prompt", *_tokens(baseline.tokens_in, candidate.tokens_in, confidence)),
        TokenRow("generated", *_tokens(baseline.tokens_out, candidate.tokens_out, confidence)),
    )


def _tokens(baseline: Tokens, candidate: Tokens, confidence: float) -> tuple[Found, Found]:
    one, other = (
        attempt(mean_interval, side.n, side.mean, side.deviation, confidence, "mean of an answer")
        if side.n
        else Undefined("no answer says how many tokens it took")
        for side in (baseline, candidate)
    )
    return one, other


def facts_json(facts: RunFacts) -> Mapping[str, Any]:
    """What became of one run's answers."""
    return {
        "cases": facts.cases,
        "errors": facts.errors,
        "truncated": facts.truncated,
        "error_kinds": {kind: count for kind, count, _ in facts.error_kinds},
        "latency_left_out": {
            "cached": facts.cached,
            "retried": facts.retried,
            "not_measured": facts.unmeasured,
        },
        "cost": None if facts.cost is None else float(facts.cost),
    }
