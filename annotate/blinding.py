"""The blind: which output stands on which side, and how a choice is read without sides.

Pure. `blind` is the only way to a judging page, `unblind` the only way back: the side
that was drawn for a task is used in these two functions and nowhere else.
"""

from dataclasses import dataclass
from enum import StrEnum


class Side(StrEnum):
    """Where an output stands on the screen."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class BlindPair:
    """All that a judging page may know of an item."""

    prompt: str
    left: str
    right: str


@dataclass(frozen=True, slots=True)
class ScorePair:
    """One criterion scored for both outputs."""

    baseline: int
    candidate: int


def blind(prompt: str, baseline: str, candidate: str, candidate_side: Side) -> BlindPair:
    """The pair as the annotator of this task sees it."""
    if candidate_side == Side.LEFT:
        return BlindPair(prompt, left=candidate, right=baseline)
    return BlindPair(prompt, left=baseline, right=candidate)


def unblind(choice: int, candidate_side: Side) -> int:
    """Read a choice on the screen as a preference between the systems.

    `choice` is negative where the left output was preferred and positive where the
    right one was; the preference is negative for the baseline and positive for the
    candidate, of the same strength. 0 is a tie in both.
    """
    return choice if candidate_side == Side.RIGHT else -choice


def unblind_scores(left: int, right: int, candidate_side: Side) -> ScorePair:
    """Read the scores of the left and the right output as scores of the systems."""
    if candidate_side == Side.RIGHT:
        return ScorePair(baseline=left, candidate=right)
    return ScorePair(baseline=right, candidate=left)


def blind_scores(baseline: int, candidate: int, candidate_side: Side) -> tuple[int, int]:
    """The scores of a stored rating as (left, right), to show an annotator their own answer."""
    if candidate_side == Side.RIGHT:
        return baseline, candidate
    return candidate, baseline


def scale_words(points: int) -> list[tuple[int, str]]:
    """The choices of a preference scale of 3, 5 or 7 points, from left to right."""
    words = {
        3: ["better"],
        5: ["better", "much better"],
        7: ["slightly", "better", "much better"],
    }[points]
    left = [(-strength, f"Left {words[strength - 1]}") for strength in range(len(words), 0, -1)]
    right = [(strength, f"Right {words[strength - 1]}") for strength in range(1, len(words) + 1)]
    return [*left, (0, "The same"), *right]
