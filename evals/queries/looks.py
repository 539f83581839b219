"""The win rate as it would have been seen after each item that was judged to its end."""

from dataclasses import dataclass
from datetime import datetime

from annotate.models import Study
from evals.queries.kept import kept
from evals.queries.reading import counted_from
from evals.queries.votes import Source, counted_judgements
from evals.tallies import Ties

# More points than a figure has pixels for tell nothing.
MOST_LOOKS = 150

# What a vote is worth; where ties are left out they are worth nothing at all, which no mean counts.
WORTH: dict[Ties, str] = {
    "half": "CASE sign(preference) WHEN 1 THEN 1.0 WHEN 0 THEN 0.5 ELSE 0.0 END",
    "decided": "CASE sign(preference) WHEN 1 THEN 1.0 WHEN -1 THEN 0.0 END",
}
# An item enters when its planned votes are complete: an item seen half would enter twice.
LOOKS = """
, worth AS (
    SELECT item_id, max(created_at) AS at, avg({worth}) AS score
    FROM votes GROUP BY item_id HAVING count(*) >= {overlap}
), scored AS (
    SELECT item_id, at, score FROM worth WHERE score IS NOT NULL
), running AS (
    SELECT row_number() OVER in_turn AS n, avg(score) OVER in_turn AS mean,
           stddev_samp(score) OVER in_turn AS sd, at, count(*) OVER () AS total
    FROM scored
    WINDOW in_turn AS (ORDER BY at, item_id ROWS UNBOUNDED PRECEDING)
)
SELECT n, mean::float, coalesce(sd, 0)::float, at FROM running
WHERE mod(n, greatest(1, total / {most})) = 0 OR n = total ORDER BY n
"""


@dataclass(frozen=True, slots=True)
class Look:
    """After `n` items: the mean of their scores and its spread."""

    n: int
    mean: float
    sd: float
    at: datetime


@kept
def looks(study: Study, only: Source | None = None, ties: Ties = "half") -> list[Look]:
    """At most about 150 looks, spread evenly over the items; the last one is the present.

    The score of an item is the mean of its votes: a win 1, a loss 0, a tie one half or, by
    `ties`, left out. An item of nothing but ties then has no score and does not enter.
    """
    votes = counted_judgements(study, only).values(
        "item_id",
        "preference",
        "created_at",
    )
    what = LOOKS.format(worth=WORTH[ties], overlap=int(study.overlap), most=MOST_LOOKS)
    return [Look(*row) for row in counted_from(votes, what)]
