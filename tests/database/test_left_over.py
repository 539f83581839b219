"""What an earlier start left behind, or somebody else put there: mended, or refused in a line."""

import os
from pathlib import Path

from config.cluster import Cluster, socket_folder
from config.server_account import server_account
from tests.database.users import Start, wait_until_gone


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
