"""`make run` as people meet it: it starts, says where, is stopped or killed, and is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import CODE
from config.serving import announced, served_at

# Nothing of the test's own settings: what a newcomer has.
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TOUCHSTONE_LINGER": "0.3"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(data: Path, port: int | str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "config.serve", "--die-with-parent"],
        cwd=CODE,
        env=ENVIRONMENT | {"TOUCHSTONE_DATA": str(data), "PORT": str(port)} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def refusal(data: Path, port: int | str, **environment: str) -> str:
    """The one line that a start ends with; there is nothing beside it."""
    process = serve(data, port, **environment)
    out, error = process.communicate(timeout=60)
    assert (process.returncode, out) == (1, "")
    assert error.count("\n") == 1
    return error.strip()


def processes_of(data: Path, port: int) -> list[str]:
    """Every process of this run: by its port, its data folder, or its environment."""
    listing = subprocess.run(
        ["ps", "axwwe", "-o", "pid,args"], capture_output=True, text=True, check=True
    )
    marks = (f"127.0.0.1:{port}", f"TOUCHSTONE_DATA={data}", f"{data}/postgresql")
    return [line for line in listing.stdout.splitlines() if any(mark in line for mark in marks)]


def wait_until_gone(data: Path, port: int, seconds: float = 25.0) -> None:
    deadline = time.monotonic() + seconds
    while (left := processes_of(data, port)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for all of these, as making it and its tables takes the most time."""
    return tmp_path_factory.mktemp("serve") / "data of mine"


@pytest.fixture
def port(data: Path) -> Iterator[int]:
    port = free_port()
    yield port
    wait_until_gone(data, port)


def wait_until_up(process: subprocess.Popen[str], port: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Touchstone runs at "):
            assert line == f"Touchstone runs at http://127.0.0.1:{port}/ (Ctrl-C stops it)\n"
            return
    raise AssertionError(process.communicate()[1])


def status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
            found: int = answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return found


@pytest.mark.parametrize("request_to_stop", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_app_shows_the_sign_ins_runs_until_stopped_and_leaves_nothing(
    data: Path, port: int, request_to_stop: signal.Signals
) -> None:
    process = serve(data, port)
    wait_until_up(process, port)

    assert status(port, "/healthz") == 200
    assert len(processes_of(data, port)) > 4
    process.send_signal(request_to_stop)
    # Not communicate(): it passes over what was read ahead with the first line.
    assert process.stdout is not None
    out = process.stdout.read()
    process.communicate(timeout=30)

    accounts = json.loads((data / "demo-accounts.json").read_text())
    assert [line.split() for line in out.splitlines()] == [
        [account["role"], account["email"], account["password"]] for account in accounts
    ]
    assert (data / "demo-accounts.json").stat().st_mode & 0o777 == 0o600
    assert process.returncode == (-9 if request_to_stop == signal.SIGKILL else 0)
    wait_until_gone(data, port)


def test_killed_web_server_comes_back(data: Path, port: int) -> None:
    process = serve(data, port)
    wait_until_up(process, port)
    listing = subprocess.run(
        ["ps", "axww", "-o", "pid,ppid,args"], capture_output=True, text=True, check=True
    )
    rows = [line.split(maxsplit=2) for line in listing.stdout.splitlines()]
    web = [row for row in rows if f"127.0.0.1:{port}" in row[2] and row[1] == str(process.pid)]

    os.kill(int(web[0][0]), signal.SIGKILL)
    time.sleep(0.5)
    deadline = time.monotonic() + 20
    while True:
        try:
            found = status(port, "/healthz")
            break
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    process.terminate()
    _, error = process.communicate(timeout=30)

    assert found == 200
    assert "The web server ended; it is started again." in error


def test_busy_port_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        error = refusal(tmp_path / "unused", port)

    assert error == (f"Port {port} is busy: stop what uses it or run `make run PORT={port + 1}`.")
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("port", ["0", "70000", "eighty", "²"])
def test_impossible_port_is_refused(tmp_path: Path, port: str) -> None:
    assert refusal(tmp_path, port) == f"PORT={port}: write a number from 1 to 65535."


def test_unreachable_database_is_told_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://alice:s3cret@127.0.0.1:{free_port()}/study"

    error = refusal(tmp_path, free_port(), DATABASE_URL=url)

    assert error.startswith(
        f"Cannot reach the database of DATABASE_URL ({url.replace('s3cret', '***')}): "
    )
    assert "Connection refused" in error
    assert error.endswith("without DATABASE_URL the embedded one is used.")
    assert "s3cret" not in error


def test_faulty_database_url_is_told_in_one_line(tmp_path: Path) -> None:
    error = refusal(tmp_path, free_port(), DATABASE_URL="mysql://alice:s3cret@db/study")

    assert error == (
        "DATABASE_URL is no address of a PostgreSQL database. Write it as "
        "postgresql://user:password@host:5432/name."
    )


def test_unusable_data_folder_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    error = refusal(tmp_path / "file" / "var", free_port())

    assert error == (
        f"{tmp_path}/file cannot be used: File exists. Correct that, or set TOUCHSTONE_DATA to a "
        "folder of your own."
    )


def link_of_a_command(data: Path) -> str:
    """Where the link leads that a command in another terminal prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", "invite", "new@example.org", "--role", "lead", "--json"],
        cwd=CODE,
        env=ENVIRONMENT | {"TOUCHSTONE_DATA": str(data)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    link: str = json.loads(done.stdout)["link"]
    return link


def test_commands_beside_the_app_link_to_where_it_is_served(data: Path, port: int) -> None:
    process = serve(data, port)
    wait_until_up(process, port)

    during = link_of_a_command(data)
    process.kill()
    process.communicate(timeout=30)
    wait_until_gone(data, port)
    after = link_of_a_command(data)

    assert during.startswith(f"http://localhost:{port}/join/")
    assert after.startswith("http://localhost:8000/join/")
    assert (data / "serving").stat().st_mode & 0o777 == 0o600


def test_address_is_told_while_it_is_announced(tmp_path: Path) -> None:
    assert served_at(tmp_path) == ""
    with announced(tmp_path, "127.0.0.1", 8123):
        assert served_at(tmp_path) == "http://localhost:8123"
        with announced(tmp_path, "127.0.0.1", 8124):
            assert served_at(tmp_path) == "http://localhost:8123"
    assert served_at(tmp_path) == ""
    with announced(tmp_path, "::2", 8125):
        assert served_at(tmp_path) == "http://[::2]:8125"
