"""What each annotator said beside what all others said of the same items."""

from dataclasses import dataclass
from uuid import UUID

import numpy as np

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.said import WINNERS, Everybody, Said, said_in
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged


@dataclass(frozen=True)
class OthersPart:
    """The votes of one block beside others.

    Attributes
    ----------
    people : tuple of bytes
    rows : (H, 6) array
        A place in `people`; what they said (0, 1, 2); others for the baseline, for neither and
        for the candidate; items with just these.
    """

    people: tuple[bytes, ...]
    rows: Ints


@kept
def votes_with_others(study: Study, only: Source | None = None) -> dict[UUID, Ints]:
    """For each annotator rows of what they said (0, 1, 2), what others did, and items.

    Returns
    -------
    dict of (H, 5) arrays
        Own answer; others for the baseline, for neither, for the candidate; items with
        just these. Of items that nobody else judged too.
    """
    found = parts(study, others_part, only)
    everybody = Everybody(part.people for part in found)
    rows = [np.zeros((0, 6), dtype=np.int64)]
    for part in found:
        who = everybody.numbers_of(part.people)[part.rows[:, 0]]
        rows.append(np.column_stack((who, part.rows[:, 1:])))
    of_all = merged(rows)
    starts = np.searchsorted(of_all[:, 0], range(len(everybody) + 1)).tolist()
    return {
        user: of_all[start:stop, 1:]
        for user, start, stop in zip(everybody.users, starts, starts[1:], strict=False)
    }


def others_part(block: Block, only: Source | None) -> OthersPart | None:
    """One block of `votes_with_others`."""
    said = said_in(block, only)
    return None if said is None else OthersPart(said.people, distinct(_beside_others(said)))


def _beside_others(said: Said) -> Ints:
    """Of each vote: who, what they said (0, 1, 2), and how many others said each of the three."""
    own = np.eye(WINNERS, dtype=np.int64)[said.winner]
    others = said.by_item(said.winner, WINNERS)[said.item] - own
    return np.column_stack((said.who, said.winner, others))


def agreement_with_others(study: Study, only: Source | None = None) -> dict[UUID, Ints]:
    """For each annotator rows (others on an item, of these who agree, items with just these)."""
    found = {who: agreeing(rows) for who, rows in votes_with_others(study, only).items()}
    return {who: kinds for who, kinds in found.items() if len(kinds)}


def agreeing(rows: Ints) -> Ints:
    """(others, of these who agree, items) of rows of `votes_with_others` with any others."""
    others = rows[:, 1:4]
    same = np.take_along_axis(others, rows[:, :1], axis=1)[:, 0]
    found = np.column_stack((others.sum(axis=1), same))
    met = found[:, 0] > 0
    return distinct(found[met], rows[met, 4])
