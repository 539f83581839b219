"""Policies and decisions are added, never changed."""

from django.db import migrations

APPEND_ONLY = """
CREATE TRIGGER evals_policy_append_only BEFORE UPDATE OR DELETE ON evals_policy
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER evals_decision_append_only BEFORE UPDATE OR DELETE ON evals_decision
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER evals_decision_append_only ON evals_decision;
DROP TRIGGER evals_policy_append_only ON evals_policy;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("evals", "0001_initial"),
        ("annotate", "0002_ranks_history_cache"),
    ]

    operations = [migrations.RunSQL(APPEND_ONLY, UNDO)]
