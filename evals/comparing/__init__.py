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
from evals.comparing.output_lengths import LengthGroup, Lengths, answers_json, mean_length
from evals.comparing.speed import Speed, SpeedRow, TokenRow

__all__ = [
    "MARGIN",
    "CategoryRegression",
    "Comparison",
    "Group",
    "LengthGroup",
    "Lengths",
    "ScoreGroup",
    "ScorerGroups",
    "Speed",
    "SpeedRow",
    "TokenRow",
    "answers_json",
    "compare",
    "compare_passing",
    "compare_speed",
    "is_adversarial",
    "mean_length",
]
