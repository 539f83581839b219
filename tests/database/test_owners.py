"""Ordinary users and root at one data folder, and a folder of somebody else."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import CODE
from tests.database.users import AS_ROOT, Start, wait_until_gone


@pytest.fixture
def nobodys_folder() -> Iterator[Path]:
    """A folder that belongs to an ordinary user, outside of pytest's, which only root enters."""
    folder = Path(tempfile.mkdtemp(prefix="touchstone test "))
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    yield folder
    wait_until_gone(folder)
    shutil.rmtree(folder)


def find_command_as_nobody() -> tuple[str, ...] | None:
    """How an ordinary user runs Python here: perhaps not with root's own, but with the system's."""
    if not (AS_ROOT and shutil.which("setpriv")):
        return None
    user = pwd.getpwnam("nobody")
    become = ("setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups")
    for python in (sys.executable, "/usr/bin/python3"):
        # The second one is started without what setpriv still had of root.
        nested = (
            *become,
            python,
            "-c",
            f"import subprocess; subprocess.check_call([{python!r}, '-m', 'config.local'])",
        )
        if subprocess.run(nested, cwd=CODE, capture_output=True, check=False).returncode == 0:
            return (*become, python)
    return None


AS_NOBODY = find_command_as_nobody()
needs_nobody = pytest.mark.skipif(
    AS_NOBODY is None, reason="needs root, setpriv, and a Python that is open to all"
)


@needs_nobody
def test_ordinary_user_and_root_share_a_folder_of_that_user(
    nobodys_folder: Path, start: Start
) -> None:
    data = nobodys_folder / "var"
    ordinary = start(data, command=AS_NOBODY)
    server = ordinary.answer()
    root = start(data)

    assert root.answer() == server
    ordinary.end()
    root.end()
    wait_until_gone(data)
    assert start(data).answer()[1] == server[1]
    owners = {path.owner() for path in data.rglob("*")}
    assert owners == {"nobody"}


@needs_nobody
def test_folder_of_somebody_else_is_refused_in_one_line(nobodys_folder: Path, start: Start) -> None:
    os.chown(nobodys_folder, 0, 0)
    nobodys_folder.chmod(0o755)
    start(nobodys_folder).answer()

    assert start(nobodys_folder, command=AS_NOBODY).error() == (
        f"{nobodys_folder}/start.lock is closed to this user. Run as its owner, or set "
        "TOUCHSTONE_DATA to a folder of your own."
    )
