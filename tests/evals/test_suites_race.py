"""Suites that come in at the same moment."""

from collections.abc import Sequence

import pytest
from django.db import connection
from django.db.models import Max

from evals.models import Case, Staged, Suite
from evals.staging import stage, take_once
from evals.suites import TakenSuite, import_suite
from tests.evals.suite_inputs import CASES, cases
from tests.racing import in_parallel

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

MANY = 8


def numbers() -> Sequence[int]:
    return list(
        Suite.objects.filter(name="talk").order_by("version").values_list("version", flat=True)
    )


def test_equal_imports_at_once_give_one_version() -> None:
    got: list[TakenSuite] = in_parallel(MANY, lambda _: import_suite(cases(), name="talk"))

    assert [type(one) for one in got] == [TakenSuite] * MANY
    assert len({one.suite.pk for one in got if one.suite}) == 1
    assert sum(one.is_new for one in got) == 1
    assert numbers() == [1]
    assert Case.objects.count() == len(CASES)


def test_different_imports_at_once_give_a_version_each() -> None:
    def act(number: int) -> TakenSuite:
        return import_suite(cases([{"prompt": f"{number}?", "expected": "x"}]), name="talk")

    got: list[TakenSuite] = in_parallel(MANY, act)

    assert all(one.is_new for one in got)
    assert numbers() == list(range(1, MANY + 1))
    assert sorted(one.suite.version for one in got if one.suite) == numbers()
    assert Case.objects.count() == MANY


def test_without_the_constraints_the_same_race_gives_more_than_one_version() -> None:
    """What the constraints are for: asking first and writing then lets several through."""

    def ask_then_write(number: int) -> None:
        if not Suite.objects.filter(name="talk", digest="d" * 64).exists():
            last = Suite.objects.filter(name="talk").aggregate(last=Max("version"))["last"] or 0
            Suite.objects.create(
                name="talk", version=last + 1, title="Talk", digest="d" * 64, case_count=1
            )

    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE evals_suite DROP CONSTRAINT suite_version_once, "
            "DROP CONSTRAINT suite_content_once"
        )
    try:
        for _ in range(20):
            in_parallel(MANY, ask_then_write)
            if len(numbers()) > 1:
                break
            Suite.objects.all().delete()

        assert len(numbers()) > 1
    finally:
        Suite.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE evals_suite "
                "ADD CONSTRAINT suite_version_once UNIQUE (name, version), "
                "ADD CONSTRAINT suite_content_once UNIQUE (name, digest)"
            )


def test_files_that_several_say_yes_to_at_once_come_in_once() -> None:
    staged = stage("suite", cases())
    calls: list[int] = []

    def act(number: int) -> int | None:
        def take(sources: object) -> int | None:
            calls.append(number)
            suite = import_suite(cases(), name="talk").suite
            return suite.pk if suite else None

        return take_once(Staged.objects.get(pk=staged.pk), take)

    got = in_parallel(MANY, act)

    (suite,) = Suite.objects.all()
    assert got == [suite.pk] * MANY
    assert len(calls) == 1
