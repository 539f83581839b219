"""By how much one system is preferred, on scales that ask for it."""

from dataclasses import dataclass

from evals import queries
from evals.reporting.numbers import Shown, shown
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.strength import mean_strength_from_sums
from evals.tallies import NOTHING_JUDGED

NO_STRENGTHS = (
    "a scale of 3 points asks who is better, not by how much; the win rate says all there is"
)
# The points on the candidate's side, as the judging page calls them.
STEPS = {
    5: ("better", "much better"),
    7: ("slightly better", "better", "much better"),
}


@dataclass(frozen=True, slots=True)
class Strength:
    """What a page shows of it: the number, and what its ends mean."""

    number: Shown
    meaning: str


def mean_strength_of(sums: queries.StrengthSums, confidence: float) -> Estimate | Undefined:
    """The mean signed choice from -1 to 1, or the reason why there is none."""
    if sums.scales is None:
        return Undefined(NOTHING_JUDGED)
    least, most = sums.scales
    if least != most:
        reason = f"judgements were made on scales of {least} and {most} points"
        return Undefined(f"{reason}, which have no strengths in common", sums.n)
    if most == 3:
        return Undefined(NO_STRENGTHS, sums.n)
    return attempt(
        mean_strength_from_sums,
        sums.n,
        sums.total,
        sums.squares,
        sums.items,
        sums.annotators,
        reach=(most - 1) // 2,
        confidence=confidence,
    )


def strength(sums: queries.StrengthSums, confidence: float) -> Strength | None:
    """The same for a page; None where the scale has no strengths to tell of."""
    if sums.scales is None or sums.scales == (3, 3):
        return None
    return Strength(shown(mean_strength_of(sums, confidence), "strength"), _meaning(sums.scales[1]))


def _meaning(points: int) -> str:
    """What each point of the scale counts."""
    reach = (points - 1) // 2
    steps = ", ".join(f"{name} {(step + 1) / reach:.2g}" for step, name in enumerate(STEPS[points]))
    return (
        f"Each judgement counts by its point on the scale of {points}: {steps}, a tie or "
        "\u201cboth bad\u201d 0, negative where the baseline is better. +1 would be \u201cmuch "
        "better\u201d every time; 0, that strengths cancel out."
    )
