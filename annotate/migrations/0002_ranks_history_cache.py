"""What Django's models cannot say: the ranks of tasks, the history of judgements, the cache."""

from django.core.management import call_command
from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: rows are added, never changed or removed', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER annotate_judgement_append_only BEFORE UPDATE OR DELETE ON annotate_judgement
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER annotate_rating_append_only BEFORE UPDATE OR DELETE ON annotate_rating
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER annotate_rating_append_only ON annotate_rating;
DROP TRIGGER annotate_judgement_append_only ON annotate_judgement;
DROP FUNCTION refuse_change();
"""


def make_cache_table(apps, schema_editor):
    call_command("createcachetable", database=schema_editor.connection.alias, verbosity=0)


class Migration(migrations.Migration):
    dependencies = [("annotate", "0001_initial")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE annotate_task_rank", "DROP SEQUENCE annotate_task_rank"
        ),
        migrations.RunSQL(APPEND_ONLY, UNDO),
        migrations.RunPython(make_cache_table, migrations.RunPython.noop),
    ]
