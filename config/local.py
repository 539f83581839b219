"""The data folder of this machine, and the private files in it."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path


def data_folder(environ: Mapping[str, str], base_dir: Path) -> Path:
    """Where this checkout keeps its data: `TOUCHSTONE_DATA`, or `var` beside the code."""
    named = environ.get("TOUCHSTONE_DATA", "").strip()
    return (Path(named).expanduser() if named else base_dir / "var").absolute()


def make_data_folder(data: Path) -> None:
    """Make the folder closed to others; as root, enterable, for the server runs as someone else."""
    if not data.is_dir():
        data.parent.mkdir(parents=True, exist_ok=True)
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)


def open_private(path: Path, flags: int = os.O_RDWR) -> int:
    """Open `path` for its owner alone, making it where it is missing.

    What root makes in somebody's folder becomes theirs: they come back without root.
    """
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        folder = path.parent.stat()
        os.fchown(descriptor, folder.st_uid, folder.st_gid)
    return descriptor


def local_secret(path: Path) -> str:
    """The secret kept in `path`, drawn when it is asked for first.

    It is linked into place complete, so of two processes that start together
    both read the same one.
    """
    if not path.exists():
        make_data_folder(path.parent)
        draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
        with os.fdopen(open_private(draft, os.O_WRONLY | os.O_EXCL), "w") as stream:
            stream.write(secrets.token_urlsafe(60) + "\n")
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
