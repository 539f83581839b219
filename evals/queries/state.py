"""What a study's evidence is at: equal words, equal numbers."""

import hashlib
from collections.abc import Mapping

from annotate.models import Study
from evals.queries.reading import rows_of

# Tasks and judgements are told by the count of their changes, which triggers keep: a clock says
# when a transaction began, not when others see it. Names are shown with numbers. All of it
# together is a few hundred rows.
JUDGED = {
    "evidence": "SELECT sum(beats)::bigint FROM annotate_pulse WHERE study_id = %(study)s",
    "assigned": """
        SELECT md5(string_agg(concat_ws('|', annotator_id, is_active, cap), ',' ORDER BY id))
        FROM annotate_assignment WHERE study_id = %(study)s""",
    "people": """
        SELECT md5(string_agg(concat_ws('|', u.id, name, email, is_active), ',' ORDER BY u.id))
        FROM annotate_user u WHERE outside_of_id = %(study)s OR u.id IN (
            SELECT annotator_id FROM annotate_assignment WHERE study_id = %(study)s)""",
    "criteria": """
        SELECT md5(string_agg(concat_ws('|', id, key, name, kind, position), ',' ORDER BY id))
        FROM annotate_criterion WHERE study_id = %(study)s""",
    "batches": """
        SELECT md5(string_agg(concat_ws('|', id, number, name), ',' ORDER BY id))
        FROM annotate_batch WHERE study_id = %(study)s""",
    "study": """
        SELECT concat_ws('|', version, baseline_name, candidate_name)
        FROM annotate_study WHERE id = %(study)s""",
}
# What no count of judgements rests on: pages of these ask no run and no score.
MEASURED = {
    "policy": "SELECT max(version) FROM evals_policy WHERE study_id = %(study)s",
    "runs": "SELECT (count(*), max(ended_at))::text FROM evals_run WHERE study_id = %(study)s",
    "scores": """
        SELECT max(s.id) FROM evals_score s JOIN evals_generation g ON g.id = s.generation_id
        JOIN evals_run r ON r.id = g.run_id WHERE r.study_id = %(study)s""",
}


def judged_state(study: Study) -> str:
    """A digest of all that counts of judgements rest on."""
    return _digest(study, JUDGED)


def state_of(study: Study) -> str:
    """A digest of all that the numbers of a study rest on, what machines measured among it."""
    return _digest(study, JUDGED | MEASURED)


def _digest(study: Study, parts: Mapping[str, str]) -> str:
    statement = "SELECT " + ", ".join(f"({part})" for part in parts.values())
    (row,) = rows_of(statement, {"study": study.pk})
    return hashlib.sha256(repr(row).encode()).hexdigest()[:32]
