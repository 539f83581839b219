"""How much of a reference text an answer repeats, in order."""

import re
from dataclasses import dataclass

from evals.stats.errors import UndefinedError

TOKEN = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True)
class TextOverlap:
    """F1 (`value`), precision and recall of the longest common subsequence, in [0, 1]."""

    value: float
    precision: float
    recall: float


def rouge_l_f1(reference: str, candidate: str) -> TextOverlap:
    """ROUGE-L of an answer against a reference.

    Parameters
    ----------
    reference, candidate : str
        Tokens are the runs of a-z and 0-9 of the lower-cased text, without stemming.

    Returns
    -------
    TextOverlap
        All 0 for a candidate without a token.

    Raises
    ------
    UndefinedError
        If the reference holds no token, or something is no text.

    References
    ----------
    C.-Y. Lin, ROUGE (2004), ACL workshop Text Summarization Branches Out, 74-81.
    """
    if not isinstance(reference, str) or not isinstance(candidate, str):
        raise UndefinedError("reference and candidate must be texts")
    wanted, given = TOKEN.findall(reference.lower()), TOKEN.findall(candidate.lower())
    if not wanted:
        raise UndefinedError("the reference holds no word")
    shared = longest_common_subsequence(wanted, given)
    if shared == 0:
        return TextOverlap(0.0, 0.0, 0.0)
    precision, recall = shared / len(given), shared / len(wanted)
    return TextOverlap(2 * precision * recall / (precision + recall), precision, recall)


def longest_common_subsequence(first: list[str], second: list[str]) -> int:
    """Length of the longest common subsequence, a whole row of the table in one integer.

    References
    ----------
    H. Hyyrö, Bit-parallel LCS-length computation revisited, AWOCA (2004), 16-27.
    """
    places: dict[str, int] = {}
    for position, token in enumerate(first):
        places[token] = places.get(token, 0) | 1 << position
    everything = (1 << len(first)) - 1
    row = everything
    for token in second:
        matched = row & places.get(token, 0)
        row = ((row + matched) | (row - matched)) & everything
    return len(first) - row.bit_count()
