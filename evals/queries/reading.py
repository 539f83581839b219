"""How the database is read: one state for all numbers of a page, counted where it lies."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from evals.queries.patience import StillCountingError

BLOCKS = """
SELECT block, sum(beats)::bigint FROM annotate_pulse WHERE study_id = %(study)s GROUP BY block
"""


@dataclass
class _Seen:
    """What one snapshot has learned, and what is to be done when it ends."""

    anew: bool = False
    states: dict[int, str] = field(default_factory=dict)
    blocks: dict[int, dict[int, int]] = field(default_factory=dict)
    answers: dict[Hashable, Any] = field(default_factory=dict)
    later: list[Callable[[], object]] = field(default_factory=list)


_now: ContextVar[_Seen | None] = ContextVar("snapshot", default=None)


@contextmanager
def snapshot(*, writing: bool = False, anew: bool = False) -> Iterator[None]:
    """One state of the database for all that is read inside: numbers on a page agree.

    Inside a transaction that is under way already, its own view is used.

    Parameters
    ----------
    writing : bool
        Whether something is written on the strength of what is read (a decision).
    anew : bool
        Whether to count everything again, whatever has been kept: for an audit, which trusts
        the rows alone.
    """
    begun = connection.in_atomic_block
    seen = _Seen(anew=anew or counts_anew())
    outer = _now.set(seen)
    stopped: StillCountingError | None = None
    try:
        with transaction.atomic():
            if not begun:
                _begin(writing=writing)
            yield
    except StillCountingError as error:
        stopped = error
    finally:
        _now.reset(outer)
    _end(seen, outer)
    if stopped is not None:
        raise stopped


def _end(seen: _Seen, outer: Token[_Seen | None]) -> None:
    """Do what was put off, or leave it to the snapshot around this one.

    So too where the time was up: what has been counted by then is kept.
    """
    around = outer.old_value
    if isinstance(around, _Seen):
        around.later += seen.later
        return
    for work in seen.later:
        work()


def _begin(*, writing: bool) -> None:
    mode = "READ WRITE" if writing else "READ ONLY"
    with connection.cursor() as cursor:
        cursor.execute(f"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, {mode}")
        # Compiling a statement of a page takes longer than running it.
        cursor.execute("SET LOCAL jit = off")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        # What is counted lies in indexes, and these in memory or on disks that do not turn.
        cursor.execute("SET LOCAL random_page_cost = 1.1")


def counts_anew() -> bool:
    """Whether nothing that was kept may be used here."""
    seen = _now.get()
    return seen is not None and seen.anew


def state_seen(study: int, look: Callable[[], str]) -> str:
    """The state of a study, looked for once in a snapshot."""
    seen = _now.get()
    if seen is None:
        return look()
    if study not in seen.states:
        seen.states[study] = look()
    return seen.states[study]


def blocks_seen(study: int) -> dict[int, int]:
    """How often each block of a study's items has changed, looked for once in a snapshot."""
    seen = _now.get()
    if seen is None:
        return dict(rows_of(BLOCKS, {"study": study}))
    if study not in seen.blocks:
        seen.blocks[study] = dict(rows_of(BLOCKS, {"study": study}))
    return seen.blocks[study]


def seen_here() -> dict[Hashable, Any]:
    """What has been counted in this snapshot, by what was asked; forgotten where there is none."""
    seen = _now.get()
    return {} if seen is None else seen.answers


def afterwards(work: Callable[[], object]) -> None:
    """Do this when the snapshot has ended, or now where there is none."""
    seen = _now.get()
    if seen is None:
        work()
    else:
        seen.later.append(work)


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
