"""The tables of the tests' own database: kept as new, and emptied at little cost.

What a test rolls back leaves its pages behind. Autovacuum then notes of such a table that it has
pages and no rows, and whatever rows come next are planned for as none: a test that is done in
four seconds takes a minute. So it is off here, and a table whose pages have become many gets new
ones between two modules.
"""

from collections.abc import Iterable
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction

# Made by migrations from the code, the same for every test: they need not be made again each time.
KEPT = {"django_content_type", "auth_permission"}
# A table of more bytes is done with at once, a smaller one row by row.
SMALL = 2**20
TABLES = """
SELECT relname, pg_relation_size(oid) > %(small)s, reltuples >= 0,
       EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND NOT tgisinternal)
FROM pg_class WHERE relkind = 'r' AND relname = ANY(%(names)s)
"""

_kept: set[str] = set()


def keep_as_new() -> None:
    """For the tests' database alone: no autovacuum, and no wait for the disk at a commit."""
    assert connection.settings_dict["NAME"].startswith("test_")
    _kept.add(connection.settings_dict["NAME"])
    with connection.cursor() as cursor:
        for name in connection.introspection.table_names(cursor):
            cursor.execute(f"ALTER TABLE {name} SET (autovacuum_enabled = off)")
        name = connection.ops.quote_name(connection.settings_dict["NAME"])
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
        cursor.execute("SET synchronous_commit = off")


def empty_tables() -> None:
    """What Django's flush does: TRUNCATE makes new files of all tables and indexes, this none."""
    with transaction.atomic(), connection.cursor() as cursor:
        tables = _tables(cursor)
        filled = _filled(cursor, [name for name, *_ in tables])
        if any(is_large for name, is_large, _, _ in tables if name in filled):
            _truncate(cursor, (name for name, *_ in tables))
            return
        guarded = [name for name, *_, has_triggers in tables if name in filled and has_triggers]
        # Triggers refuse to delete what is only ever added.
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        for name in filled:
            cursor.execute(f"DELETE FROM {name}")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in guarded:
            cursor.execute(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def give_new_pages() -> None:
    """To tables that rolled-back rows have made large, and to those that were looked at.

    Nothing is done where no test has asked for the database yet.
    """
    if connection.settings_dict["NAME"] not in _kept:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        names = [name for name, large, looked_at, _ in _tables(cursor) if large or looked_at]
        if names:
            cursor.execute(f"TRUNCATE {', '.join(names)} CASCADE")


def end_other_sessions() -> None:
    """Of threads and killed processes, which a busy server is not rid of at once: with them there
    the database could not be dropped.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )


def _tables(cursor: Any) -> list[tuple[str, bool, bool, bool]]:
    """Of each table of a model: its name, is it large, was it looked at, has it triggers."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    cursor.execute(TABLES, {"small": SMALL, "names": sorted({*names} - KEPT)})
    return list(cursor.fetchall())


def _filled(cursor: Any, names: list[str]) -> set[str]:
    asked = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in names)
    cursor.execute(" UNION ALL ".join(asked))
    return {name for (name,) in cursor.fetchall()}


def _truncate(cursor: Any, names: Iterable[str]) -> None:
    for sql in connection.ops.sql_flush(no_style(), list(names)):
        cursor.execute(sql)
