"""Votes as sums: which clustering they allow, and the variance of their mean under it."""

from dataclasses import dataclass

import numpy.typing as npt

from evals.stats.checks import Floats, Ints, count, number, one_of
from evals.stats.clusters import ClusterSums, crossed, sums_from_codes, sums_from_histogram
from evals.stats.errors import UndefinedError

# Fewer annotators than this cannot speak for annotators at large: three of them make
# the two-way interval 0.59 wide.
MIN_ANNOTATORS = 5
ONE_VOTE = "one vote for each item"
CLUSTERS = ("auto", "item_and_annotator", "item", "item_or_exact")
# Largest relative difference of sums that were added in another order.
ROUNDING = 1e-9


@dataclass(frozen=True)
class VoteSums:
    """All that the clustered interval needs to know of N votes."""

    n: int
    total: float
    total_squares: float
    items: ClusterSums
    annotators: ClusterSums
    cells: ClusterSums | None = None

    @property
    def mean(self) -> float:
        return min(1.0, max(0.0, self.total / self.n))

    def cell_variance(self) -> float:
        """Variance by (item, annotator); single votes unless someone judged an item twice."""
        if self.cells is not None:
            return self.cells.variance(self.mean, self.n)
        residuals = max(0.0, self.total_squares - self.n * self.mean**2)
        return residuals / self.n**2 * self.n / (self.n - 1)


def sums_of_votes(items: Ints, annotators: Ints, scores: Floats) -> VoteSums:
    """The sums of single votes; items and annotators are numbered from 0."""
    cells = crossed(items, annotators)
    return VoteSums(
        len(scores),
        float(scores.sum()),
        float(scores @ scores),
        sums_from_codes(items, scores),
        sums_from_codes(annotators, scores),
        None if cells is None else sums_from_codes(cells, scores),
    )


def sums_of_histograms(
    n: int,
    total: float,
    total_squares: float,
    item_hist: npt.ArrayLike,
    annotator_hist: npt.ArrayLike,
    cell_hist: npt.ArrayLike | None = None,
) -> VoteSums:
    """The sums that a database has made, scores being between 0 and 1.

    Raises
    ------
    UndefinedError
        If there are no votes, or the sums contradict each other.
    """
    votes = count(n, "the number of votes")
    if votes == 0:
        raise UndefinedError("there are no votes")
    sums = VoteSums(
        votes,
        number(total, "the sum of the scores"),
        number(total_squares, "the sum of the squared scores"),
        sums_from_histogram(item_hist, "the items"),
        sums_from_histogram(annotator_hist, "the annotators"),
        None if cell_hist is None else sums_from_histogram(cell_hist, "the cells"),
    )
    _check_sums(sums)
    return sums


def _check_sums(sums: VoteSums) -> None:
    """Counts by item, by annotator and in all must be those of the same votes."""
    slack = ROUNDING * sums.n
    if not -slack <= sums.total_squares <= sums.total + slack <= sums.n + 2 * slack:
        raise UndefinedError("the sums are not those of scores between 0 and 1", sums.n)
    parts = {"item": sums.items, "annotator": sums.annotators, "cell": sums.cells}
    for name, part in parts.items():
        if part is None:
            continue
        if part.times @ part.votes != sums.n or abs(part.times @ part.scores - sums.total) > slack:
            raise UndefinedError(f"the sums by {name} do not add up to all votes", sums.n)


@dataclass(frozen=True)
class Clustering:
    """By what votes go together, and how many of the fewer kind of clusters there are.

    Attributes
    ----------
    by : {"none", "item", "item_and_annotator"}
    label : str
        In words.
    smallest : int
        Clusters of the kind that has fewer; Student's t has one degree of freedom less.
    """

    by: str
    label: str
    smallest: int


def clustering_of(sums: VoteSums, cluster: str) -> Clustering:
    """The clustering that was asked for; "auto" takes what the votes allow.

    Raises
    ------
    UndefinedError
        If the clustering has a single cluster.
    """
    one_of(cluster, "the cluster", CLUSTERS)
    by, label = _chosen(sums, cluster)
    if by == "none":
        return Clustering(by, label, sums.n)
    groups = [sums.items] if by == "item" else [sums.items, sums.annotators]
    for group, name in zip(groups, ("item", "annotator"), strict=False):
        if group.size < 2:
            raise UndefinedError(f"all votes are of a single {name}", sums.n)
    return Clustering(by, label, min(group.size for group in groups))


def _chosen(sums: VoteSums, cluster: str) -> tuple[str, str]:
    if cluster == "item_or_exact":
        return ("none", ONE_VOTE) if sums.items.single else ("item", _label("item"))
    return _by_the_votes(sums) if cluster == "auto" else (cluster, _label(cluster))


def _by_the_votes(sums: VoteSums) -> tuple[str, str]:
    people = sums.annotators.size
    if people >= MIN_ANNOTATORS:
        return "item_and_annotator", _label("item_and_annotator")
    if not sums.items.single:
        return "item", f"{_label('item')}, for these annotators ({people})"
    # Wins and losses that come one on each item are trials, so the exact law holds for them.
    if people < 2:
        return "none", f"one annotator, {ONE_VOTE}"
    return "none", f"{ONE_VOTE}, for these annotators ({people})"


def _label(by: str) -> str:
    return f"clustered by {by.replace('_and_', ' and by ')}"


def clustered_variance(sums: VoteSums, by: str) -> float:
    """Variance of the mean score: of the sums by item, or of both ways together."""
    by_item = sums.items.variance(sums.mean, sums.n)
    if by == "item":
        return by_item
    by_annotator = sums.annotators.variance(sums.mean, sums.n)
    return max(by_item + by_annotator - sums.cell_variance(), by_item, by_annotator)
