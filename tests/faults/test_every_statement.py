"""A worker is killed at every statement of a judgement in turn: it is stored whole, and once."""

import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

import pytest

from config.embedded import CODE
from tests.faults.installation import Installation, Work
from tests.faults.steadfast import Progress, form, something
from tests.faults.truth import amiss, stored
from tests.test_serve import free_port

pytestmark = pytest.mark.race

# More statements than a judgement and the claim of the next task send together.
MOST_STATEMENTS = 80


@contextmanager
def deadly_server(running: Installation, **environment: str) -> Iterator[int]:
    """A second gunicorn on the same database; it has many workers, and loads before it forks."""
    port = free_port()
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "tests.faults.deadly", "--preload"),
            *("--bind", f"127.0.0.1:{port}", "--workers", "6", "--threads", "2"),
            *("--no-control-socket", "--log-level", "critical"),
        ],
        cwd=CODE,
        env=running.environment | environment,
    )
    try:
        _wait_until_listening(process, port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_listening(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


@dataclass
class Toll:
    """At which statements the worker died, and what was amiss after such a death."""

    deaths: list[str] = field(default_factory=list)
    amiss: dict[str, int] = field(default_factory=dict)


def kill_at_every_statement(running: Installation, work: Work, port: int) -> Toll:
    """Judge once for each statement at which a worker can die, until something is amiss."""
    chance, toll = random.Random(7), Toll()
    (annotator,) = work.annotators(port, Progress())
    with closing(annotator):
        task = annotator.begin(work.study)
        for at in ["answer", *map(str, range(1, MOST_STATEMENTS))]:
            assert task is not None
            said = something(chance)
            path = f"{task.address}?die_at={at}"
            if annotator.try_once("POST", path, **task.hidden | form(said)) is not None:
                return toll
            toll.deaths.append(at)
            toll.amiss = amiss(running.ask, work.study)
            if toll.amiss:
                return toll
            task = annotator.say(task, said)
            assert stored(running.ask, work.study) == annotator.ledger
    return toll


def test_worker_killed_at_any_statement_leaves_nothing_half(running: Installation) -> None:
    work = running.furnish("statements", items=MOST_STATEMENTS, overlap=1, people=1)
    with deadly_server(running) as port:
        toll = kill_at_every_statement(running, work, port)

    # One request reads its session, stores the judgement, its ratings and its task, and claims.
    assert 15 < len(toll.deaths) < MOST_STATEMENTS - 1
    assert toll.amiss == amiss(running.ask, work.study) == {}


def test_without_its_transaction_a_judgement_is_left_half(running: Installation) -> None:
    work = running.furnish("careless", items=MOST_STATEMENTS, overlap=1, people=1)
    with deadly_server(running, FAULT_CARELESS="1") as port:
        toll = kill_at_every_statement(running, work, port)

    assert toll.amiss
