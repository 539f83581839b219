"""What PostgreSQL has to be told around many rows, for it plans by what it knows of its tables."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import connection, transaction

# Below this every plan is a good one.
MANY_ROWS = 1_000


def forget_plans() -> None:
    """Let this connection plan anew.

    It keeps the plan by which it looks up what a new row refers to. Made when that table had a
    handful of rows, the plan reads the whole table for each row, however large it has become.
    """
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")


def renew_statistics(rows: int, *tables: str) -> None:
    """Have tables looked at that have just grown; by itself the database does so a minute later.

    It is done when the rows are there to be seen; a failure is logged, and nothing is lost by it.
    """
    if rows >= MANY_ROWS:
        transaction.on_commit(partial(_analyze, tables), robust=True)


def _analyze(tables: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(tables)}")


@contextmanager
def whole_tables() -> Iterator[None]:
    """For a statement about most rows of its tables: row by row is never the way, even where the
    database takes them for small. Inside a transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on")
