"""What was said for each criterion, block by block: who was better, and the scores given."""

from dataclasses import dataclass

import numpy as np

from annotate.models import Criterion, Study
from annotate.models.pulse import BLOCK_BITS
from evals.queries.kept import kept
from evals.queries.parts import Block, parts
from evals.queries.reading import counted_from
from evals.queries.said import PEOPLE, WINNERS, Everybody, in_cells
from evals.queries.votes_from import Source
from evals.stats.checks import Ints
from evals.stats.histograms import distinct, merged

# Points of a score, from 1.
SCORES = 5
SYSTEMS = ("baseline", "candidate")
# What was said of the criterion, by what was said overall.
CELLS = WINNERS**2

# Bits from the lowest: the criterion's place (16), two scores or zeros (3 and 3), who won of the
# criterion (2) and overall (2), the item's place in its block, and who. `said` is made first, so
# that people are numbered once and not for all their ratings.
RATED = f"""{PEOPLE}
, said AS MATERIALIZED (
    SELECT votes.id, (who << {BLOCK_BITS}) | (item_id - %s) AS who_on, sign(preference)::int AS won
    FROM votes JOIN people ON people.id = annotator_id
), criteria AS MATERIALIZED (SELECT * FROM unnest(%s::bigint[]) WITH ORDINALITY AS c(id, place))
SELECT string_agg(int8send(
    (who_on << 26) | ((won + 1) << 24)
    | ((sign(coalesce(preference, candidate_score - baseline_score))::bigint + 1) << 22)
    | (coalesce(candidate_score, 0)::bigint << 19) | (coalesce(baseline_score, 0)::bigint << 16)
    | (place - 1)), ''::bytea),
    (SELECT array_agg(uuid_send(id) ORDER BY who) FROM people)
FROM said JOIN annotate_rating r ON r.judgement_id = said.id
JOIN criteria ON criteria.id = criterion_id
"""  # noqa: S608 (put together from constants)


@dataclass(frozen=True)
class Rated:
    """What was said for one criterion.

    Attributes
    ----------
    cells : (H, 10) array
        Judgements of an item by what was said of the criterion (baseline, tie, candidate) times
        what was said overall; items with just these.
    people : (N, 5) array
        Of each annotator who answered losses, ties and wins of the candidate, and the sums of the
        scores of baseline and candidate.
    scores : dict
        For "baseline" and "candidate", where the criterion is scored: rows (scores of 1 to 5,
        items with just these).
    """

    cells: Ints
    people: Ints
    scores: dict[str, Ints]


@dataclass(frozen=True)
class RatedPart:
    """The same of one criterion in one block: `people` counts by places in the block's list."""

    cells: Ints
    people: Ints
    scores: dict[str, Ints]


@kept
def rated(study: Study, only: Source | None = None) -> dict[int, Rated]:
    """What was said for each criterion that somebody answered."""
    criteria = tuple(
        Criterion.objects.filter(study=study).order_by("pk").values_list("pk", flat=True)
    )
    found = parts(study, rated_part, criteria, only)
    everybody = Everybody(people for people, _ in found)
    return {
        key: _together([(people, part[key]) for people, part in found if key in part], everybody)
        for key in criteria
        if any(key in part for _, part in found)
    }


def _together(found: list[tuple[tuple[bytes, ...], RatedPart]], everybody: Everybody) -> Rated:
    sums = np.zeros((len(everybody), 5), dtype=np.int64)
    for people, part in found:
        sums[everybody.numbers_of(people)] += part.people
    named = [name for name in SYSTEMS if any(name in part.scores for _, part in found)]
    return Rated(
        merged([part.cells for _, part in found]),
        sums[sums[:, :WINNERS].any(axis=1)],
        {name: merged([p.scores[name] for _, p in found if name in p.scores]) for name in named},
    )


def rated_part(
    block: Block, criteria: tuple[int, ...], only: Source | None
) -> tuple[tuple[bytes, ...], dict[int, RatedPart]] | None:
    """The people of one block, and what they said for each criterion."""
    votes = block.votes(only).values("id", "item_id", "annotator_id", "preference")
    ((packed, people),) = counted_from(votes, RATED, block.first, list(criteria))
    if packed is None:
        return None
    rows = np.frombuffer(bytes(packed), dtype=">i8").astype(np.int64)
    place = rows & 0xFFFF
    return tuple(people), {
        criteria[one]: _part(rows[place == one], len(people)) for one in np.unique(place).tolist()
    }


def _part(rows: Ints, people: int) -> RatedPart:
    who = rows >> (26 + BLOCK_BITS)
    items, item = np.unique((rows >> 26) & ((1 << BLOCK_BITS) - 1), return_inverse=True)
    leaning, won = (rows >> 22) & 3, (rows >> 24) & 3
    given = {"baseline": (rows >> 16) & 7, "candidate": (rows >> 19) & 7}
    sums = [np.bincount(who, weights=score, minlength=people) for score in given.values()]
    scored = given["baseline"] > 0
    return RatedPart(
        distinct(in_cells(item, leaning * WINNERS + won, len(items), CELLS)),
        np.column_stack(
            (in_cells(who, leaning, people, WINNERS), np.column_stack(sums).astype(np.int64))
        ),
        {name: _scores(item[scored], score[scored]) for name, score in given.items()}
        if scored.any()
        else {},
    )


def _scores(item: Ints, score: Ints) -> Ints:
    items, where = np.unique(item, return_inverse=True)
    return distinct(in_cells(where, score - 1, len(items), SCORES))
