"""A batch comes in faster: one foreign key of a task for two, no index entry of a free one."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0005_judgements_made_elsewhere'),
    ]

    operations = [
        migrations.AddConstraint(
            model_name='item',
            constraint=models.UniqueConstraint(fields=('study', 'id'), name='item_of_its_study'),
        ),
        migrations.RunSQL(
            """
            ALTER TABLE annotate_task ADD CONSTRAINT task_item_of_its_study
                FOREIGN KEY (study_id, item_id) REFERENCES annotate_item (study_id, id)
                DEFERRABLE INITIALLY DEFERRED
            """,
            "ALTER TABLE annotate_task DROP CONSTRAINT task_item_of_its_study",
        ),
        migrations.RemoveIndex(
            model_name='task',
            name='task_by_annotator',
        ),
        migrations.AlterField(
            model_name='item',
            name='study',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='items', to='annotate.study'),
        ),
        migrations.AlterField(
            model_name='task',
            name='annotator',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='task',
            name='item',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='annotate.item'),
        ),
        migrations.AlterField(
            model_name='task',
            name='study',
            field=models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.PROTECT, related_name='tasks', to='annotate.study'),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('annotator__isnull', False)), fields=['annotator', 'study', '-judged_at'], name='task_by_annotator'),
        ),
    ]
