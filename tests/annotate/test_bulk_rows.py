"""Many rows after few: what the database learned of a small table costs a large one nothing."""

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from annotate import slots
from annotate.models import Batch, Item, Study
from annotate.slots import add_slots, make_tasks
from tests.factories import make_study

pytestmark = pytest.mark.django_db

FEW, MANY = 3, 2_000
TABLES = "annotate_batch, annotate_item, annotate_task"
READ = """
SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_user_tables
WHERE relname IN ('annotate_item', 'annotate_task')
"""


@pytest.fixture
def study() -> Study:
    return make_study("Bulk", overlap=2)


@pytest.fixture
def no_pages() -> None:
    """The tables begin anew: what a test rolls back leaves its pages behind."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE annotate_study CASCADE")


def bring(study: Study, items: int) -> None:
    batch = Batch.objects.create(
        study=study, number=study.batches.count() + 1, name="b", format="csv",
        digest=uuid4().hex, item_count=items,
    )  # fmt: skip
    Item.objects.bulk_create(
        Item(study=study, batch=batch, position=position, prompt="p")
        for position in range(1, items + 1)
    )
    make_tasks(batch)


def rows_read(act: Callable[[], object]) -> int:
    """Rows of items and tasks that were read from the first to the last, in this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(READ)
        before = cursor.fetchone()[0]
        act()
        cursor.execute(READ)
        return int(cursor.fetchone()[0] - before)


def looked_at_by_the_database(study: Study) -> None:
    """It finds a handful of rows, and this connection keeps its plans for them."""
    bring(study, FEW)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {TABLES}")
    bring(study, FEW)


def rows_met(act: Callable[[], object]) -> int:
    """Rows that all steps of the statements that add tasks have met, as often as they did."""
    met = 0

    def explain(execute: Any, sql: str, *rest: Any) -> Any:
        nonlocal met
        if "INSERT INTO annotate_task" not in sql:
            return execute(sql, *rest)
        answer = execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *rest)
        met += _met(rest[-1]["cursor"].fetchone()[0][0]["Plan"])
        return answer

    with connection.execute_wrapper(explain):
        act()
    return met


def _met(step: dict[str, Any]) -> int:
    rows = step["Actual Rows"] + step.get("Rows Removed by Join Filter", 0)
    rows += step.get("Rows Removed by Filter", 0)
    return int(rows * step["Actual Loops"]) + sum(_met(one) for one in step.get("Plans", ()))


@pytest.mark.usefixtures("no_pages")
def test_a_large_batch_after_a_small_one_reads_no_table_for_each_row(study: Study) -> None:
    looked_at_by_the_database(study)

    assert rows_read(lambda: bring(study, MANY)) < 20 * MANY


@pytest.mark.usefixtures("no_pages")
def test_with_the_plans_of_a_small_one_it_would(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "forget_plans", lambda: None)
    looked_at_by_the_database(study)

    assert rows_read(lambda: bring(study, MANY)) > 100 * MANY


def taken_for_empty(study: Study) -> None:
    """Another connection sees none of these rows yet, as autovacuum does while they come in."""
    bring(study, MANY)
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(f"ANALYZE {TABLES}")
    finally:
        other.close()


def test_more_slots_cost_the_same_where_the_database_takes_a_table_for_empty(study: Study) -> None:
    taken_for_empty(study)

    assert rows_met(lambda: add_slots(study, 2, 3)) < 50 * MANY


def test_row_by_row_they_would_not(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slots, "whole_tables", nullcontext)
    taken_for_empty(study)

    assert rows_met(lambda: add_slots(study, 2, 3)) > 200 * MANY
