"""When to ask again, and when to stop asking: retries, pauses, and an end to both."""

import random
from datetime import timedelta

from evals.openai_client import CallError, ErrorKind

# Before the second try at most this long, then twice as long each time: full jitter, so that
# cases that failed together do not come back together.
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 60.0
# A service may ask for more patience than that, up to ten minutes.
LONGEST_RETRY_AFTER = 600.0

# So many failures in a row, and the service is taken to be away: it is asked one call at a time,
# after ever longer pauses, until one is answered.
TRIP = 10
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
# Some four hours of pauses.
GIVE_UP = 60
# So many more tries a case has for finding a service away.
PROBES = 10

# These say that the service will answer no call at all; so many in a row end the run.
HOPELESS: frozenset[ErrorKind] = frozenset({"unauthorised", "refused_address", "no_key"})
HOPELESS_IN_A_ROW = 5

# A case whose callers died so often is not asked again: it may be what they died of.
LOST_TRIES = 10


def delay_after(error: CallError, failed_tries: int) -> timedelta:
    """How long a case waits after its `failed_tries`-th failure, never less than was asked for."""
    ceiling = min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** (failed_tries - 1))
    asked_for = min(LONGEST_RETRY_AFTER, max(0.0, error.retry_after or 0.0))
    return timedelta(seconds=asked_for + random.uniform(0, ceiling))  # noqa: S311


def pause_after(failures: int) -> timedelta:
    """How long a service that failed `failures` times in a row is left alone."""
    if failures < TRIP:
        return timedelta(0)
    seconds = FIRST_PAUSE * 2 ** min(20, failures - TRIP)
    return timedelta(seconds=min(LONGEST_PAUSE, seconds))
