"""Processes that work on a run, one call in flight each: made by fork, killed by tests.

    python -m tests.faults.lanes DATABASE PAIR

Reads lines: `start NUMBER` forks a process that works in that lane of the pair until its runs
have ended, and answers with its pid. It ends with its input.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import django
from django.db import connection, connections
from django.db.models import Q

from config.embedded import CODE


def main(database: str, pair: str) -> None:
    django.setup()
    # Only now can the product be imported; and before it forks, or each child would do it again.
    from evals import openai_client, running  # noqa: PLC0415
    from evals.endpoints import connection_of  # noqa: PLC0415
    from evals.models import Run  # noqa: PLC0415

    connection.settings_dict["NAME"] = database
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)

    def work(number: int) -> None:
        lane = running.Lane(UUID(pair), number, openai_client.ask, connection_of, width=1)
        while Run.objects.filter(pair=pair, state="running").exists():
            lane.work()
            running.finish_runs(Q(pair=pair))
            time.sleep(0.02)

    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                work(int(line.split()[1]))
            finally:
                connections.close_all()
                os._exit(0)
        print(pid, flush=True)


class Nursery:
    """Starts working processes; each in a lane of its own that no other ever had."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self._next = 0
        self.living: list[int] = []

    def start(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"start {self._next}\n")
        self._process.stdin.flush()
        self._next += 1
        pid = int(self._process.stdout.readline())
        self.living.append(pid)
        return pid

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self.living.remove(pid)


@contextmanager
def nursery(pair: UUID) -> Iterator[Nursery]:
    """A process that starts others, for the database of this test; all are gone at the end."""
    environment = os.environ | {"TOUCHSTONE_PRIVATE_ENDPOINTS": "127.0.0.1"}
    words = [sys.executable, "-m", "tests.faults.lanes", connection.settings_dict["NAME"]]
    with subprocess.Popen(
        [*words, str(pair)],
        cwd=CODE,
        env=environment | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        made = Nursery(process)
        try:
            yield made
        finally:
            for pid in made.living:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue  # it has ended by itself
            assert process.stdin is not None
            process.stdin.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
