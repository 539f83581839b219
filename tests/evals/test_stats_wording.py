"""Numbers as people read them."""

import pytest

from evals.stats import wording
from evals.stats.estimates import Estimate

THIN = "\u202f"
MINUS = "\u2212"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.644, "64.4"), (1.0, "100.0"), (0.0, "0.0"), (0.99996, "99.9"), (0.00004, "0.1"),
        (0.98513, "98.5"),
    ],
)  # fmt: skip
def test_only_a_full_share_reads_as_100_percent(share: float, text: str) -> None:
    assert wording.percent(share) == f"{text}{THIN}%"


def test_a_lower_bound_is_rounded_down() -> None:
    assert wording.percent_at_least(0.98599) == f"98.5{THIN}%"
    assert wording.percent_at_least(0.985) == f"98.5{THIN}%"


def test_differences_carry_a_sign_and_a_true_minus() -> None:
    assert wording.points(0.084) == f"+8.4{THIN}points"
    assert wording.points(-0.023) == f"{MINUS}2.3{THIN}points"
    assert wording.points(-0.00001) == f"0.0{THIN}points"
    assert wording.points(0.01, 0) == f"+1{THIN}point"
    assert wording.interval(-0.065, 0.019, "points") == f"{MINUS}6.5 to +1.9"


def test_intervals_are_written_with_to() -> None:
    assert wording.interval(0.585, 0.699) == "58.5 to 69.9"
    assert wording.interval(1.08, 1.59, "ratio") == "1.08 to 1.59"
    assert wording.interval(-0.2, 0.74, "coefficient") == f"{MINUS}0.20 to 0.74"
    assert wording.interval(None, None) == "\u2013"


def test_an_estimate_never_travels_alone() -> None:
    estimate = Estimate(0.644, 0.585, 0.699, 1812, "m")

    assert wording.estimate(estimate) == f"64.4{THIN}% (58.5 to 69.9, 1,812 judgements)"
    lonely = Estimate(1.0, None, None, 1, "m")
    assert wording.estimate(lonely, "coefficient", "items") == "1.00 (no interval, 1 item)"


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (3, "3"), (41, "45"), (143, "150"), (991, "1,000"), (1_040, "1,050"), (12_345, "12,500"),
        (1_234_567, "1,235,000"),
    ],
)  # fmt: skip
def test_a_forecast_is_rounded_up_to_what_is_known(n: int, text: str) -> None:
    assert wording.about(n) == f"about {text}"


def test_thousands_have_commas_and_ratios_their_sign() -> None:
    assert wording.count(1_234_567) == "1,234,567"
    assert wording.counted(1, "cases") == "1 case"
    assert wording.ratio(1.31) == f"1.31{THIN}×"
    assert wording.sentence("not measured: no case") == "Not measured: no case."
