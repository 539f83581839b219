"""How long a page may count: what takes longer goes on in the next request, and is said so."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

GROWTH = 1.3
# What is done in so many seconds is done before anybody has read that it is not.
BEARABLE = 0.4
# Hours: a request that says to be a later one gains nothing.
MOST_TRIES = 40
# When the time is up, by the clock that never goes back; None where nobody waits.
_until: ContextVar[float | None] = ContextVar("patience", default=None)


class StillCountingError(Exception):
    """The time is up; what has been counted is kept, and the next try goes on from there.

    Attributes
    ----------
    done, blocks : int
        Blocks of items that are counted, of how many; for one of the counts that were asked for.
    """

    def __init__(self, done: int, blocks: int) -> None:
        super().__init__(f"{done} of {blocks} blocks of items are counted")
        self.done = done
        self.blocks = blocks


@contextmanager
def patience(seconds: float, tries: int = 0) -> Iterator[None]:
    """Stop counting large studies when the time is up, by `StillCountingError`.

    Parameters
    ----------
    seconds : float
        For the first try.
    tries : int
        How many have been made: each has longer than the one before, so that one has time enough
        for all, however fast judgements come in.
    """
    before = _until.set(time.monotonic() + seconds * GROWTH ** min(tries, MOST_TRIES))
    try:
        yield
    finally:
        _until.reset(before)


def is_over(left: float) -> bool:
    """Whether somebody waits, has waited long enough, and would have to wait on for long.

    Parameters
    ----------
    left : float
        Seconds that the rest will take.
    """
    until = _until.get()
    return until is not None and time.monotonic() >= until and left > BEARABLE
