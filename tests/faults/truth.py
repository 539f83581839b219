"""What the database holds, asked in SQL: the judgements of a study, and what is amiss in it."""

from collections.abc import Callable, Sequence
from typing import Any

from tests.faults.steadfast import CRITERIA, Said

Ask = Callable[[str, dict[str, Any]], Sequence[Sequence[Any]]]

STORED = """
SELECT submission_key::text, choice, comment,
       (SELECT count(*) FROM annotate_rating WHERE judgement_id = annotate_judgement.id)
FROM annotate_judgement JOIN annotate_study AS study ON study.id = study_id
WHERE study.public_id = %(study)s
"""

# Each of these counts rows that must not be. Nothing in these tests is corrected, so a
# second version is a judgement that was stored twice.
AMISS = {
    "judged without a judgement": """
        SELECT count(*) FROM annotate_task AS task WHERE study_id = %(id)s
        AND state IN ('judged', 'surplus') AND NOT EXISTS (SELECT FROM annotate_judgement
            WHERE task_id = task.id AND version = task.version)""",
    "a judgement of a task that is not judged": """
        SELECT count(*) FROM annotate_judgement AS said JOIN annotate_task AS task
        ON task.id = said.task_id WHERE said.study_id = %(id)s
        AND (task.state NOT IN ('judged', 'surplus') OR task.annotator_id <> said.annotator_id)""",
    "ratings missing": """
        SELECT count(*) FROM annotate_judgement AS said WHERE study_id = %(id)s
        AND (SELECT count(*) FROM annotate_rating WHERE judgement_id = said.id) <> %(ratings)s""",
    "stored twice": """
        SELECT count(*) FROM annotate_judgement WHERE study_id = %(id)s AND version > 1""",
    "told otherwise": """
        SELECT count(*) FROM annotate_assignment AS assignment WHERE study_id = %(id)s
        AND judged_count <> (SELECT count(*) FROM annotate_task
            WHERE study_id = assignment.study_id AND annotator_id = assignment.annotator_id
            AND state IN ('judged', 'surplus'))""",
    "over the overlap": """
        SELECT count(*) FROM (SELECT item_id FROM annotate_task WHERE study_id = %(id)s
            AND state IN ('claimed', 'judged') GROUP BY item_id HAVING count(*) >
            (SELECT overlap FROM annotate_study WHERE id = %(id)s)) AS item""",
    "slots missing": """
        SELECT count(*) FROM (SELECT item_id FROM annotate_task WHERE study_id = %(id)s
            GROUP BY item_id HAVING count(*) FILTER (WHERE state IN ('free', 'claimed', 'judged'))
            <> (SELECT overlap FROM annotate_study WHERE id = %(id)s)) AS item""",
}


def stored(ask: Ask, study: str) -> dict[str, Said]:
    """Every judgement of a study, by the key of its form."""
    return {key: Said(*rest) for key, *rest in ask(STORED, {"study": study})}


def amiss(ask: Ask, study: str, *, ratings: int = len(CRITERIA)) -> dict[str, int]:
    """What is wrong with a study, and how often; empty when all is well."""
    ((pk,),) = ask("SELECT id FROM annotate_study WHERE public_id = %(study)s", {"study": study})
    # In one statement, so that all counts are of one moment.
    sql = " UNION ALL ".join(f"SELECT '{name}', ({count})" for name, count in AMISS.items())
    counts = ask(sql, {"id": pk, "ratings": ratings})
    return {name: count for name, count in counts if count}
