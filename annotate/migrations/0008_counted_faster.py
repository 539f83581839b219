"""Counts need no rows: an index of all votes by item, and a count of all changes of a study."""

import django.db.models.deletion
from django.db import migrations, models

# An append-only table is filled in once, under the lock of the migration.
FILL = """
ALTER TABLE annotate_judgement DISABLE TRIGGER annotate_judgement_append_only;
UPDATE annotate_judgement SET item_id = task.item_id
FROM annotate_task AS task WHERE task.id = annotate_judgement.task_id;
ALTER TABLE annotate_judgement ENABLE TRIGGER annotate_judgement_append_only;
ALTER TABLE annotate_judgement ALTER COLUMN item_id SET NOT NULL;
"""
# Nobody can say another item than that of the task.
ITEM = """
CREATE FUNCTION judgement_item() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.item_id := (SELECT item_id FROM annotate_task WHERE id = NEW.task_id);
    RETURN NEW;
END $$;
CREATE TRIGGER annotate_judgement_item BEFORE INSERT ON annotate_judgement
    FOR EACH ROW EXECUTE FUNCTION judgement_item();
"""
NO_ITEM = """
DROP TRIGGER annotate_judgement_item ON annotate_judgement;
DROP FUNCTION judgement_item();
"""
# Items come with their tasks. Claims and their return change no number that is kept. A row that
# another transaction holds is left to it: a long import makes nobody wait.
PULSE = """
CREATE FUNCTION beat(of_study bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotate_pulse SET beats = beats + 1 WHERE id = (
        SELECT id FROM annotate_pulse WHERE study_id = of_study
        LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO annotate_pulse (study_id, beats) VALUES (of_study, 1);
    END IF;
END $$;
CREATE FUNCTION rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id) FROM (SELECT DISTINCT study_id FROM added) AS changed;
    RETURN NULL;
END $$;
CREATE FUNCTION tasks_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- No join: its plan, made for one row, would hold each row of a large statement with each.
    PERFORM beat(study_id) FROM (
        SELECT DISTINCT study_id FROM (
            SELECT id, study_id, version, judged_at,
                   CASE WHEN state IN ('free', 'claimed') THEN 'open' ELSE state END,
                   CASE WHEN state NOT IN ('free', 'claimed') THEN annotator_id END
            FROM task_now
            EXCEPT
            SELECT id, study_id, version, judged_at,
                   CASE WHEN state IN ('free', 'claimed') THEN 'open' ELSE state END,
                   CASE WHEN state NOT IN ('free', 'claimed') THEN annotator_id END
            FROM task_before
        ) AS new
    ) AS changed;
    RETURN NULL;
END $$;
CREATE FUNCTION tasks_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id) FROM (SELECT DISTINCT study_id FROM gone) AS changed;
    RETURN NULL;
END $$;
CREATE TRIGGER annotate_task_added AFTER INSERT ON annotate_task
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rows_added();
CREATE TRIGGER annotate_task_changed AFTER UPDATE ON annotate_task
    REFERENCING OLD TABLE AS task_before NEW TABLE AS task_now
    FOR EACH STATEMENT EXECUTE FUNCTION tasks_changed();
CREATE TRIGGER annotate_task_gone AFTER DELETE ON annotate_task
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION tasks_gone();
CREATE TRIGGER annotate_judgement_added AFTER INSERT ON annotate_judgement
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION rows_added();
"""
NO_PULSE = """
DROP TRIGGER annotate_judgement_added ON annotate_judgement;
DROP TRIGGER annotate_task_gone ON annotate_task;
DROP TRIGGER annotate_task_changed ON annotate_task;
DROP TRIGGER annotate_task_added ON annotate_task;
DROP FUNCTION tasks_gone();
DROP FUNCTION tasks_changed();
DROP FUNCTION rows_added();
DROP FUNCTION beat(bigint);
"""


class Migration(migrations.Migration):

    dependencies = [
        ("annotate", "0007_repeats"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pulse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("beats", models.BigIntegerField()),
                ("study", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotate.study")),
            ],
            options={"verbose_name_plural": "pulse"},
        ),
        migrations.AddField(
            model_name="judgement",
            name="item",
            field=models.ForeignKey(db_constraint=False, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="annotate.item"),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    model_name="judgement",
                    name="item",
                    field=models.ForeignKey(db_constraint=False, db_index=False, editable=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="annotate.item"),
                ),
            ],
        ),
        migrations.RunSQL(ITEM, NO_ITEM),
        migrations.RunSQL(PULSE, NO_PULSE),
        migrations.AlterField(
            model_name="judgement",
            name="study",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="judgements", to="annotate.study"),
        ),
        migrations.AddIndex(
            model_name="judgement",
            index=models.Index(fields=["study", "item"], include=("id", "task", "version", "annotator", "preference", "both_bad", "candidate_side", "scale", "source", "active_ms"), name="judgement_votes"),
        ),
        migrations.AddIndex(
            model_name="judgement",
            index=models.Index(fields=["study", "created_at"], name="judgement_in_time"),
        ),
        migrations.AddIndex(
            model_name="judgement",
            index=models.Index(condition=models.Q(("source", "imported")), fields=["study"], name="judgement_elsewhere"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("version__gt", 1), ("state__in", ["surplus", "repeated"]), _connector="OR"), fields=["study"], include=("id", "version", "state"), name="task_not_as_first_said"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("state", "judged")), fields=["study", "judged_at"], name="task_judged"),
        ),
    ]
