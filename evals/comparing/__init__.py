"""Comparing: two runs of one suite, case by case, with what can and cannot be said of it."""

from evals.comparing.comparison import (
    MARGIN,
    CategoryRegression,
    Comparison,
    compare,
    compare_passing,
    compare_speed,
)
from evals.comparing.groups import Group, ScoreGroup, ScorerGroups, is_adversarial
from evals.comparing.speed import Speed, SpeedRow, TokenRow

__all__ = [
    "MARGIN",
    "CategoryRegression",
    "Comparison",
    "Group",
    "ScoreGroup",
    "ScorerGroups",
    "Speed",
    "SpeedRow",
    "TokenRow",
    "compare",
    "compare_passing",
    "compare_speed",
    "is_adversarial",
]
