"""Annotators who choose one side of the screen more often than chance would."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evals.reporting.numbers import Shown, shown
from evals.stats.multiplicity import holm
from evals.stats.proportions import binomial_test_exact, clopper_pearson_interval
from evals.tallies import SidedVotes

ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class SideChooser:
    """Who leans to which side, and how far."""

    id: Any
    name: str
    side: str
    share: Shown


def side_choosers(
    votes: SidedVotes, people: Mapping[Any, str], confidence: float = 0.95
) -> list[SideChooser]:
    """Exact binomial tests of one half, corrected by Holm for the number of annotators."""
    decided = {
        who: (one.left, one.left + one.right)
        for who, one in votes.each_annotator.items()
        if one.left + one.right
    }
    if not decided:
        return []
    tested = holm([binomial_test_exact(left, n, 0.5) for left, n in decided.values()], ALPHA)
    found = []
    for (who, (left, n)), p in zip(decided.items(), tested.p_values, strict=True):
        if p <= ALPHA:
            side = "left" if 2 * left > n else "right"
            chosen = left if side == "left" else n - left
            share = shown(
                clopper_pearson_interval(chosen, n, confidence), word="decided judgements"
            )
            found.append(SideChooser(who, people.get(who, "somebody"), side, share))
    return found
