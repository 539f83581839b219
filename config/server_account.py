"""Whom the server runs as: PostgreSQL refuses root, so root hands it to another user.

Folders on the way that are closed to that user (a checkout under /root) stay closed: where
the kernel allows, the server is given the one privilege to read past them instead.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from config.cluster import Cluster, DatabaseUnavailableError

# linux/capability.h and linux/prctl.h
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION = 0x20080522
PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2

LINUX = sys.platform == "linux"
LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become, and a capability to take along."""

    uid: int
    gid: int
    change: bool
    capability: int | None = None

    def become(self) -> None:
        """Become this user for good. Only in a child that is about to run the server."""
        if not self.change:
            return
        if self.capability is not None:
            prctl(PR_SET_KEEPCAPS, 1)
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if self.capability is not None:
            _keep_only(self.capability)

    def before_exec(self, parent: int) -> Callable[[], None]:
        """What the child does before it becomes the server, which then dies with `parent`."""

        def prepare() -> None:
            os.umask(0o077)
            self.become()
            if LINUX:
                prctl(PR_SET_PDEATHSIG, signal.SIGINT)
            if os.getppid() != parent:
                os._exit(1)

        return prepare

    def can_reach(self, folder: Path, program: Path) -> bool:
        """Tried by doing it: what access() says leaves capabilities out."""
        child = os.fork()
        if child == 0:
            status = 1
            try:
                self.become()
                os.stat(f"{folder}/.")
                os.close(os.open(program, os.O_RDONLY))
                status = 0
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def server_account(cluster: Cluster) -> Account:
    """This user; for root the owner of the data, else `postgres`, else `nobody`."""
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid(), change=False)
    for folder in (cluster.files, cluster.data):
        if folder.exists() and folder.stat().st_uid != 0:
            return Account(folder.stat().st_uid, folder.stat().st_gid, change=True)
    for name in ("postgres", "_postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, change=True)
    raise DatabaseUnavailableError(
        "PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody' to run it. "
        "Add one (`useradd --system postgres`), run as an ordinary user, or set DATABASE_URL."
    )


def account_that_reaches(account: Account, *, folder: Path, program: Path) -> Account:
    """`account`, with a capability where the way to the data or the program is closed to it."""
    if not account.change or account.can_reach(folder, program):
        return account
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE) if LINUX else ():
        able = replace(account, capability=capability)
        if able.can_reach(folder, program):
            return able
    raise DatabaseUnavailableError(
        "PostgreSQL does not run as root, and the user it runs as may not enter the way to "
        f"{folder} or {program}. Move them to where others may enter (such as /srv), run as an "
        "ordinary user, or set DATABASE_URL."
    )


def prctl(option: int, *values: int) -> None:
    arguments = [ctypes.c_ulong(value) for value in (*values, 0, 0, 0, 0)[:4]]
    if LIBC.prctl(option, *arguments) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def _keep_only(capability: int) -> None:
    bit = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    # effective, permitted, inheritable; then the same for capabilities above 31
    sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if LIBC.capset(header, sets) != 0:
        raise OSError(ctypes.get_errno(), "capset")
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
