"""Which database: the one that DATABASE_URL names, or the embedded PostgreSQL."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import psycopg
from django.core.exceptions import ImproperlyConfigured
from psycopg import conninfo

from config.cluster import DATABASE, ROLE, Cluster, socket_folder
from config.local import data_folder
from config.server_account import server_account

ENGINE = "config.postgresql"
EXAMPLE = "postgresql://user:password@host:5432/name"
# libpq's word for it -> Django's
NAMES = {
    "user": "USER",
    "password": "PASSWORD",
    "host": "HOST",
    "port": "PORT",
    "dbname": "NAME",
}


def database_settings(environ: Mapping[str, str], base_dir: Path) -> dict[str, Any]:
    """Django's DATABASES["default"]. Nothing is started: that is for the first connection."""
    url = environ.get("DATABASE_URL", "").strip()
    settings = _named(url) if url else _embedded(data_folder(environ, base_dir))
    return {"ENGINE": ENGINE, "CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True, **settings}


def _embedded(data: Path) -> dict[str, Any]:
    return {
        "NAME": DATABASE,
        "USER": ROLE,
        # Where the socket will be; the engine asks the running server, and reads the password.
        "HOST": str(socket_folder(data, server_account(Cluster(data)).uid)),
        "EMBEDDED_DATA": str(data),
    }


def _named(url: str) -> dict[str, Any]:
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(
            f"DATABASE_URL is no address of a PostgreSQL database. Write it as {EXAMPLE}."
        )
    try:
        found = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        reason = masked(str(error).strip(), url)
        raise ImproperlyConfigured(
            f"DATABASE_URL cannot be read ({reason}). Write it as {EXAMPLE}, with %-codes for "
            "special characters in the password."
        ) from None
    if not found.get("dbname"):
        raise ImproperlyConfigured(f"DATABASE_URL names no database. Write it as {EXAMPLE}.")
    options = {name: value for name, value in found.items() if name not in NAMES}
    known = {NAMES[name]: str(value) for name, value in found.items() if name in NAMES}
    return known | {"OPTIONS": options}


def connection_problem(error: Exception, environ: Mapping[str, str]) -> str:
    """Why there is no connection, and what to do, in one line without the password."""
    url = environ.get("DATABASE_URL", "").strip()
    reason = " ".join(str(error).split()).rstrip(".")
    if not url:
        return f"{reason}."
    return (
        f"Cannot reach the database of DATABASE_URL ({masked(url, url)}): {masked(reason, url)}. "
        "Start it or correct the address; without DATABASE_URL the embedded one is used."
    )


def masked(text: str, url: str) -> str:
    """`text` without the password of `url`, in any of the ways it may be written."""
    # Not by urlsplit, which refuses some of the addresses that are complained of.
    login = url.partition("://")[2].partition("/")[0].rpartition("@")[0]
    written = login.partition(":")[2]
    plain = unquote(written)
    for form in {written, plain, quote(plain, safe="")} - {""}:
        text = text.replace(form, "***")
    return text
