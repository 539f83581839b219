"""Items asked again of the same annotator: states and constraints of their own."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('annotate', '0006_lighter_tasks'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='task',
            name='task_item_met_once',
        ),
        migrations.RemoveConstraint(
            model_name='task',
            name='task_one_held_per_study',
        ),
        migrations.RemoveConstraint(
            model_name='task',
            name='task_claimed_has_lease',
        ),
        migrations.RemoveConstraint(
            model_name='task',
            name='task_state_known',
        ),
        migrations.RemoveConstraint(
            model_name='task',
            name='task_judged_has_version',
        ),
        migrations.AddField(
            model_name='assignment',
            name='repeated_count',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='study',
            name='repeat_share',
            field=models.DecimalField(db_default=Decimal('0'), decimal_places=2, default=Decimal('0'), max_digits=3, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(Decimal('0.5'))]),
        ),
        migrations.AddField(
            model_name='task',
            name='due_after',
            field=models.PositiveIntegerField(help_text='So many tasks its annotator has answered before a repeat comes.', null=True),
        ),
        migrations.AddField(
            model_name='task',
            name='repeats',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='repeated_by', to='annotate.task'),
        ),
        migrations.AlterField(
            model_name='task',
            name='state',
            field=models.CharField(choices=[('free', 'Free'), ('claimed', 'Claimed'), ('judged', 'Judged'), ('skipped', 'Skipped'), ('lapsed', 'Lapsed'), ('surplus', 'Surplus'), ('imported', 'Imported'), ('waiting', 'Waiting'), ('asked', 'Asked'), ('repeated', 'Repeated'), ('passed', 'Passed')], default='free', max_length=8),
        ),
        migrations.AddIndex(
            model_name='task',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['study', 'annotator', 'due_after'], name='task_repeats_waiting'),
        ),
        migrations.AddConstraint(
            model_name='study',
            constraint=models.CheckConstraint(condition=models.Q(('repeat_share__gte', 0), ('repeat_share__lte', Decimal('0.5'))), name='study_repeat_share_0_to_half'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('annotator__isnull', False), ('repeats', None)), fields=('item', 'annotator'), name='task_item_met_once'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ['claimed', 'asked'])), fields=('study', 'annotator'), name='task_one_held_per_study'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('repeats__isnull', False)), fields=('repeats',), name='task_repeated_once'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.UniqueConstraint(condition=models.Q(('repeats__isnull', False)), fields=('item', 'annotator'), name='task_item_repeated_once'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('due_after__isnull', False), ('repeats__isnull', False), ('state__in', ['waiting', 'asked', 'repeated', 'passed'])), models.Q(models.Q(('state__in', ['waiting', 'asked', 'repeated', 'passed']), _negated=True), ('due_after', None), ('repeats', None)), _connector='OR'), name='task_repeat_apart'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['free', 'claimed', 'judged', 'skipped', 'lapsed', 'surplus', 'imported', 'waiting', 'asked', 'repeated', 'passed'])), name='task_state_known'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['claimed', 'asked']), _negated=True), ('lease_ends_at__isnull', False), _connector='OR'), name='task_claimed_has_lease'),
        ),
        migrations.AddConstraint(
            model_name='task',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('judged_at__isnull', False), ('state__in', ['judged', 'surplus', 'repeated']), ('version__gte', 1)), models.Q(('state', 'imported'), ('version', 1)), models.Q(models.Q(('state__in', ['judged', 'surplus', 'repeated', 'imported']), _negated=True), ('judged_at', None), ('version', 0)), _connector='OR'), name='task_judged_has_version'),
        ),
    ]
