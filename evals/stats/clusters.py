"""Sums over clusters: how much the votes on one item, or of one annotator, go together.

A histogram has one row (votes, score sum, how many clusters have just these) for each
distinct kind of cluster. It is all that the variance needs, and a database makes it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.stats.checks import LARGEST_COUNT, Floats, Ints, array
from evals.stats.errors import UndefinedError


@dataclass(frozen=True)
class ClusterSums:
    """Votes and score sums of clusters, equal clusters counted together.

    Attributes
    ----------
    votes, scores, times : (H,) arrays
        Votes in a cluster, sum of their scores, number of such clusters.
    """

    votes: Floats
    scores: Floats
    times: Floats

    @property
    def size(self) -> int:
        """Number of clusters."""
        return int(self.times.sum())

    @property
    def single(self) -> bool:
        """No cluster has more than one vote."""
        return bool((self.votes <= 1).all())

    def variance(self, mean: float, n: int) -> float:
        """Variance of the mean of `n` scores, clusters being independent.

        G/(G-1) · sum over clusters of (sum of residuals)², over n².

        Raises
        ------
        UndefinedError
            If there is a single cluster.
        """
        clusters = self.size
        if clusters < 2:
            raise UndefinedError("a single cluster has no spread to build on", n)
        residuals = self.scores - mean * self.votes
        return float(self.times @ residuals**2) / n**2 * clusters / (clusters - 1)


def sums_from_histogram(histogram: npt.ArrayLike, name: str) -> ClusterSums:
    """Read a (H, 3) array of (votes, score sum, number of clusters).

    Raises
    ------
    UndefinedError
        If a count is no whole number, or a score sum lies outside 0 to its votes.
    """
    table = array(histogram, name, 2)
    if table.size == 0:
        table = np.zeros((0, 3))
    if table.shape[1] != 3:
        raise UndefinedError(f"{name} must have rows of votes, score sum and number")
    votes, scores, times = table.T
    whole = np.stack((votes, times))
    if ((whole < 1) | (whole != np.floor(whole)) | (whole > LARGEST_COUNT)).any():
        raise UndefinedError(f"{name}: votes and numbers must be whole and at least 1")
    if ((scores < 0) | (scores > votes)).any():
        raise UndefinedError(f"{name}: a score sum lies outside 0 to its number of votes")
    return ClusterSums(votes, scores, times)


def sums_from_codes(codes: Ints, scores: Floats) -> ClusterSums:
    """Sum the votes of each cluster; `codes` are 0 ... G-1, each occurring."""
    votes = np.bincount(codes).astype(np.float64)
    sums = np.bincount(codes, weights=scores).astype(np.float64)
    return ClusterSums(votes, sums, np.ones(len(votes)))


def codes_of(labels: Any, name: str) -> Ints:
    """Number the distinct labels from 0; every number occurs.

    Raises
    ------
    UndefinedError
        If the labels are no flat list, or one is missing.
    """
    raw = labels if isinstance(labels, np.ndarray) else _as_array(labels, name)
    if raw.ndim != 1:
        raise UndefinedError(f"{name} must be a flat list")
    if raw.dtype.kind in "iu" and raw.size and int(raw.max()) - int(raw.min()) <= 8 * raw.size:
        shifted = (raw - raw.min()).astype(np.int64)
        # Dense numbers need no sort: mark those that occur and count along.
        number = np.cumsum(np.bincount(shifted) > 0) - 1
        return np.asarray(number[shifted], dtype=np.int64)
    if raw.dtype.kind == "O":
        return _codes_of_objects(raw, name)
    if raw.dtype.kind == "f" and not np.isfinite(raw).all():
        raise UndefinedError(f"{name}: a label is missing")
    return np.asarray(np.unique(raw, return_inverse=True)[1].ravel(), dtype=np.int64)


def _as_array(labels: Any, name: str) -> npt.NDArray[Any]:
    # Object dtype keeps 1 and "1" apart, which NumPy would make the same text.
    try:
        items = list(labels)
    except TypeError:
        raise UndefinedError(f"{name} must be a flat list") from None
    raw = np.empty(len(items), dtype=object)
    raw[:] = items
    return raw


def _codes_of_objects(raw: npt.NDArray[Any], name: str) -> Ints:
    index: dict[Any, int] = {}
    try:
        codes = [index.setdefault(label, len(index)) for label in raw.tolist()]
    except TypeError:
        raise UndefinedError(f"{name}: a label must be a number or a word") from None
    # NaN differs from itself, so it would be a new cluster each time.
    if any(label is None or label != label for label in index):
        raise UndefinedError(f"{name}: a label is missing")
    return np.asarray(codes, dtype=np.int64)


def crossed(first: Ints, second: Ints) -> Ints | None:
    """Number the cells of two clusterings; None where every cell has a single vote."""
    cells = first * (int(second.max()) + 1) + second
    ordered = np.sort(cells)
    if not (ordered[1:] == ordered[:-1]).any():
        return None
    return np.asarray(np.unique(cells, return_inverse=True)[1].ravel(), dtype=np.int64)


def vote_columns(votes: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """Items, annotators and scores of rows [item, annotator, score].

    Raises
    ------
    UndefinedError
        If a row is no such triple.
    """
    try:
        rows = [tuple(vote) for vote in votes]
    except TypeError:
        raise UndefinedError("every vote must be item, annotator and score") from None
    if any(len(row) != 3 for row in rows):
        raise UndefinedError("every vote must be item, annotator and score", len(rows))
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]
