"""How much of a reference an answer repeats: in order (ROUGE-L), or as a bag (token F1)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from evals.metrics.base import (
    Expected,
    Kind,
    Output,
    Part,
    Result,
    Unscored,
    graded,
    text_of,
)
from evals.metrics.parameters import Within
from evals.metrics.texts import Tokens, split_tokens, squad_tokens, tokens_for

# The mask of a token that occurs more often is kept; of the others there may be many.
RARE = 8


@dataclass(frozen=True, slots=True)
class TextOverlap:
    """F1 (`value`), precision and recall, in [0, 1]."""

    value: float
    precision: float
    recall: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeParameters:
    """`tokens`: as rouge-score splits, as Unicode does, or told by the reference (auto).

    auto is rouge unless more than a fifth of the reference's letters are of another script than
    Latin, or none of its characters is one of a-z and 0-9.
    """

    tokens: Tokens = "auto"
    pass_at: Annotated[float, Within(0, 1)] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class F1Parameters:
    pass_at: Annotated[float, Within(0, 1)] | None = None


def overlap_of(shared: int, wanted: int, given: int) -> TextOverlap:
    if shared == 0:
        return TextOverlap(0.0, 0.0, 0.0)
    precision, recall = shared / given, shared / wanted
    return TextOverlap(2 * precision * recall / (precision + recall), precision, recall)


def rouge_l(reference: str, candidate: str, tokens: Tokens = "auto") -> TextOverlap | None:
    """ROUGE-L of an answer against a reference; None for a reference without a token.

    Parameters
    ----------
    reference, candidate : str
        Split into tokens by `evals.metrics.texts.split_tokens`, without stemming.
    tokens : "auto", "rouge" or "unicode"
        auto looks at the reference alone, so that every answer to it is split alike.

    References
    ----------
    C.-Y. Lin, ROUGE (2004), ACL workshop Text Summarization Branches Out, 74-81.
    """
    split = tokens_for(reference, tokens)
    wanted, given = split_tokens(reference, split), split_tokens(candidate, split)
    if not wanted:
        return None
    return overlap_of(longest_common_subsequence(wanted, given), len(wanted), len(given))


def token_f1(reference: str, candidate: str) -> TextOverlap | None:
    """F1 of the words that two texts share, as SQuAD counts them; None without a reference word.

    References
    ----------
    P. Rajpurkar et al., SQuAD, EMNLP (2016), 2383-2392, and its evaluation script 1.1.
    """
    wanted, given = squad_tokens(reference), squad_tokens(candidate)
    if not wanted:
        return None
    shared = (Counter(wanted) & Counter(given)).total()
    return overlap_of(shared, len(wanted), len(given))


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of the longest common subsequence, a whole row of the table in one integer.

    References
    ----------
    H. Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA (2004), 16-27.
    """
    places: dict[str, list[int]] = {}
    for position, token in enumerate(first):
        places.setdefault(token, []).append(position)
    masks = {token: _mask(at) for token, at in places.items() if len(at) > RARE}
    everything = (1 << len(first)) - 1
    row = everything
    for token in second:
        if token in places:
            matched = row & (masks[token] if token in masks else _mask(places[token]))
            row = ((row + matched) | (row - matched)) & everything
    return len(first) - row.bit_count()


def _mask(positions: Sequence[int]) -> int:
    """An integer with these bits set. Bytes, since adding bit by bit copies the whole each time."""
    bits = bytearray((positions[-1] >> 3) + 1)
    for position in positions:
        bits[position >> 3] |= 1 << (position & 7)
    return int.from_bytes(bits, "little")


def _best(found: list[TextOverlap | None], pass_at: float | None, more: dict[str, Part]) -> Result:
    scores = [overlap for overlap in found if overlap is not None]
    if not scores:
        return Unscored("no expected answer holds a word")
    best = max(scores, key=lambda overlap: overlap.value)
    parts = {"precision": best.precision, "recall": best.recall} | more
    return graded(best.value, pass_at, parts)


def _rouge_l(parameters: RougeParameters, output: Output, expected: Expected) -> Result:
    """The best of the expected answers counts."""
    given = text_of(output)
    found = [rouge_l(answer, given, parameters.tokens) for answer in expected.answers]
    used = {tokens_for(answer, parameters.tokens) for answer in expected.answers}
    return _best(found, parameters.pass_at, {"tokens": "+".join(sorted(used))})


def _token_f1(parameters: F1Parameters, output: Output, expected: Expected) -> Result:
    given = text_of(output)
    found = [token_f1(answer, given) for answer in expected.answers]
    return _best(found, parameters.pass_at, {})


ROUGE_L = Kind("rouge_l", 1, RougeParameters, lambda rules: partial(_rouge_l, rules))
TOKEN_F1 = Kind("token_f1", 1, F1Parameters, lambda rules: partial(_token_f1, rules))
