"""Votes as the database counts them, and the estimates that follow from the counts.

Pure. A tally holds how many items (and how many annotators) have so many losses, ties and
wins of the candidate: all that the win rate, its clustered interval and the agreement of
annotators need, whatever the number of judgements.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from evals.stats.agreement import agreement_summary
from evals.stats.anytime import annotators_margin
from evals.stats.checks import Ints
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.histograms import codes_of
from evals.stats.preference import ClusteredRate, win_rate_from_sums

# Categories of a preference, in their order.
CATEGORIES = ("baseline", "tie", "candidate")
# What becomes of ties: half a win for each side, or left out.
Ties = Literal["half", "decided"]
# What a win rate is then made of.
COUNTED: dict[Ties, str] = {"half": "judgements", "decided": "decided judgements"}
# The last column of the rows of `SidedVotes`.
LAST = 10
# With fewer items judged their share of ties foretells little.
FEWEST_ITEMS = 20
NOTHING_JUDGED = "nothing has been judged yet"
NOTHING_DECIDED = "every judgement is a tie, so nothing was decided"


def counts_of(rows: Iterable[Sequence[int]], width: int = 4) -> Ints:
    """Rows of counts as an array that keeps its width when there are none."""
    return np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, width)


@dataclass(frozen=True)
class Tally:
    """Votes on one question.

    Attributes
    ----------
    items, annotators : (H, 4) arrays
        Rows (losses, ties, wins, how many items or annotators have just these).
    both_bad : int
        Ties of which the annotator said that both outputs were bad.
    """

    items: Ints = field(default_factory=lambda: counts_of(()))
    annotators: Ints = field(default_factory=lambda: counts_of(()))
    both_bad: int = 0

    @cached_property
    def totals(self) -> tuple[int, int, int]:
        """Losses, ties and wins in all."""
        losses, ties, wins = (self.items[:, :3] * self.items[:, 3:]).sum(axis=0)
        return int(losses), int(ties), int(wins)

    @property
    def losses(self) -> int:
        return self.totals[0]

    @property
    def ties(self) -> int:
        return self.totals[1]

    @property
    def wins(self) -> int:
        return self.totals[2]

    @property
    def plain_ties(self) -> int:
        """Ties of two outputs that were not both bad."""
        return self.ties - self.both_bad

    @property
    def n(self) -> int:
        return sum(self.totals)

    @property
    def decided(self) -> int:
        return self.wins + self.losses

    @property
    def tie_share(self) -> float | None:
        """The share of ties so far; None before it can be told, and where nothing is decided."""
        if self.item_count < FEWEST_ITEMS or not self.decided:
            return None
        return self.ties / self.n

    @property
    def is_single(self) -> bool:
        """Whether no item has more than one vote."""
        return bool((self.items[:, :3].sum(axis=1) <= 1).all())

    @property
    def item_count(self) -> int:
        """Items with a vote."""
        return int(self.items[self.items[:, :3].any(axis=1), 3].sum())

    @property
    def annotator_count(self) -> int:
        return int(self.annotators[self.annotators[:, :3].any(axis=1), 3].sum())

    def win_rate(self, confidence: float = 0.95) -> ClusteredRate | Undefined:
        """Mean score of the candidate, a tie being half a win."""
        if self.n == 0:
            return Undefined(NOTHING_JUDGED)
        score, squares = self.wins + self.ties / 2, self.wins + self.ties / 4
        return attempt(
            win_rate_from_sums,
            self.n,
            score,
            squares,
            _histogram(self.items),
            _histogram(self.annotators),
            confidence=confidence,
        )

    def annotators_margin(self, confidence: float = 0.95) -> float | None:
        """How far these annotators may lie from annotators like them; None for fewer than 5."""
        return annotators_margin(_histogram(self.annotators), confidence)

    def without_ties(self) -> "Tally":
        return Tally(_no_ties(self.items), _no_ties(self.annotators))

    def counted(self, ties: Ties) -> "Tally":
        """The votes that count by the tie policy of a study."""
        return self if ties == "half" else self.without_ties()

    def win_rate_decided(self, confidence: float = 0.95) -> ClusteredRate | Undefined:
        """Share of decided votes that the candidate won."""
        if self.n and not self.decided:
            return Undefined(NOTHING_DECIDED)
        return self.without_ties().win_rate(confidence)

    def preferred(self, confidence: float, ties: Ties) -> ClusteredRate | Undefined:
        """The win rate by the tie policy of a study."""
        return self.win_rate(confidence) if ties == "half" else self.win_rate_decided(confidence)

    def agreement(self, confidence: float = 0.95, seed: int = 0) -> dict[str, Estimate | Undefined]:
        """Percent agreement, alpha, Fleiss' kappa and AC1 of baseline, tie and candidate."""
        # Draws depend on the order of the rows: both directions of the scale get the same.
        rows = np.array(min(sorted(self.items.tolist()), sorted(self.mirrored().items.tolist())))
        rows = rows.reshape(-1, 4)
        answers = attempt(
            agreement_summary, rows[:, :3], rows[:, 3], seed=seed, confidence=confidence
        )
        if isinstance(answers, Undefined):
            return dict.fromkeys(AGREEMENT, answers)
        return answers

    def mirrored(self) -> "Tally":
        """The same votes with baseline and candidate exchanged."""
        order = [2, 1, 0, 3]
        return replace(self, items=self.items[:, order], annotators=self.annotators[:, order])


AGREEMENT = ("percent", "alpha_nominal", "alpha_ordinal", "fleiss_kappa", "gwet_ac1")


def _no_ties(rows: Ints) -> Ints:
    return np.asarray(rows * np.array([1, 0, 1, 1]))


def _histogram(rows: Ints) -> list[tuple[float, float, float]]:
    """(votes, score sum, times) of the rows that have a vote."""
    return [
        (losses + ties + wins, wins + ties / 2, times)
        for losses, ties, wins, times in rows.tolist()
        if losses + ties + wins
    ]


@dataclass(frozen=True)
class SidedVotes:
    """Votes on the overall question, kept apart by category and by the candidate's side.

    Attributes
    ----------
    categories : sequence of str
    item_rows : (H, 11) array
        Number of the category; losses, ties and wins with the candidate on the left, then
        on the right, then on a side that nobody knows; items with just these.
    annotator_rows : (R, 11) array
        The same of one annotator each, in the order of `annotators`; the last column
        counts "both bad".
    annotators : sequence
        The annotator of each row.
    bad_items : (H, 3) array
        Answers to an item that are not "both bad", those that are, items with just these.
    """

    categories: Sequence[str]
    item_rows: Ints
    annotator_rows: Ints
    annotators: Sequence[object]
    bad_items: Ints = field(default_factory=lambda: counts_of((), 3))

    @cached_property
    def overall(self) -> Tally:
        return self._tally(self.item_rows)

    def by_category(self) -> dict[str, Tally]:
        """A tally for each category that has votes."""
        return {
            name: self._tally(
                self.item_rows[self.item_rows[:, 0] == number],
                np.flatnonzero(self.annotator_rows[:, 0] == number),
            )
            for number, name in enumerate(self.categories)
        }

    @cached_property
    def by_side(self) -> tuple[Tally, Tally]:
        """Votes with the candidate on the left, and on the right."""
        people = self._summed()
        left, right = slice(1, 4), slice(4, 7)
        return self._side(people, left), self._side(people, right)

    def _side(self, people: Ints, side: slice) -> Tally:
        items = np.column_stack((self.item_rows[:, side], self.item_rows[:, LAST]))
        return Tally(items, np.column_stack((people[:, side], _ones(people))))

    @cached_property
    def left(self) -> Tally:
        """Decided votes read as they stood on the screen: left is a win, right a loss."""
        people = self._summed()
        items = np.column_stack((_chosen(self.item_rows), self.item_rows[:, LAST]))
        return Tally(items, np.column_stack((_chosen(people), _ones(people))))

    @cached_property
    def each_annotator(self) -> dict[object, "AnnotatorVotes"]:
        """What each annotator said, all categories together."""
        rows = self._summed()
        chosen = _chosen(rows)
        said = _on_all_sides(rows)
        return {
            who: AnnotatorVotes(
                losses=int(votes[0]),
                ties=int(votes[1]),
                wins=int(votes[2]),
                both_bad=int(row[LAST]),
                left=int(sides[2]),
                right=int(sides[0]),
            )
            for who, votes, row, sides in zip(
                dict.fromkeys(self.annotators), said, rows, chosen, strict=True
            )
        }

    @cached_property
    def _numbers(self) -> Ints:
        """Of each row the annotator's number, in the order of first appearance."""
        index = {who: number for number, who in enumerate(dict.fromkeys(self.annotators))}
        return np.array([index[who] for who in self.annotators], dtype=np.int64)

    def _summed(self, which: Ints | None = None) -> Ints:
        """The rows of each annotator added up, in the order of first appearance among all."""
        chosen = slice(None) if which is None else which
        people, places = codes_of(self._numbers[chosen])
        summed = np.zeros((len(people), LAST + 1), dtype=np.int64)
        np.add.at(summed, places, self.annotator_rows[chosen])
        return summed

    def _tally(self, items: Ints, which: Ints | None = None) -> Tally:
        people = self._summed(which)
        return Tally(
            np.column_stack((_on_all_sides(items), items[:, LAST])),
            np.column_stack((_on_all_sides(people), _ones(people))),
            int(people[:, LAST].sum()),
        )


def _ones(rows: Ints) -> Ints:
    return np.ones(len(rows), dtype=np.int64)


def _on_all_sides(rows: Ints) -> Ints:
    """(losses, ties, wins) of rows of `SidedVotes`."""
    return np.asarray(rows[:, 1:4] + rows[:, 4:7] + rows[:, 7:10])


def _chosen(rows: Ints) -> Ints:
    """(right chosen, 0, left chosen) of rows of `SidedVotes`."""
    left = rows[:, 3] + rows[:, 4]
    right = rows[:, 1] + rows[:, 6]
    return np.column_stack((right, np.zeros_like(left), left))


@dataclass(frozen=True)
class AnnotatorVotes:
    """What one annotator said, counted."""

    losses: int
    ties: int
    wins: int
    both_bad: int
    left: int
    right: int

    @property
    def n(self) -> int:
        return self.losses + self.ties + self.wins


def with_others(rows: npt.ArrayLike, confidence: float = 0.95) -> Estimate | Undefined:
    """How often one annotator says what the others said of the same item.

    Parameters
    ----------
    rows : (H, 3) array of (others, of these who agree, items with just these)
        For the items that others judged as well.

    Returns
    -------
    Estimate
        Share of agreeing pairs (this annotator with one other), clustered by item.
    """
    table = np.asarray(rows, dtype=np.int64).reshape(-1, 3)
    others, same, times = table.T
    pairs, agreeing = int(others @ times), int(same @ times)
    if not pairs:
        return Undefined("nobody else has judged the same items")
    result = attempt(
        win_rate_from_sums,
        pairs,
        agreeing,
        agreeing,
        table,
        [(pairs, agreeing, 1)],
        cluster="item_or_exact",
        confidence=confidence,
    )
    if isinstance(result, Undefined):
        return result
    method = result.method.replace("mean score", "share of agreeing pairs")
    return replace(result, n=int(times.sum()), method=method)


def share_method(rate: ClusteredRate | Undefined, what: str) -> ClusteredRate | Undefined:
    """The same share, its method saying what it is a share of."""
    if isinstance(rate, Undefined):
        return rate
    return replace(rate, method=rate.method.replace("mean score", what))
