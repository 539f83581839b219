"""What computes the numbers: the code, named so that anybody can find it again.

Git names a folder by its content. The same name is computed here from the files as they are, so
that an installation without git, or without its history, names the same code alike:
`git rev-parse COMMIT:evals` gives the name that a commit had, and a file that somebody edited by
hand gives one that no commit has.
"""

import hashlib
import tomllib
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from django.conf import settings

# The rooms that record votes, count them and weigh them.
ROOMS = ("annotate", "evals")
# Resampling depends on their generators and functions.
LIBRARIES = ("numpy", "scipy")
SKIPPED = frozenset({"__pycache__"})


@cache
def made_by() -> dict[str, Any]:
    """The version of the product, its code, and the libraries that computed the numbers."""
    base = Path(settings.BASE_DIR)
    return {
        "version": _product_version(base / "pyproject.toml"),
        "code": {room: tree_name(base / room).hex() for room in ROOMS},
        "libraries": {name: version(name) for name in LIBRARIES},
    }


@cache
def code_name() -> str:
    """All of that as one word, for what is kept: other code, other results."""
    return hashlib.sha256(repr(made_by()).encode()).hexdigest()


def _product_version(file: Path) -> str:
    try:
        return str(tomllib.loads(file.read_text())["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return ""


def tree_name(folder: Path) -> bytes:
    """The name that git gives to a folder: SHA-1 of the names of all that lies in it."""
    entries = [entry for entry in (_entry(path) for path in folder.iterdir()) if entry]
    return _named(b"tree", b"".join(line for _, line in sorted(entries)))


def _entry(path: Path) -> tuple[bytes, bytes] | None:
    """How a file or a folder is sorted, and its line; git knows no empty folders."""
    name = path.name.encode()
    if path.name in SKIPPED or path.name.startswith(".") or path.suffix == ".pyc":
        return None
    if path.is_dir():
        tree = tree_name(path)
        return None if tree == EMPTY else (name + b"/", b"40000 " + name + b"\0" + tree)
    mode = b"100755 " if path.stat().st_mode & 0o100 else b"100644 "
    return name, mode + name + b"\0" + _named(b"blob", path.read_bytes())


def _named(kind: bytes, content: bytes) -> bytes:
    head = kind + b" " + str(len(content)).encode() + b"\0"
    return hashlib.sha1(head + content, usedforsecurity=False).digest()


EMPTY = _named(b"tree", b"")
