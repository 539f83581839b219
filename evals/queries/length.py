"""How long the outputs are, beside what was said of them. No text leaves the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements
from evals.stats.checks import Ints
from evals.tallies import Tally, counts_of

# A length is taken once for each item, however often it was judged.
DIFFERENCES = """
, differences AS MATERIALIZED (
    SELECT id AS item_id, char_length(candidate_output) - char_length(baseline_output) AS longer_by
    FROM annotate_item WHERE id IN (SELECT item_id FROM votes WHERE preference <> 0)
)
"""
BY_ITEM = f"""{DIFFERENCES}
, said AS (
    SELECT item_id,
           count(*) FILTER (WHERE candidate_side = 'left' AND preference > 0) AS l_win,
           count(*) FILTER (WHERE candidate_side = 'left' AND preference < 0) AS l_loss,
           count(*) FILTER (WHERE candidate_side = 'right' AND preference > 0) AS r_win,
           count(*) FILTER (WHERE candidate_side = 'right' AND preference < 0) AS r_loss,
           count(*) FILTER (WHERE candidate_side IS NULL AND preference > 0) AS u_win,
           count(*) FILTER (WHERE candidate_side IS NULL AND preference < 0) AS u_loss
    FROM votes WHERE preference <> 0 GROUP BY item_id
)
SELECT longer_by, l_win, l_loss, r_win, r_loss, u_win, u_loss, count(*)
FROM said JOIN differences USING (item_id) GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
"""  # noqa: S608 (put together from constants)
# The longer output takes the place of the candidate.
LONGER = f"""{DIFFERENCES}
, grouped AS (
    SELECT annotator_id,
           count(*) FILTER (WHERE sign(preference) <> sign(longer_by)) AS losses,
           count(*) FILTER (WHERE sign(preference) = sign(longer_by)) AS wins
    FROM votes JOIN differences USING (item_id) WHERE preference <> 0 AND longer_by <> 0
    GROUP BY GROUPING SETS ((item_id), (annotator_id))
)
SELECT annotator_id IS NULL, losses, 0, wins, count(*) FROM grouped GROUP BY 1, 2, 4
"""  # noqa: S608 (put together from constants)

# A text of no characters counts as one: it has a ratio to any other.
BY_RATIO = """
, ratios AS MATERIALIZED (
    SELECT id AS item_id, width_bucket(
        greatest(char_length(candidate_output), 1)::float8
        / greatest(char_length(baseline_output), 1), %s::float8[]) AS bin
    FROM annotate_item WHERE id IN (SELECT item_id FROM votes WHERE preference <> 0)
)
, said AS (
    SELECT item_id, count(*) FILTER (WHERE preference < 0) AS losses,
           count(*) FILTER (WHERE preference > 0) AS wins
    FROM votes WHERE preference <> 0 GROUP BY item_id
)
SELECT bin, losses, 0, wins, count(*) FROM said JOIN ratios USING (item_id)
GROUP BY 1, 2, 4 ORDER BY 1, 2, 4
"""


@dataclass(frozen=True, slots=True)
class LengthVotes:
    """Decided votes beside lengths.

    Attributes
    ----------
    rows : (H, 8) array
        As `evals.stats.length.length_fit` takes them.
    longer : Tally
        Wins of the longer output, whichever system wrote it; equally long pairs are left out.
    """

    rows: Ints = field(default_factory=lambda: counts_of((), 8))
    longer: Tally = field(default_factory=Tally)


@kept
def votes_by_ratio(study: Study, edges: Sequence[float], only: Source | None = None) -> list[Ints]:
    """Decided votes of items, by how many times as long the candidate's output is.

    Parameters
    ----------
    edges : sequence of float
        Ratios in ascending order; each begins the next of `len(edges) + 1` bins.

    Returns
    -------
    list of (H, 4) arrays
        For each bin rows of losses, ties (none), wins, and how many items had just these.
    """
    votes = counted_judgements(study, only).values("item_id", "preference")
    rows = counted_from(votes, BY_RATIO, list(edges))
    return [counts_of(row[1:] for row in rows if row[0] == bin_) for bin_ in range(len(edges) + 1)]


@kept
def length_votes(study: Study, only: Source | None = None) -> LengthVotes:
    """What was decided, by how much longer the candidate's output is (in characters)."""
    votes = counted_judgements(study, only).values(
        "item_id", "annotator_id", "candidate_side", "preference"
    )
    longer = counted_from(votes, LONGER)
    items = counts_of(row[1:] for row in longer if row[0])
    people = counts_of(row[1:] for row in longer if not row[0])
    return LengthVotes(counts_of(counted_from(votes, BY_ITEM), 8), Tally(items, people))
