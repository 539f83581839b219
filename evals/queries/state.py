"""What a study's evidence is at: equal words, equal numbers."""

import hashlib

from annotate.models import Study
from evals.queries.reading import rows_of

# A judgement is never changed: more of them, or a later one, is all that can happen. Names are
# shown with numbers; a policy moves thresholds.
STATE = """
SELECT (SELECT (count(*), max(created_at))::text FROM annotate_judgement
        WHERE study_id = %(study)s),
       (SELECT (count(*), max(judged_at))::text FROM annotate_task
        WHERE study_id = %(study)s AND state IN ('judged', 'surplus', 'imported')),
       (SELECT max(version) FROM evals_policy WHERE study_id = %(study)s),
       (SELECT (count(*), max(ended_at))::text FROM evals_run WHERE study_id = %(study)s),
       (SELECT max(s.id) FROM evals_score s JOIN evals_generation g ON g.id = s.generation_id
        JOIN evals_run r ON r.id = g.run_id WHERE r.study_id = %(study)s),
       (SELECT version FROM annotate_study WHERE id = %(study)s)
"""


def state_of(study: Study) -> str:
    """A digest of all that the numbers of a study rest on."""
    (row,) = rows_of(STATE, {"study": study.pk})
    return hashlib.sha256(repr(row).encode()).hexdigest()[:32]
