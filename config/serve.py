"""`make run`: everything the app needs on this machine, in the foreground, until Ctrl-C."""

import errno
import fcntl
import hashlib
import json
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.staticfiles.finders import get_finders
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.db.utils import OperationalError

from config.cluster import take_lock
from config.database import connection_problem
from config.embedded import CODE
from config.local import make_data_folder
from config.serving import announced
from config.supervisor import ChildFailedError, Supervisor, die_with_parent

# A run's lane works for minutes: an upload should not have to wait for it.
WORKER_JOBS = 4
GUNICORN_THREADS = 8
JOB_SECONDS = 10


class ServeError(Exception):
    """The app cannot run; the text says why and what to do, in one line."""


def main(arguments: list[str]) -> int:
    if "--die-with-parent" in arguments:
        die_with_parent()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        host, port = address(
            os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
        )
        check_port(host, port)
        django.setup()
        prepare()
        return run(host, port)
    except (ServeError, ChildFailedError, ImproperlyConfigured, CommandError) as error:
        print(error, file=sys.stderr)
    except OperationalError as error:
        print(connection_problem(error, os.environ), file=sys.stderr)
    except OSError as error:
        print(
            f"{error.filename or 'A file'} cannot be used: {error.strerror or error}. "
            "Correct that, or set TOUCHSTONE_DATA to a folder of your own.",
            file=sys.stderr,
        )
    except KeyboardInterrupt:
        return 0
    return 1


def address(host: str, port: str) -> tuple[str, int]:
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ServeError(f"PORT={port}: write a number from 1 to 65535.")
    return host, int(port)


def check_port(host: str, port: int) -> None:
    """Say at once what would otherwise come out after a minute's work, from a child."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror:
        raise ServeError(f"HOST={host}: this machine has no such address.") from None
    family, kind, protocol, _, place = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(place)
        except OSError as error:
            raise ServeError(_port_problem(host, port, error)) from None


def _port_problem(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        return f"Port {port} is busy: stop what uses it or run `make run PORT={other}`."
    if error.errno == errno.EACCES:
        return f"Port {port} is for root alone: run `make run PORT=8000`."
    return f"Cannot serve on {host}, port {port}: {error.strerror}."


def prepare() -> None:
    """Bring database and static files up to date, one process at a time."""
    connection.ensure_connection()
    make_data_folder(settings.DATA_DIR)
    with alone(settings.DATA_DIR / "prepare.lock"):
        call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        collect_static()
        if not settings.PUBLIC_HOSTS and not get_user_model().objects.exists():
            say("Loading the demonstration study …")
            call_command("load_demo", verbosity=0)


@contextmanager
def alone(lock: Path) -> Iterator[None]:
    descriptor = take_lock(lock, fcntl.LOCK_EX, 600)
    if descriptor is None:
        raise ServeError(f"Another process has held {lock} for ten minutes. Stop it.")
    try:
        yield
    finally:
        os.close(descriptor)


def collect_static() -> None:
    """Collect when a file came, went or changed: it takes seconds, so not at every start."""
    root = Path(settings.STATIC_ROOT)
    mark = root / ".sources"
    sources = _static_sources()
    # Two data folders may share one checkout, so these files have a lock of their own.
    root.mkdir(exist_ok=True)
    with alone(root / ".lock"):
        if not mark.exists() or mark.read_text() != sources:
            mark.unlink(missing_ok=True)
            call_command("collectstatic", interactive=False, verbosity=0)
            mark.write_text(sources)


def _static_sources() -> str:
    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = os.stat(storage.path(name))
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def run(host: str, port: int) -> int:
    connections.close_all()
    supervisor = Supervisor(CODE)
    supervisor.add("web server", web_command(host, port))
    supervisor.add("job worker", worker_command())
    with announced(settings.DATA_DIR, host, port):
        return supervisor.run(on_ready=lambda: greet(host, port), place=(host, port))


def web_command(host: str, port: int) -> list[str]:
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    workers = max(2, min(4, os.cpu_count() or 2))
    return [
        *(sys.executable, "-m", "gunicorn", "config.wsgi"),
        *("--bind", place, "--workers", str(workers), "--threads", str(GUNICORN_THREADS)),
        *("--graceful-timeout", str(JOB_SECONDS), "--log-level", "warning", "--no-control-socket"),
    ]


def worker_command() -> list[str]:
    return [
        *(sys.executable, "manage.py", "procrastinate", "worker"),
        *("--shutdown-graceful-timeout", str(JOB_SECONDS), "--concurrency", str(WORKER_JOBS)),
    ]


def greet(host: str, port: int) -> None:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104
    shown = f"[{shown}]" if ":" in shown else shown
    # All at once: whoever waits for the first line may stop the app before the last.
    sign_ins = [
        f"  {account['role']:<10} {account['email']:<32} {account['password']}"
        for account in demo_accounts()
    ]
    say("\n".join([f"Touchstone runs at http://{shown}:{port}/ (Ctrl-C stops it)", *sign_ins]))


def demo_accounts() -> list[dict[str, str]]:
    """The demonstration's sign-ins, as far as the accounts are in this database."""
    try:
        accounts: list[dict[str, str]] = json.loads(
            (settings.DATA_DIR / "demo-accounts.json").read_text()
        )
    except (OSError, ValueError):
        return []
    known = set(get_user_model().objects.filter(is_active=True).values_list("email", flat=True))
    connections.close_all()
    return [account for account in accounts if account["email"] in known]


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
