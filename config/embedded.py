"""The embedded PostgreSQL, for a process that uses it: started if need be, shared, left alone.

A process that uses the database holds a shared lock on `users.lock` until it dies,
however it dies. The keeper (see `config.keeper`) stops the server when nobody holds it.
"""

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from config.cluster import (
    START_SECONDS,
    Cluster,
    DatabaseUnavailableError,
    Server,
    take_lock,
)
from config.local import make_data_folder

CODE = Path(__file__).resolve().parent.parent
# The server must not see the application's environment: it holds secrets, and PG* variables.
PASSED_ON = ("PATH", "HOME", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "TOUCHSTONE_LINGER")

_guard = threading.Lock()
_held: dict[Path, int] = {}
_servers: dict[Path, Server] = {}


def ensure_running(
    data: Path, *, look_again: bool = False, seconds: float = START_SECONDS
) -> Server:
    """The server of `data`, started where it is not running, and kept while this process lives.

    Raises DatabaseUnavailableError. The answer is remembered; `look_again` after a failure.
    `seconds` is how long another process may take that is starting it.
    """
    with _guard:
        if look_again or data not in _servers:
            try:
                _servers[data] = _join(Cluster(data), seconds)
            except PermissionError as error:
                raise DatabaseUnavailableError(_not_yours(data, error)) from error
        return _servers[data]


def read_password(data: Path) -> str:
    return Cluster(data).password.read_text().strip()


def _join(cluster: Cluster, seconds: float) -> Server:
    make_data_folder(cluster.data)
    start = take_lock(cluster.start_lock, fcntl.LOCK_EX, 2 * seconds)
    if start is None:
        raise DatabaseUnavailableError(
            f"Another process has been starting the database in {cluster.data} for "
            f"{2 * seconds:.0f} s. Its log is {cluster.log}."
        )
    try:
        _hold_users_lock(cluster)
        if not _keeper_lives(cluster):
            _launch_keeper(cluster)
        return _wait_until_ready(cluster, seconds)
    finally:
        os.close(start)


def _hold_users_lock(cluster: Cluster) -> None:
    if cluster.data not in _held:
        # The keeper takes this lock for an instant when it looks whether anybody is left.
        descriptor = take_lock(cluster.users_lock, fcntl.LOCK_SH, START_SECONDS)
        if descriptor is None:
            raise DatabaseUnavailableError(f"{cluster.users_lock} is locked by another program.")
        _held[cluster.data] = descriptor


def _keeper_lives(cluster: Cluster) -> bool:
    descriptor = take_lock(cluster.keeper_lock, fcntl.LOCK_EX)
    if descriptor is None:
        return True
    os.close(descriptor)
    return False


def _launch_keeper(cluster: Cluster) -> None:
    environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "config.keeper", str(cluster.data)],
            cwd=CODE,
            env=environment | {"LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise DatabaseUnavailableError(_too_slow(cluster)) from error
    if done.returncode:
        raise DatabaseUnavailableError(
            " ".join(done.stderr.split()) or f"The database did not start. See {cluster.log}."
        )


def _wait_until_ready(cluster: Cluster, seconds: float) -> Server:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        server = cluster.server()
        if server is not None:
            return server
        time.sleep(0.05)
    raise DatabaseUnavailableError(_too_slow(cluster))


def _too_slow(cluster: Cluster) -> str:
    return (
        f"The database in {cluster.data} is not ready yet; it may still be recovering, so try "
        f"again. Its log {cluster.log} ends: {cluster.log_tail()}"
    )


def _not_yours(data: Path, error: PermissionError) -> str:
    return (
        f"{error.filename or data} is closed to this user. Run as its owner, or set "
        "TOUCHSTONE_DATA to a folder of your own."
    )
