"""Where the app of a data folder is served: told by who serves it, while they do."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.cluster import take_lock

FILE = "serving"
# A reader holds the lock for an instant.
SECONDS = 1.0
LOOPBACK = {"127.0.0.1", "0.0.0.0", "::", "::1", ""}  # noqa: S104 (compared, not bound)


@contextmanager
def announced(data: Path, host: str, port: int) -> Iterator[None]:
    """Tell other processes of this machine where the app is, until this one ends, however.

    The lock goes with the process; the first of several that serve one folder is told of.
    """
    descriptor = take_lock(data / FILE, fcntl.LOCK_EX, SECONDS)
    if descriptor is None:
        yield
        return
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, address_of(host, port).encode())
        yield
    finally:
        os.close(descriptor)


def address_of(host: str, port: int) -> str:
    name = "localhost" if host in LOOPBACK else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def served_at(data: Path) -> str:
    """The address at which `data` is being served now; empty where nobody says so."""
    try:
        descriptor = os.open(data / FILE, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.read(descriptor, 300).decode("utf-8", "replace").strip()
    except OSError:
        return ""
    else:
        return ""  # whoever wrote it has ended
    finally:
        os.close(descriptor)
