"""Processes that use the embedded database, and what is left of them."""

import json
import os
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

from config.cluster import is_alive
from config.embedded import CODE

AS_ROOT = os.geteuid() == 0
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "PYTHONPATH": sysconfig.get_path("purelib"),
    "TOUCHSTONE_LINGER": "0.3",
}
# Uses the database until its standard input ends.
USER = """
import json, sys
from pathlib import Path
from config.cluster import DatabaseUnavailableError
from config.embedded import ensure_running
try:
    server = ensure_running(Path(sys.argv[1]))
except DatabaseUnavailableError as error:
    sys.exit(str(error))
print(json.dumps([server.pid, server.socket_folder]), flush=True)
sys.stdin.read()
"""
# Answers each line of its standard input, an SQL statement, through Django's connection.
DJANGO = """
import json, os, sys
from pathlib import Path
import django
from django.conf import settings
from config.database import database_settings
settings.configure(
    DATABASES={"default": database_settings(os.environ, Path("/nowhere"))},
    SILENCED_SYSTEM_CHECKS=[],
)
django.setup()
from django.core.checks import run_checks
from django.db import DatabaseError, connection
for line in sys.stdin:
    try:
        if line.strip() == "checks":
            found = [message.id for message in run_checks(databases=["default"])]
        else:
            connection.close_if_unusable_or_obsolete()
            with connection.cursor() as cursor:
                cursor.execute(line)
                found = cursor.fetchall() if cursor.description else []
    except DatabaseError as error:
        found = str(error)
    print(json.dumps(found, default=str), flush=True)
"""


class Process:
    """A process that uses the database of `data`."""

    def __init__(
        self, data: Path, script: str = USER, command: tuple[str, ...] = (sys.executable,)
    ) -> None:
        self.process = subprocess.Popen(
            [*command, "-c", script, str(data)],
            cwd=CODE,
            env=ENVIRONMENT | {"TOUCHSTONE_DATA": str(data)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def answer(self) -> list[int | str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.error()
        answer: list[int | str] = json.loads(line)
        return answer

    def ask(self, sql: str) -> object:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{sql}\n")
        self.process.stdin.flush()
        return self.answer()

    def error(self) -> str:
        return self.process.communicate(timeout=90)[1].strip()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


Start = Callable[..., Process]


def keeper_of(server_pid: int) -> int:
    listing = subprocess.run(
        ["ps", "-o", "ppid=", "-p", str(server_pid)], capture_output=True, text=True, check=True
    )
    return int(listing.stdout)


def processes_of(folder: Path) -> list[str]:
    listing = subprocess.run(
        ["ps", "axww", "-o", "pid,args"], capture_output=True, text=True, check=True
    )
    return [
        line
        for line in listing.stdout.splitlines()
        if str(folder) in line and ("pginstall" in line or "config.keeper" in line)
    ]


def wait_until_gone(folder: Path, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == []


def wait_until_dead(pid: int, seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while is_alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(pid)
