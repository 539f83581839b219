"""A second signature, of another person, under the same evidence."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

GUARDED = """
CREATE FUNCTION refuse_same_signer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM evals_decision d WHERE d.id = NEW.decision_id
        AND (d.signed_by_id = NEW.signed_by_id OR d.digest <> NEW.digest)
    ) THEN
        RAISE EXCEPTION 'a second signature is of another person, under the same digest'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evals_secondsignature_another BEFORE INSERT ON evals_secondsignature
    FOR EACH ROW EXECUTE FUNCTION refuse_same_signer();
CREATE TRIGGER evals_secondsignature_append_only BEFORE UPDATE OR DELETE ON evals_secondsignature
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
UNDO = """
DROP TRIGGER evals_secondsignature_append_only ON evals_secondsignature;
DROP TRIGGER evals_secondsignature_another ON evals_secondsignature;
DROP FUNCTION refuse_same_signer();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('evals', '0008_policy_ties'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='policy',
            name='two_signatures',
            field=models.BooleanField(db_default=False, default=False, help_text='Whether a decision waits for the signature of a second person.'),
        ),
        migrations.CreateModel(
            name='SecondSignature',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(help_text='Of the decision, as its signer saw it.', max_length=64)),
                ('comment', models.TextField(blank=True)),
                ('signed_name', models.CharField(max_length=254)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='second_signature', to='evals.decision')),
                ('signed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='second_signatures', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.RunSQL(GUARDED, UNDO),
    ]
