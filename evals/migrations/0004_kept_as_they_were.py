"""What was put to a system, what it answered and how that scored never change."""

from django.db import migrations

KEPT = """
CREATE TRIGGER evals_suite_kept BEFORE UPDATE ON evals_suite
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evals_case_kept BEFORE UPDATE ON evals_case
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evals_generation_kept BEFORE UPDATE OR DELETE ON evals_generation
    FOR EACH ROW WHEN (OLD.state = 'done') EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evals_score_append_only BEFORE UPDATE OR DELETE ON evals_score
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evals_scorerversion_append_only BEFORE UPDATE OR DELETE ON evals_scorerversion
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER evals_scorerversion_append_only ON evals_scorerversion;
DROP TRIGGER evals_score_append_only ON evals_score;
DROP TRIGGER evals_generation_kept ON evals_generation;
DROP TRIGGER evals_case_kept ON evals_case;
DROP TRIGGER evals_suite_kept ON evals_suite;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("evals", "0003_suites_and_runs"),
        ("annotate", "0002_ranks_history_cache"),
    ]

    operations = [migrations.RunSQL(KEPT, UNDO)]
