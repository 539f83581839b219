"""Many processes score and import the same at once: everything is there once."""

from typing import Any

import pytest
from django.db import connection

from annotate.intake import RefusedError
from annotate.parsing import Source
from evals.formats import ScorerSpec
from evals.importing import TakenOutputs, import_outputs
from evals.models import Generation, Run, Score, ScorerVersion, Suite
from evals.scoring import score_generation, score_run, scorer_named_by
from evals.scoring import scores as scoring
from evals.scoring.versions import Versions
from tests.evals.factories import make_suite
from tests.evals.format_inputs import lines, source
from tests.evals.test_scoring import CAPITAL, make_answers
from tests.factories import make_study
from tests.racing import in_parallel

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def test_each_answer_is_scored_once_however_many_score_it() -> None:
    run = make_answers(make_study("Raced"), [{"text": "Paris"}] * 20, [CAPITAL] * 20)
    first = run.generations.order_by("position").first()
    assert first is not None

    def score(number: int) -> Any:
        if number % 4 == 0:
            return score_generation(Generation.objects.get(pk=first.pk))
        return score_run(Run.objects.get(pk=run.pk), [ScorerSpec("rouge_l")])

    results = in_parallel(16, score)

    assert [one for one in results if isinstance(one, Exception)] == []
    assert ScorerVersion.objects.count() == 2
    assert Score.objects.filter(own=True).count() == 20
    assert Score.objects.filter(own=False).count() == 20


def test_without_the_unique_constraints_answers_would_be_scored_twice() -> None:
    # The control: at once, each thread finds no score and has one ready to write.
    run = make_answers(make_study("Raced"), [{"text": "Paris"}], [CAPITAL])
    generation = run.generations.select_related("case").get()
    spec = scorer_named_by(generation.case)
    assert spec is not None

    def make(number: int) -> Score | None:
        return scoring._score(generation, spec, Versions(), own=True)

    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE evals_score DROP CONSTRAINT score_once")
        cursor.execute("DROP INDEX score_own_once")
    try:
        for one in in_parallel(8, make):
            Score.objects.bulk_create([one], ignore_conflicts=True)
        assert Score.objects.count() == 8
    finally:
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE evals_score")
            cursor.execute(
                "ALTER TABLE evals_score "
                "ADD CONSTRAINT score_once UNIQUE (generation_id, scorer_id)"
            )
            cursor.execute(
                "CREATE UNIQUE INDEX score_own_once ON evals_score (generation_id) WHERE own"
            )


def outputs_of(number: int) -> Source:
    rows = [{"id": f"capitals-{case}", "prompt": f"What is {case}?", "output": f"{number}"}
            for case in range(1, 7)]  # fmt: skip
    return source(lines(*rows))


def test_the_same_outputs_come_in_once_however_many_send_them() -> None:
    study, suite = make_study("Raced"), make_suite()

    def take(number: int) -> TakenOutputs:
        return import_outputs(study, [outputs_of(0)], system="candidate", suite=suite)

    results = in_parallel(8, take)

    assert sum(isinstance(one, TakenOutputs) for one in results) == 1
    refused = [one for one in results if isinstance(one, RefusedError)]
    assert {one.code for one in refused} == {"already_imported"}
    assert len(refused) == 7
    assert Run.objects.count() == 1
    assert Generation.objects.count() == 6


def test_runs_that_come_in_at_once_get_numbers_of_their_own() -> None:
    study, suite = make_study("Raced"), make_suite()

    def take(number: int) -> TakenOutputs:
        return import_outputs(study, [outputs_of(number)], system="candidate", suite=suite)

    results = in_parallel(8, take)

    assert [one for one in results if isinstance(one, Exception)] == []
    assert sorted(Run.objects.values_list("number", flat=True)) == list(range(1, 9))


def test_outputs_of_both_systems_at_once_share_the_suite_made_of_them() -> None:
    study = make_study("Raced")

    def take(number: int) -> TakenOutputs:
        system = ("baseline", "candidate")[number % 2]
        return import_outputs(study, [outputs_of(number)], system=system)

    results = in_parallel(6, take)

    assert [one for one in results if isinstance(one, Exception)] == []
    assert Suite.objects.count() == 1
    assert Run.objects.count() == 6
