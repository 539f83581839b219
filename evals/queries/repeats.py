"""Items that somebody was asked again, beside what they had said: as counts."""

from dataclasses import dataclass
from uuid import UUID

from annotate.models import Study
from evals.queries.reading import rows_of
from evals.queries.votes import Source
from evals.stats.repeats import AllRepeats, Repeated, all_repeats

# Of both the version that counts. That a repeat is one names the small index of repeats.
ASKED_AGAIN = """
WITH pairs AS (
    SELECT again.annotator_id, again.item_id,
           sign(before.preference) = sign(now.preference) AS same,
           before.preference = now.preference AS exact,
           before.choice < 0 AND now.choice < 0 AS kept_left,
           before.choice > 0 AND now.choice > 0 AS kept_right
    FROM annotate_task AS again
    JOIN annotate_task AS original ON original.id = again.repeats_id
    JOIN annotate_judgement AS before
         ON before.task_id = original.id AND before.version = original.version
    JOIN annotate_judgement AS now ON now.task_id = again.id AND now.version = again.version
    WHERE again.study_id = %(study)s AND again.state = 'repeated' AND again.repeats_id IS NOT NULL
), grouped AS (
    SELECT annotator_id, count(*) AS n, count(*) FILTER (WHERE same) AS same,
           count(*) FILTER (WHERE exact) AS exact,
           count(*) FILTER (WHERE kept_left) AS kept_left,
           count(*) FILTER (WHERE kept_right) AS kept_right
    FROM pairs GROUP BY GROUPING SETS ((item_id), (annotator_id))
)
SELECT annotator_id, n, same, exact, kept_left, kept_right, count(*)
FROM grouped GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""


@dataclass(frozen=True)
class RepeatCounts:
    """What was asked again in a study, in all and of each annotator."""

    all: AllRepeats
    annotators: dict[UUID, Repeated]


def repeats(study: Study, only: Source | None = None) -> RepeatCounts:
    """Nobody is asked again what was judged elsewhere: of that alone there are none."""
    rows = [] if only == "imported" else rows_of(ASKED_AGAIN, {"study": study.pk})
    people = [row for row in rows if row[0] is not None]
    items = [row[1:] for row in rows if row[0] is None]
    return RepeatCounts(
        all_repeats(items, [row[1:] for row in people]),
        {row[0]: Repeated(*row[1:6]) for row in people},
    )
