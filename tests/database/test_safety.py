"""What is promised of the embedded database: durable, closed to others, wherever it lies."""

from pathlib import Path

import psycopg
import pytest

from tests.database.users import DJANGO, Start


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
