"""How strong preferences are, as sums by item and by annotator."""

from dataclasses import dataclass

import numpy as np

from annotate.models import Study
from evals.queries.said import MIDDLE, POINTS
from evals.queries.votes import Source, overall
from evals.stats.checks import Ints
from evals.stats.histograms import distinct

POINT = np.arange(POINTS) - MIDDLE


@dataclass(frozen=True)
class StrengthSums:
    """Signed choices, the candidate's side positive.

    Attributes
    ----------
    n, total, squares : int
        Judgements, the sum of their choices, and of the squares of these.
    items, annotators : (H, 3) arrays
        Rows (judgements, sum of choices, how many items or annotators have just these).
    scales : (int, int) or None
        The shortest and the longest scale that was judged on; None without a judgement.
    """

    n: int
    total: int
    squares: int
    items: Ints
    annotators: Ints
    scales: tuple[int, int] | None


def strength_sums(study: Study, only: Source | None = None) -> StrengthSums:
    """All that the mean strength and its clustered interval need."""
    found = overall(study, only)
    points, times = found.points[:, :POINTS], found.points[:, POINTS]
    items = distinct(_sums(points), times)
    people = np.array(list(found.people.values()), dtype=np.int64).reshape(-1, POINTS)
    return StrengthSums(
        int(items[:, 0] @ items[:, 2]),
        int(items[:, 1] @ items[:, 2]),
        int(points @ POINT**2 @ times),
        items,
        distinct(_sums(people)),
        found.scales,
    )


def _sums(points: Ints) -> Ints:
    """(N, 2) array: judgements, and the sum of what they chose."""
    return np.column_stack((points.sum(axis=1), points @ POINT))
