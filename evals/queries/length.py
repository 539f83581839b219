"""How long the outputs are, beside what was said of them. No text leaves the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.reading import rows_of
from evals.queries.said import SIDES, Everybody, in_cells, said_in
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged
from evals.tallies import Tally, counts_of

# Ids, and by how many characters the candidate's output is longer; how long both are.
LENGTHS = """
SELECT string_agg(int8send(id) || int8send(char_length(baseline_output))
                  || int8send(char_length(candidate_output)), ''::bytea ORDER BY id)
FROM annotate_item WHERE study_id = %(study)s AND id BETWEEN %(first)s AND %(last)s
"""
# How many times as long the candidate's output is; each begins the next of the bins. The same to
# both sides on a scale of ratios.
RATIOS = (0.25, 0.5, 0.8, 1 / 1.05, 1.05, 1.25, 2.0, 4.0)
# The place of a tie among winners.
TIE = 1
# Wins and losses with the candidate on the left, on the right, and nobody knows where.
BY_SIDE = 2 * SIDES


@dataclass(frozen=True, slots=True)
class LengthVotes:
    """Decided votes beside lengths.

    Attributes
    ----------
    rows : (H, 8) array
        As `evals.stats.length.length_fit` takes them.
    longer : Tally
        Wins of the longer output, whichever system wrote it; equally long pairs are left out.
    by_ratio : sequence of (H, 4) arrays
        For each bin between `RATIOS` rows of losses, ties (none), wins, and how many items had
        just these.
    """

    rows: Ints = field(default_factory=lambda: counts_of((), 8))
    longer: Tally = field(default_factory=Tally)
    by_ratio: Sequence[Ints] = ()


@dataclass(frozen=True)
class LengthPart:
    """Decided votes of one block beside lengths.

    Attributes
    ----------
    people : tuple of bytes
    rows : (H, 8) array
        As of `LengthVotes`.
    longer : (H, 3) array
        Of an item losses and wins of the longer output, and items with just these.
    of_people : (people, 2) array
        The same of each person.
    by_ratio : (H, 4) array
        The bin of the ratio, losses and wins, and items with just these.
    """

    people: tuple[bytes, ...]
    rows: Ints
    longer: Ints
    of_people: Ints
    by_ratio: Ints


@kept
def length_votes(study: Study, only: Source | None = None) -> LengthVotes:
    """What was decided, by how much longer the candidate's output is (in characters)."""
    found = parts(study, length_part, only)
    everybody = Everybody(part.people for part in found)
    people = np.zeros((len(everybody), 2), dtype=np.int64)
    for part in found:
        people[everybody.numbers_of(part.people)] += part.of_people
    items = merged([counts_of((), 3), *(part.longer for part in found)])
    ratios = merged([counts_of((), 4), *(part.by_ratio for part in found)])
    return LengthVotes(
        merged([counts_of((), 8), *(part.rows for part in found)]),
        Tally(_with_ties(items), _with_ties(distinct(people[people.any(axis=1)]))),
        [_with_ties(ratios[ratios[:, 0] == place, 1:]) for place in range(len(RATIOS) + 1)],
    )


def _with_ties(rows: Ints) -> Ints:
    """Losses, ties, wins and how many, from the same without the ties, of which there are none."""
    return np.insert(rows, 1, 0, axis=1)


def length_part(block: Block, only: Source | None) -> LengthPart | None:
    """One block of `length_votes`."""
    said = said_in(block, only)
    if said is None:
        return None
    decided = said.winner != TIE
    item, who, side = said.item[decided], said.who[decided], said.side[decided]
    won = said.winner[decided] > TIE
    old, new = _lengths(block, said.ids)
    longer_by = new - old
    by_side = in_cells(item, 2 * side + ~won, len(said.ids), BY_SIDE)
    lost_and_won = in_cells(item, won.astype(np.int64), len(said.ids), 2)
    # The longer output takes the place of the candidate.
    apart = longer_by[item] != 0
    of_longer = (won == (longer_by[item] > 0))[apart].astype(np.int64)
    longer = in_cells(item[apart], of_longer, len(said.ids), 2)
    # A text of no characters counts as one: it has a ratio to any other.
    ratio = np.searchsorted(RATIOS, np.maximum(new, 1) / np.maximum(old, 1), side="right")
    voted = by_side.any(axis=1)
    return LengthPart(
        said.people,
        distinct(np.column_stack((longer_by, by_side))[voted]),
        distinct(longer[longer.any(axis=1)]),
        in_cells(who[apart], of_longer, len(said.people), 2),
        distinct(np.column_stack((ratio, lost_and_won))[voted]),
    )


def _lengths(block: Block, ids: Ints) -> tuple[Ints, Ints]:
    """Characters of the baseline's and of the candidate's output of each of these items."""
    items, old, new = lengths_in(block)
    places = np.searchsorted(items, ids)
    return old[places], new[places]


def lengths_in(block: Block) -> tuple[Ints, Ints, Ints]:
    """Ids of all items of a block, characters of the baseline's and of the candidate's output."""
    ((packed,),) = rows_of(LENGTHS, block.places)
    found = np.frombuffer(bytes(packed or b""), dtype=">i8").astype(np.int64).reshape(-1, 3)
    return found[:, 0], found[:, 1], found[:, 2]
