"""Perplexity of the generated tokens, and bits per byte beside it.

This is how sure a system was of what it wrote itself. It is not the perplexity of a fixed text,
and between systems with different tokenizers only bits per byte can be compared at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evals.metrics.base import (
    Expected,
    Kind,
    Output,
    Part,
    Result,
    Scored,
    TokenLogprob,
    Unscored,
)
from evals.metrics.texts import encodable

# Servers write -9999 for "not among the most likely": one in a hundred turns 1.1 into 1e43. No
# token that was sampled has a probability of e^-1000, which no float could hold.
STAND_IN = -1000.0
# Rounding may lift the logarithm of a probability of 1 above 0.
ROUNDING = 1e-4
LABEL = "of the generated tokens"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Perplexity has none."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """The summed negative log-probability of some tokens, in nats, and what it is spread over."""

    nats: float
    tokens: int
    bytes: int


def surprise(output: Output) -> Surprise | Unscored:
    """What an output's log-probabilities add up to, or why they cannot be used."""
    tokens = output.logprobs
    if tokens is None:
        return Unscored("the answer came without log-probabilities")
    if not tokens:
        return Unscored("the answer holds no token")
    for place, token in enumerate(tokens, start=1):
        fault = _fault(token.logprob)
        if fault:
            return Unscored(f"token {place} of {len(tokens)}: {fault}")
    nats = math.fsum(-min(0.0, token.logprob) for token in tokens)
    return Surprise(nats, len(tokens), _bytes(output, tokens))


def _fault(logprob: float) -> str:
    if not math.isfinite(logprob):
        return f"its log-probability is {logprob}, which is no number"
    if logprob <= STAND_IN:
        return f"its log-probability is {logprob:g}, which stands for one the server left out"
    if logprob > ROUNDING:
        return f"its log-probability is {logprob:g}; a logarithm of a probability is at most 0"
    return ""


def _bytes(output: Output, tokens: Sequence[TokenLogprob]) -> int:
    """Bytes of the tokens where each was told (one letter may be spread over several)."""
    if all(token.bytes is not None for token in tokens):
        return sum(len(token.bytes or ()) for token in tokens)
    text = output.text if output.text is not None else "".join(token.token for token in tokens)
    return len(encodable(text).encode())


def _scored(total: Surprise, more: dict[str, Part]) -> Result:
    mean = total.nats / total.tokens
    bits = total.nats / math.log(2) / total.bytes if total.bytes else None
    if mean > math.log(float(2**1000)):
        return Unscored("the log-probabilities are too low to be those of generated tokens")
    parts: dict[str, Part] = {
        "of": LABEL,
        "bits_per_byte": bits,
        "nats_per_token": mean,
        "tokens": total.tokens,
        "bytes": total.bytes,
    }
    return Scored(math.exp(mean), None, parts | more)


def perplexity(output: Output, expected: Expected) -> Result:
    """exp of the mean negative log-probability of the tokens that were generated."""
    found = surprise(output)
    return found if isinstance(found, Unscored) else _scored(found, {})


def corpus_perplexity(pairs: Sequence[tuple[Output, Expected]]) -> Result:
    """exp of the mean over all tokens of all outputs: long outputs weigh more.

    Outputs that failed or have no usable log-probabilities are left out, and counted.
    """
    found = [surprise(output) for output, _ in pairs if output.error is None]
    usable = [one for one in found if isinstance(one, Surprise)]
    if not usable:
        return Unscored("no output has usable log-probabilities")
    total = Surprise(
        math.fsum(one.nats for one in usable),
        sum(one.tokens for one in usable),
        sum(one.bytes for one in usable),
    )
    return _scored(total, {"outputs": len(usable), "left_out": len(pairs) - len(usable)})


PERPLEXITY = Kind(
    "perplexity",
    1,
    Parameters,
    lambda _: perplexity,
    engine=lambda _: {"of": LABEL},
    corpus=lambda _: corpus_perplexity,
    corpus_engine=lambda _: {"of": LABEL},
    answers_needed=False,
    reads_text=False,
    on_no_output="unscored",
    higher_is_better=False,
    top=None,
)
