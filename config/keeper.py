"""The keeper: a small process that owns the embedded server and outlives whoever started it.

`python -m config.keeper FOLDER` answers when the server is ready and leaves the keeper behind.
The keeper restarts a server that dies, and stops it when no process holds `users.lock` any
more. That lock ends with its holder, however it ended, so a killed user is never waited for.
"""

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType
from typing import BinaryIO

from config.cluster import (
    Cluster,
    DatabaseUnavailableError,
    is_alive,
    is_postgres,
    programs,
    socket_folder,
    take_lock,
)
from config.cluster_files import make_files
from config.local import open_private
from config.server_account import Account, account_that_reaches, server_account

POLL_SECONDS = 0.25
LINGER_SECONDS = 2.0
STOP_SECONDS = 60.0
READY = b"ready"
LARGEST_LOG = 10 * 2**20
# Restarts in a row that brought no ready server; waits between them double up to 5 s.
MOST_FAILURES = 5


class Keeper:
    """Owns one server. One thread only: the server is told to die with the thread it came from."""

    def __init__(self, cluster: Cluster, linger: float) -> None:
        self.cluster = cluster
        self.linger = linger
        self.account: Account = server_account(cluster)
        self.sockets = socket_folder(cluster.data, self.account.uid)
        self.process: subprocess.Popen[bytes] | None = None
        self.told_to_stop = False
        self.failures = 0
        self._wakeup, notify = os.pipe()
        for end in (self._wakeup, notify):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, self._stop_soon)
        signal.signal(signal.SIGTERM, self._stop_soon)

    def start(self) -> None:
        """Bring the server up, whatever an earlier one left behind."""
        self.account = account_that_reaches(
            self.account, folder=self.cluster.data, program=programs() / "postgres"
        )
        make_files(self.cluster, self.account)
        self._end_orphan()
        while not self._launch():
            self.failures += 1
            if self.failures >= MOST_FAILURES or self.told_to_stop:
                raise DatabaseUnavailableError(
                    f"The database does not start. Its log {self.cluster.log} ends: "
                    f"{self.cluster.log_tail()}"
                )
            self._pause(min(5.0, 0.1 * 2**self.failures))
        self.failures = 0

    def watch(self) -> None:
        """Until nobody is left: keep the server alive."""
        last_used = time.monotonic()
        while not self.told_to_stop:
            self._pause(POLL_SECONDS)
            if not self.told_to_stop and self._server_is_lost():
                self.start()
            if self._in_use():
                last_used = time.monotonic()
            elif time.monotonic() - last_used >= self.linger and self._stop_if_unused():
                return

    def close(self) -> None:
        """Fast shutdown; harder if the server does not obey."""
        for request in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            if self.process is None or self.process.poll() is not None:
                break
            self.process.send_signal(request)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        if self.process is not None:
            with contextlib.suppress(OSError):
                self.sockets.rmdir()

    def _launch(self) -> bool:
        """Start the server and wait: True when it takes connections, False if it ended."""
        self._prepare_sockets()
        with _open_log(self.cluster.log) as log:
            self.process = subprocess.Popen(  # noqa: S603
                [
                    str(programs() / "postgres"),
                    "-D",
                    str(self.cluster.files),
                    "-c",
                    f'unix_socket_directories="{self.sockets}"',
                    "-c",
                    "unix_socket_permissions=0700",
                ],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=self.account.before_exec(os.getpid()),
            )
        while self.process.poll() is None and not self.told_to_stop:
            server = self.cluster.server()
            if server is not None and server.pid == self.process.pid:
                return True
            self._pause(0.02)
        return False

    def _prepare_sockets(self) -> None:
        with contextlib.suppress(FileExistsError):
            self.sockets.mkdir(mode=0o700)
            if self.account.change:
                os.chown(self.sockets, self.account.uid, self.account.gid)
        found = self.sockets.lstat()
        if self.sockets.is_symlink() or found.st_uid != self.account.uid or found.st_mode & 0o077:
            raise DatabaseUnavailableError(
                f"{self.sockets} is not a private folder of the database's user. Remove it."
            )

    def _end_orphan(self) -> None:
        """Stop a server whose keeper was killed, where the kernel has not done so."""
        pid = self.cluster.recorded_pid()
        if pid is None or not is_alive(pid):
            return
        if not is_postgres(pid):
            # Left by a crash, and its number now is another program's: a server of this user
            # would take that for a rival and refuse to start.
            self.cluster.pid_file.unlink(missing_ok=True)
            return
        subprocess.run(  # noqa: S603
            [str(programs() / "pg_ctl"), "stop", "-m", "fast", "-D", str(self.cluster.files)],
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            preexec_fn=self.account.before_exec(os.getpid()),
            check=False,
        )

    def _server_is_lost(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            return True
        if any(self.sockets.glob(".s.PGSQL.*")):
            return False
        # Something cleared the temporary folder: nobody could connect any more.
        self.close()
        return True

    def _in_use(self) -> bool:
        free = take_lock(self.cluster.users_lock, fcntl.LOCK_EX)
        if free is None:
            return True
        os.close(free)
        return False

    def _stop_if_unused(self) -> bool:
        """Stop under both locks, so that nobody can begin to use the server meanwhile."""
        start = take_lock(self.cluster.start_lock, fcntl.LOCK_EX)
        if start is None:
            return False
        users = take_lock(self.cluster.users_lock, fcntl.LOCK_EX)
        if users is None:
            os.close(start)
            return False
        self.close()
        return True

    def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next signal."""
        if select.select([self._wakeup], [], [], seconds)[0]:
            os.read(self._wakeup, 512)

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.told_to_stop = True


def _open_log(path: Path) -> BinaryIO:
    if path.exists() and path.stat().st_size > LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return os.fdopen(open_private(path, os.O_WRONLY | os.O_APPEND), "ab")


def keep(cluster: Cluster, report: int, linger: float) -> None:
    """Run a keeper to its end, after writing to `report` why there is no server, or "ready"."""
    try:
        keeper = Keeper(cluster, linger)
        with contextlib.closing(keeper):
            keeper.start()
            os.write(report, READY)
            os.close(report)
            keeper.watch()
    except (DatabaseUnavailableError, OSError) as error:
        # Once it has said "ready", the log is the place.
        with contextlib.suppress(OSError):
            os.write(report, str(error).encode())
        sys.stderr.write(f"{error}\n")


def main(folder: str) -> int:
    cluster = Cluster(Path(folder))
    if take_lock(cluster.keeper_lock, fcntl.LOCK_EX) is None:
        return 0
    answer, report = os.pipe()
    if os.fork():
        os.close(report)
        with os.fdopen(answer, "rb") as stream:
            words = stream.read()
        if words == READY:
            return 0
        unsaid = f"The keeper of the database died. See {cluster.log}."
        sys.stderr.write(words.decode() or unsaid)
        return 1
    os.close(answer)
    os.setsid()
    os.chdir("/")
    with _open_log(cluster.log) as log, open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    keep(cluster, report, float(os.environ.get("TOUCHSTONE_LINGER", LINGER_SECONDS)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
