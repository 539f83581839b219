"""A lane: one place from which the cases of a pair of runs are asked, many calls at a time.

All that touches the database is done in the lane's own thread, on one connection: the advisory
lock that says it is alive and the writes that follow from it have the same fate. The threads of
calls know the network alone. A lane is called after its pair and its number, so that whoever
works it next knows what a dead predecessor held, and no more lanes work than an endpoint needs.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import cast
from uuid import UUID, uuid5

from django.db import InterfaceError, OperationalError, connection

from evals.openai_client import Answer, CallError, Connection, Request
from evals.running.claiming import POLL_SECONDS, Claimed, claim
from evals.running.places import Connect
from evals.running.returning import give_back
from evals.running.storing import Outcome, store

LOCK = "hashtextextended('touchstone lane ' || %s, 0)"
# Calls in flight from one lane of a worker; more lanes make more.
WIDTH = 16
# However long a service wants to be left alone, a run may be cancelled in the meantime.
LONGEST = 5.0

Ask = Callable[[Connection, Request], Answer]


def lane_id(pair: UUID, number: int) -> UUID:
    return uuid5(pair, f"lane {number}")


@contextmanager
def alone_in(lane: UUID) -> Iterator[bool]:
    """Whether this process is the one that works in a lane; true for one at a time.

    PostgreSQL lets the lock go when the process ends, however it ends. It does not keep a
    connection from taking it twice: nobody asks for a lane from within it.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({LOCK})", [str(lane)])
        (alone,) = cast("tuple[bool]", cursor.fetchone())
    try:
        yield alone
    finally:
        if alone:
            # With the connection the lock is gone too.
            with suppress(OperationalError, InterfaceError), connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({LOCK})", [str(lane)])


@dataclass
class Lane:
    """Works through what is pending of a pair until nothing is left to ask, or it should stop.

    Attributes
    ----------
    width : int
        Calls in flight at most; the endpoints' own limits hold beside it, over all lanes.
    should_stop : callable
        Asked again and again; once it is true nothing more is asked, and what is in flight is
        waited for and stored.
    tick : callable
        Called between two steps, from the lane's thread.
    """

    pair: UUID
    number: int
    ask: Ask
    connect: Connect
    width: int = WIDTH
    should_stop: Callable[[], bool] = lambda: False
    tick: Callable[[], None] = lambda: None
    in_flight: int = field(default=0, init=False)
    answers: "SimpleQueue[tuple[Claimed, Outcome]]" = field(default_factory=SimpleQueue, init=False)

    @property
    def id(self) -> UUID:
        return lane_id(self.pair, self.number)

    def work(self) -> bool:
        """Work the lane, unless somebody else does."""
        with alone_in(self.id) as alone:
            if alone:
                give_back(self.id)
                self._work()
        return alone

    def _work(self) -> None:
        look_at, wait, came = 0.0, None, False
        while True:
            stopping = self.should_stop()
            if not stopping and (came or time.monotonic() >= look_at):
                wait = self._ask_more()
                look_at = time.monotonic() + min(POLL_SECONDS if wait is None else wait, LONGEST)
            if not self.in_flight and (stopping or wait is None):
                return
            came = self._store_what_comes(look_at - time.monotonic())
            self.tick()

    def _ask_more(self) -> float | None:
        """Send what may be sent; how long to wait before looking again, None at the end."""
        room = self.width - self.in_flight
        if room <= 0:
            return POLL_SECONDS
        claims = claim(self.id, self.pair, room, self.connect)
        for claimed in claims.taken:
            self.in_flight += 1
            threading.Thread(target=self._call, args=(claimed,), daemon=True).start()
        return claims.wait

    def _call(self, claimed: Claimed) -> None:
        self.answers.put((claimed, outcome_of(claimed, self.ask)))

    def _store_what_comes(self, seconds: float) -> bool:
        """Store the next answer and all that came with it, if one comes within so many seconds."""
        wait = min(max(seconds, 0.0), POLL_SECONDS)
        came = False
        while True:
            try:
                claimed, outcome = self.answers.get(block=wait > 0, timeout=wait or None)
            except Empty:
                return came
            self.in_flight -= 1
            store(self.id, claimed, outcome)
            came, wait = True, 0.0


def outcome_of(claimed: Claimed, ask: Ask) -> Outcome:
    """What came of one call; nothing that can happen to it may be lost."""
    if isinstance(claimed.connection, CallError):
        return claimed.connection
    try:
        return ask(claimed.connection, claimed.request)
    except Exception as error:
        return error
