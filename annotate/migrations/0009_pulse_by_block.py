"""Changes are counted by blocks of 4,096 items, so that only these are counted again."""

import django.db.models.deletion
from django.db import migrations, models

# All that is there has changed since anybody counted it.
SEED = """
DELETE FROM annotate_pulse;
INSERT INTO annotate_pulse (study_id, block, beats)
SELECT study_id, id >> 12, 1 FROM annotate_item GROUP BY 1, 2;
"""
BY_BLOCK = """
CREATE FUNCTION beat(of_study bigint, of_block bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotate_pulse SET beats = beats + 1 WHERE id = (
        SELECT id FROM annotate_pulse WHERE study_id = of_study AND block = of_block
        LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO annotate_pulse (study_id, block, beats) VALUES (of_study, of_block, 1);
    END IF;
END $$;
CREATE OR REPLACE FUNCTION rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id, block)
    FROM (SELECT DISTINCT study_id, item_id >> 12 AS block FROM added) AS changed;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tasks_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- No join: its plan, made for one row, would hold each row of a large statement with each.
    PERFORM beat(study_id, block) FROM (
        SELECT DISTINCT study_id, item_id >> 12 AS block FROM (
            SELECT id, study_id, item_id, version, judged_at,
                   CASE WHEN state IN ('free', 'claimed') THEN 'open' ELSE state END,
                   CASE WHEN state NOT IN ('free', 'claimed') THEN annotator_id END
            FROM task_now
            EXCEPT
            SELECT id, study_id, item_id, version, judged_at,
                   CASE WHEN state IN ('free', 'claimed') THEN 'open' ELSE state END,
                   CASE WHEN state NOT IN ('free', 'claimed') THEN annotator_id END
            FROM task_before
        ) AS new
    ) AS changed;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tasks_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id, block)
    FROM (SELECT DISTINCT study_id, item_id >> 12 AS block FROM gone) AS changed;
    RETURN NULL;
END $$;
DROP FUNCTION beat(bigint);
"""
BY_STUDY = """
CREATE FUNCTION beat(of_study bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE annotate_pulse SET beats = beats + 1 WHERE id = (
        SELECT id FROM annotate_pulse WHERE study_id = of_study
        LIMIT 1 FOR UPDATE SKIP LOCKED);
    IF NOT FOUND THEN
        INSERT INTO annotate_pulse (study_id, beats) VALUES (of_study, 1);
    END IF;
END $$;
CREATE OR REPLACE FUNCTION rows_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id) FROM (SELECT DISTINCT study_id FROM added) AS changed;
    RETURN NULL;
END $$;
CREATE OR REPLACE FUNCTION tasks_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
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
CREATE OR REPLACE FUNCTION tasks_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM beat(study_id) FROM (SELECT DISTINCT study_id FROM gone) AS changed;
    RETURN NULL;
END $$;
DROP FUNCTION beat(bigint, bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("annotate", "0008_counted_faster")]

    operations = [
        migrations.RemoveIndex(model_name="task", name="task_not_as_first_said"),
        migrations.AddField(
            model_name="pulse",
            name="block",
            field=models.BigIntegerField(default=0),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="pulse",
            name="study",
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="annotate.study"),
        ),
        migrations.AddIndex(
            model_name="pulse",
            index=models.Index(fields=["study", "block"], name="pulse_of_block"),
        ),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(condition=models.Q(("version__gt", 1), ("state__in", ["surplus", "repeated"]), _connector="OR"), fields=["study", "item"], include=("id", "version", "state"), name="task_not_as_first_said"),
        ),
        migrations.RunSQL(BY_BLOCK, BY_STUDY),
        # Last: what waits for the end of the transaction forbids changes of the table.
        migrations.RunSQL(SEED, migrations.RunSQL.noop),
    ]
