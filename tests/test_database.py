"""The embedded database in real processes: started, shared, killed at every joint, gone."""

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg import conninfo

from config.cluster import Cluster, is_alive, socket_folder
from config.database import connection_problem, database_settings
from config.embedded import CODE
from config.local import local_secret
from config.server_account import server_account

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


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data of a study"
    yield folder
    wait_until_gone(folder)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes that use a database; they are ended before `data` is looked at."""
    started: list[Process] = []

    def start_one(*arguments: object, **options: object) -> Process:
        started.append(Process(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start_one
    for process in started:
        process.end()


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


def test_users_share_one_server_and_the_last_one_stops_it(data: Path, start: Start) -> None:
    first = start(data)
    server = first.answer()
    second = start(data)

    assert second.answer() == server
    first.end()
    time.sleep(1.0)
    assert is_alive(int(server[0]))
    second.end()
    wait_until_dead(int(server[0]))
    wait_until_gone(data)
    assert not Path(str(server[1])).exists()


def test_many_that_start_at_once_start_one_server(data: Path, start: Start) -> None:
    users = [start(data) for _ in range(6)]

    with ThreadPoolExecutor(len(users)) as pool:
        servers = list(pool.map(Process.answer, users))

    assert servers == [servers[0]] * 6


def test_killed_users_leave_nothing_running(data: Path, start: Start) -> None:
    users = [start(data), start(data)]
    pids = [int(user.answer()[0]) for user in users]

    for user in users:
        user.kill()

    wait_until_dead(pids[0])
    wait_until_gone(data)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel does not tell of a parent's death")
def test_killed_keeper_takes_its_server_along_and_the_next_user_gets_another(
    data: Path, start: Start
) -> None:
    server = int(start(data).answer()[0])

    os.kill(keeper_of(server), signal.SIGKILL)

    wait_until_dead(server)
    assert start(data).answer()[0] != server


@pytest.mark.parametrize("whom", ["server", "keeper"])
def test_connections_come_back_with_all_data_after_a_kill(
    data: Path, start: Start, whom: str
) -> None:
    user = start(data, DJANGO)
    user.ask("CREATE TABLE kept (n int)")
    user.ask("INSERT INTO kept VALUES (7)")
    pid = Cluster(data).recorded_pid()
    assert pid is not None

    os.kill(pid if whom == "server" else keeper_of(pid), signal.SIGKILL)
    wait_until_dead(pid)
    user.ask("SELECT 'the broken connection is found here'")

    assert user.ask("SELECT n FROM kept") == [[7]]
    assert Cluster(data).recorded_pid() != pid


def test_database_is_utf8_durable_and_not_the_superusers(data: Path, start: Start) -> None:
    user = start(data, DJANGO)

    assert user.ask("checks") == []
    assert user.ask(
        "SELECT current_user, usesuper, usecreatedb, current_setting('server_encoding'),"
        " current_setting('fsync'), current_setting('synchronous_commit'),"
        " current_setting('listen_addresses'), current_setting('jit')"
        " FROM pg_user WHERE usename = current_user"
    ) == [["touchstone", False, True, "UTF8", "on", "on", "", "off"]]
    assert user.ask("SELECT lower('ÄÖ') || upper('é')") == [["äöÉ"]]


def test_check_refuses_a_database_that_forgets(data: Path, start: Start) -> None:
    user = start(data, DJANGO)
    user.ask("ALTER ROLE touchstone SET synchronous_commit = off")

    assert start(data, DJANGO).ask("checks") == ["touchstone.E003"]


def test_files_and_socket_are_closed_to_others(data: Path, start: Start) -> None:
    socket = Path(str(start(data).answer()[1]))

    modes = {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()}

    assert {name: mode for name, mode in modes.items() if mode & 0o077} == {}
    assert modes["database-password"] == 0o600
    assert socket.stat().st_mode & 0o777 == 0o700
    with pytest.raises(psycopg.OperationalError, match="no password supplied"):
        psycopg.connect(host=str(socket), user="touchstone", dbname="touchstone")
    with pytest.raises(psycopg.OperationalError, match="no pg_hba"):
        psycopg.connect(host=str(socket), user="postgres", dbname="postgres")


def test_path_may_be_long_and_strange(tmp_path: Path, start: Start) -> None:
    data = tmp_path / ("a long 'quoted' \"name\" $HOME é " * 4) / "var"

    socket = str(start(data).answer()[1])

    assert len(str(data)) > 107 > len(f"{socket}/.s.PGSQL.5432")


def test_half_made_database_is_made_anew(data: Path, start: Start) -> None:
    left_over = data / "postgresql.new-1"
    left_over.mkdir(parents=True)
    (left_over / "PG_VERSION").write_text("18")

    start(data).answer()

    assert sorted(path.name for path in data.glob("postgresql*")) == [
        "postgresql",
        "postgresql.log",
    ]


def test_stale_pid_file_with_a_number_of_another_program_does_no_harm(
    data: Path, start: Start
) -> None:
    start(data).end()
    wait_until_gone(data)
    pid_file = Cluster(data).pid_file
    pid_file.write_text(f"{os.getpid()}\n{data}/postgresql\n1\n5432\n/tmp\n\n0 0\nready\n")

    assert start(data).answer()[0] != os.getpid()


def test_database_of_another_version_is_refused_in_one_line(data: Path, start: Start) -> None:
    (data / "postgresql").mkdir(parents=True)
    (data / "postgresql" / "PG_VERSION").write_text("16\n")

    assert start(data).error() == (
        f"{data}/postgresql is of PostgreSQL 16, and this Touchstone brings 18. Set "
        "TOUCHSTONE_DATA to a new folder and restore a backup there (docs/operations.md)."
    )


def test_failed_start_shows_the_end_of_the_log(data: Path, start: Start) -> None:
    start(data).end()
    wait_until_gone(data)
    with (data / "postgresql" / "postgresql.conf").open("a") as configuration:
        configuration.write("max_connections = many\n")

    error = start(data).error()

    assert error.startswith("The database does not start. Its log ")
    assert 'invalid value for parameter "max_connections": "many"' in error
    assert "\n" not in error


def test_open_socket_folder_is_refused(data: Path, start: Start) -> None:
    folder = socket_folder(data, server_account(Cluster(data)).uid)
    folder.mkdir()
    folder.chmod(0o777)

    try:
        error = start(data).error()
    finally:
        folder.chmod(0o700)
        folder.rmdir()

    assert error == f"{folder} is not a private folder of the database's user. Remove it."


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


def test_settings_start_nothing(tmp_path: Path) -> None:
    settings = database_settings({"TOUCHSTONE_DATA": str(tmp_path / "new")}, tmp_path)

    assert settings["EMBEDDED_DATA"] == str(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_two_checkouts_have_two_sockets(tmp_path: Path) -> None:
    hosts = [database_settings({}, tmp_path / name)["HOST"] for name in ("one", "two")]

    assert hosts[0] != hosts[1]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgres://alice:p%40ss%2Fword@db.example:6543/study?sslmode=require",
            {
                "USER": "alice",
                "PASSWORD": "p@ss/word",
                "HOST": "db.example",
                "PORT": "6543",
                "NAME": "study",
                "OPTIONS": {"sslmode": "require"},
            },
        ),
        (
            "postgresql://bob@/study?host=/var/run/postgresql",
            {"USER": "bob", "HOST": "/var/run/postgresql", "NAME": "study", "OPTIONS": {}},
        ),
        (
            "postgresql://%2Frun%2Fpg/study",
            {"HOST": "/run/pg", "NAME": "study", "OPTIONS": {}},
        ),
        (
            "postgresql://[::1]:5432/study?connect_timeout=3",
            {"HOST": "::1", "PORT": "5432", "NAME": "study", "OPTIONS": {"connect_timeout": "3"}},
        ),
    ],
)
def test_database_url_is_read(url: str, expected: dict[str, object], tmp_path: Path) -> None:
    settings = database_settings({"DATABASE_URL": url}, tmp_path)

    assert {
        name: value
        for name, value in settings.items()
        if name not in ("ENGINE", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS")
    } == expected
    assert conninfo.conninfo_to_dict(url)["dbname"] == settings["NAME"]


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://alice:s3cret@db/study", "is no address of a PostgreSQL database"),
        ("alice:s3cret@db/study", "is no address of a PostgreSQL database"),
        ("postgresql://alice:s3cret@db", "names no database"),
        ("postgresql://alice:s3cret%zz@db/study", "cannot be read"),
        ("postgresql://alice:s3cret@db/study?colour=red", "cannot be read"),
        ("postgresql://alice:s3cret@[::1/study", "cannot be read"),
    ],
)
def test_faulty_database_url_is_refused_in_one_line(url: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match=words) as caught:
        database_settings({"DATABASE_URL": url}, tmp_path)

    message = str(caught.value)
    assert "\n" not in message
    assert "s3cret" not in message
    assert "postgresql://user:password@host:5432/name" in message


def test_connection_problem_masks_the_password() -> None:
    url = "postgresql://alice:p%40ss@db.example/study"
    error = psycopg.OperationalError("connection failed:\n  password p@ss of p%40ss refused\n")

    assert connection_problem(error, {"DATABASE_URL": url}) == (
        "Cannot reach the database of DATABASE_URL (postgresql://alice:***@db.example/study): "
        "connection failed: password *** of *** refused. Start it or correct the address; "
        "without DATABASE_URL the embedded one is used."
    )


def test_secret_is_drawn_once_however_many_ask(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret-key"

    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(lambda _: local_secret(path), range(32)))

    assert len(secrets) == 1
    assert len(secrets.pop()) >= 50
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["secret-key"]
