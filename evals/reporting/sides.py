"""Position: how often the left output is chosen, and whether the win rate goes with the side."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from annotate.models import Study
from evals import queries
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.preference import win_rate_from_sums
from evals.stats.proportions import clopper_pearson_interval
from evals.stats.side_gap import side_gap_from_sums
from evals.tallies import NOTHING_JUDGED, AnnotatorVotes, SidedVotes, Tally, Ties, share_method

LEFT_SHARE = "share of decided judgements for the left output"
BOTH_BAD = "share of judgements that call both bad"


def left_share(left: Tally, confidence: float) -> Estimate | Undefined:
    """Share of decided judgements for the left output."""
    if left.n == 0:
        return Undefined("nothing has been decided yet")
    return share_method(left.win_rate(confidence), LEFT_SHARE)


def annotator_left_share(one: AnnotatorVotes, confidence: float) -> Estimate | Undefined:
    """The same of one annotator, who has judged each item once."""
    decided = one.left + one.right
    if not decided:
        return Undefined("nothing decided yet")
    return clopper_pearson_interval(one.left, decided, confidence)


def both_bad_rate(votes: SidedVotes, confidence: float) -> Estimate | Undefined:
    """Share of all judgements that say that neither output will do."""
    tally = votes.overall
    if tally.n == 0:
        return Undefined(NOTHING_JUDGED)
    people = votes.each_annotator.values()
    found = attempt(
        win_rate_from_sums,
        tally.n,
        tally.both_bad,
        tally.both_bad,
        [(others + bad, bad, times) for others, bad, times in votes.bad_items.tolist()],
        [(one.n, one.both_bad, 1) for one in people if one.n],
        confidence=confidence,
    )
    return share_method(found, BOTH_BAD)


def side_gap(votes: SidedVotes, confidence: float, ties: Ties) -> Estimate | Undefined:
    """Win rate with the candidate left minus that with it right, ties counted by `ties`."""
    tallies = [side.counted(ties) for side in votes.by_side]
    if not sum(side.n for side in tallies):
        return Undefined("no judgement says on which side the candidate stood")
    left, right = tallies
    return attempt(
        side_gap_from_sums,
        _sums(left.items, right.items),
        _sums(left.annotators, right.annotators),
        (left.wins + left.ties / 4, right.wins + right.ties / 4),
        confidence,
    )


def _sums(left: Ints, right: Ints) -> Any:
    """Both sides of the same items (or annotators), which lie in the same order."""
    columns = [
        part
        for rows in (left, right)
        for part in (rows[:, :3].sum(axis=1), rows[:, 2] + rows[:, 1] / 2)
    ]
    return np.column_stack((*columns, left[:, 3]))


def gap_words(gap: Estimate | Undefined) -> str:
    """Whether the interval of the difference holds 0."""
    if isinstance(gap, Undefined):
        return f"Whether the win rate changes with the side cannot be told: {gap.reason}."
    if gap.low is None or gap.high is None:
        return "Whether the win rate changes with the side cannot be told without an interval."
    if gap.low <= 0 <= gap.high:
        return "No sign that the win rate changes with the side."
    side = "left" if gap.value > 0 else "right"
    return f"The candidate wins more often on the {side}: {wording.points(gap.value)}."


def position_document(
    study: Study, votes: SidedVotes, only: queries.Source | None, confidence: float, ties: Ties
) -> dict[str, Any]:
    """What the report says of position, for scripts."""
    left, right = votes.by_side
    labels = {
        person.id: person.name if person.elsewhere else person.email
        for person in queries.people_counted(study, only)
    }
    return {
        "win_rate_candidate_left": left.preferred(confidence, ties).as_json(),
        "win_rate_candidate_right": right.preferred(confidence, ties).as_json(),
        "difference": side_gap(votes, confidence, ties).as_json(),
        "ties": ties,
        "left_share_by_annotator": _by_annotator(votes, labels, confidence),
    }


def _by_annotator(
    votes: SidedVotes, labels: Mapping[Any, str], confidence: float
) -> list[dict[str, Any]]:
    return [
        {
            "annotator": labels.get(who, str(who)),
            "left_share": annotator_left_share(one, confidence).as_json(),
        }
        for who, one in votes.each_annotator.items()
    ]
