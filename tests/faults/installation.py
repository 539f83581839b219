"""The product as it is run: `config.serve` with gunicorn, job worker and its own PostgreSQL."""

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from config.cluster import DATABASE, ROLE, Cluster
from config.embedded import CODE, read_password
from tests.faults.steadfast import Progress, Steadfast
from tests.test_serve import free_port, wait_until_gone

FURNISH = (
    "import sys, django; django.setup(); from tests.faults.furnish import main; main(*sys.argv[1:])"
)
UP_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Work:
    """A study and the sessions of those who judge in it."""

    study: str
    sessions: list[str]

    def annotators(self, port: int, progress: Progress) -> list[Steadfast]:
        return [
            Steadfast("127.0.0.1", port, session, progress=progress) for session in self.sessions
        ]


@dataclass
class Installation:
    data: Path
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def cluster(self) -> Cluster:
        return Cluster(self.data)

    def furnish(self, name: str, *, items: int, overlap: int, people: int) -> Work:
        words = [name, str(items), str(overlap), str(people)]
        done = subprocess.run(
            [sys.executable, "-c", FURNISH, *words],
            cwd=CODE,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return Work(**json.loads(done.stdout))

    def ask(self, sql: str, values: dict[str, Any]) -> Sequence[Sequence[Any]]:
        """Rows, read past the product; a server that is coming back is waited for."""
        deadline = time.monotonic() + UP_SECONDS
        while True:
            try:
                with self._connect() as connection:
                    return connection.execute(sql, values).fetchall()
            except (psycopg.OperationalError, ConnectionError):
                assert time.monotonic() < deadline, self.words()
                time.sleep(0.1)

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        server = self.cluster.server()
        if server is None:
            raise ConnectionError("The database is not up.")
        return psycopg.connect(
            host=server.socket_folder,
            dbname=DATABASE,
            user=ROLE,
            password=read_password(self.data),
        )

    def web_workers(self) -> list[int]:
        """The processes that answer: children of the gunicorn that the app started."""
        rows = _processes()
        masters = {
            pid
            for pid, parent, words in rows
            if parent == self.process.pid and f"127.0.0.1:{self.port}" in words
        }
        return [pid for pid, parent, _ in rows if parent in masters]

    def words(self) -> str:
        """The end of what it had to say, for a test that failed."""
        return self.log.read_text(errors="replace")[-3000:]


def _processes() -> list[tuple[int, int, str]]:
    listing = subprocess.run(
        ["ps", "axww", "-o", "pid,ppid,args"], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()[1:]]
    return [(int(pid), int(parent), words) for pid, parent, words in rows]


def children_of(parent: int) -> list[int]:
    return [pid for pid, its_parent, _ in _processes() if its_parent == parent]


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """Start the product in `folder`, and end it with all its processes."""
    data, port, log = folder / "data", free_port(), folder / "serve.log"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "TOUCHSTONE_LINGER": "0.3",
        "TOUCHSTONE_DATA": str(data),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        # As it would serve others, but without HTTPS: no demonstration is loaded.
        "TOUCHSTONE_HOSTS": "127.0.0.1",
        "TOUCHSTONE_HTTPS": "0",
        "TOUCHSTONE_SECRET_KEY": secrets.token_urlsafe(60),
        "PORT": str(port),
    }
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "config.serve", "--die-with-parent"],
            cwd=CODE,
            env=environment,
            stdout=out,
            stderr=out,
        )
    found = Installation(data, port, environment, process, log)
    try:
        _wait_until_up(found)
        yield found
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        wait_until_gone(data, port)


def _wait_until_up(found: Installation) -> None:
    deadline = time.monotonic() + UP_SECONDS
    while "Touchstone runs at" not in found.log.read_text(errors="replace"):
        assert found.process.poll() is None, found.words()
        assert time.monotonic() < deadline, found.words()
        time.sleep(0.1)
