"""The figure of a run's latencies: no label is printed over another, at any width of a page."""

from itertools import pairwise

import numpy as np
import pytest

from evals.reporting.run_chart import LETTER, NARROWEST, latency_chart


def times(*quantiles: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """400 durations with about this median, p95 and p99."""
    low, middle, high = quantiles
    return np.array([low] * 360 + [middle] * 30 + [high] * 10, dtype=np.float64)


@pytest.mark.parametrize(
    ("quantiles", "labels"),
    [
        ((200, 600, 960), ["p50", "p95", "p99"]),
        ((200, 900, 950), ["p50", "p95, p99"]),
        ((850, 900, 950), ["p50, p95, p99"]),
        ((40, 60, 950), ["p50, p95", "p99"]),
        ((1, 999, 1000), ["p50", "p95, p99"]),
    ],
)
def test_labels_of_quantiles_share_their_words_where_they_would_touch(
    quantiles: tuple[float, float, float], labels: list[str]
) -> None:
    chart = latency_chart([("candidate", "new", times(*quantiles))])
    assert chart is not None

    assert [mark.label for mark in chart.marks if mark.label] == labels
    ends = [
        (middle - half, middle + half)
        for middle, half in (
            (mark.label_x * NARROWEST / 100, len(mark.label) * LETTER / 2)
            for mark in chart.marks
            if mark.label
        )
    ]
    assert ends[0][0] >= -0.1
    assert ends[-1][1] <= NARROWEST + 0.1
    assert all(before[1] < after[0] for before, after in pairwise(ends))


def test_every_quantile_keeps_its_line() -> None:
    chart = latency_chart([("candidate", "new", times(850, 900, 950))])
    assert chart is not None

    assert [mark.x for mark in chart.marks] == [85.0, 90.0, 95.0]


def test_the_end_of_the_axis_is_short() -> None:
    chart = latency_chart([("candidate", "new", times(850, 900, 950))])
    assert chart is not None

    assert chart.end == "≥ 1 s"
