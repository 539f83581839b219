"""What settings make of the environment, before anything is started."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from django.core.exceptions import ImproperlyConfigured
from psycopg import conninfo

from config.database import connection_problem, database_settings
from config.local import local_secret


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
