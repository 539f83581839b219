"""How the database is read: one state for all numbers of a page, counted where it lies."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet


@contextmanager
def snapshot(*, writing: bool = False) -> Iterator[None]:
    """One state of the database for all that is read inside: numbers on a page agree.

    Inside a transaction that is under way already, its own view is used.

    Parameters
    ----------
    writing : bool
        Whether something is written on the strength of what is read (a decision).
    """
    begun = connection.in_atomic_block
    with transaction.atomic():
        if not begun:
            mode = "READ WRITE" if writing else "READ ONLY"
            with connection.cursor() as cursor:
                cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, {mode}")
                # Compiling a statement of a page takes longer than running it.
                cursor.execute("SET LOCAL jit = off")
                cursor.execute("SET LOCAL work_mem = '64MB'")
        yield


def counted_from(votes: QuerySet[Any, Any], what: str, *more: Any) -> Sequence[tuple[Any, ...]]:
    """Run a counting statement over the rows of a query set, called `votes` in it.

    `more` fills the places (%s) of the statement.
    """
    query, params = votes.order_by().query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"WITH votes AS ({query}){what}", [*params, *more])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def rows_of(statement: str, params: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows that a statement answers."""
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
