"""How many statements something takes, apart from those of the cache."""

from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext


def statements(act: Callable[[], object]) -> int:
    """What is kept is put away once, by some statements of the cache for each result."""
    with CaptureQueriesContext(connection) as captured:
        act()
    said = [query["sql"] for query in captured.captured_queries]
    return sum('"cache"' not in sql and "SAVEPOINT" not in sql for sql in said)
