"""The items behind one cell of a confusion table, a page at a time."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from annotate.models import Study
from evals.queries.items import Listed, listed_items
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements

# Items that both judged; `mine` and `theirs` are the points that they chose.
OF_A_PAIR = """
, cells AS (
    SELECT one.item_id, one.preference AS mine, two.preference AS theirs
    FROM votes one JOIN votes two ON two.item_id = one.item_id
    WHERE one.annotator_id = %s AND two.annotator_id = %s
)"""

# What most of the others said; without a most frequent answer there is none.
OF_THE_OTHERS = """
, others AS (
    SELECT item_id, count(*) FILTER (WHERE preference < 0) AS losses,
           count(*) FILTER (WHERE preference = 0) AS ties,
           count(*) FILTER (WHERE preference > 0) AS wins
    FROM votes WHERE annotator_id <> %s GROUP BY item_id
), cells AS (
    SELECT item_id, preference AS mine,
           CASE WHEN losses > ties AND losses > wins THEN -1
                WHEN ties > losses AND ties > wins THEN 0
                WHEN wins > losses AND wins > ties THEN 1 END AS theirs
    FROM votes JOIN others USING (item_id) WHERE annotator_id = %s
)"""

CHOSEN = """
, wanted AS (
    SELECT item_id FROM cells
    WHERE {mine} AND {theirs} AND item_id > %s ORDER BY item_id LIMIT %s
)
SELECT item_id, array_agg(preference ORDER BY preference)
FROM votes JOIN wanted USING (item_id) GROUP BY item_id ORDER BY item_id
"""


@dataclass(frozen=True, slots=True)
class CellAsked:
    """One cell: who, against whom, and what both said.

    Attributes
    ----------
    one : UUID
    other : UUID or None
        None is the majority of all others.
    mine, theirs : int or None
        A point of the scale, or -1, 0 and 1 for a winner. `theirs` may be None against the
        majority: the others have none.
    exact : bool
        Whether the points themselves are meant, not who won.
    """

    one: UUID
    other: UUID | None
    mine: int
    theirs: int | None
    exact: bool = False


def cell_items(
    study: Study, only: Source | None, asked: CellAsked, *, after: int = 0, limit: int = 25
) -> tuple[list[Listed], int | None]:
    """The items of a cell in the order in which they came in, and where the next page begins.

    Returns
    -------
    list of Listed
    int or None
        The key of the last item shown, where more follow.
    """
    votes = counted_judgements(study, only).values("item_id", "annotator_id", "preference")
    cells = OF_THE_OTHERS if asked.other is None else OF_A_PAIR
    statement = cells + CHOSEN.format(
        mine=_is("mine", asked.mine, exact=asked.exact),
        theirs=_is("theirs", asked.theirs, exact=asked.exact),
    )
    people = (asked.one, asked.one if asked.other is None else asked.other)
    rows: Any = counted_from(votes, statement, *people, after, limit + 1)
    said = {row[0]: row[1] for row in rows[:limit]}
    follows = list(said)[-1] if len(rows) > limit else None
    return listed_items(study, only, said), follows


def _is(column: str, value: int | None, *, exact: bool) -> str:
    if value is None:
        return f"{column} IS NULL"
    return f"{column} = {int(value)}" if exact else f"sign({column})::int = {int(value)}"
