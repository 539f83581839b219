"""Run a PostgreSQL program against the app's database: `python -m config.pg pg_dump -Fc -f FILE`.

The embedded server is started where it is not running, and used with its own programs.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.cluster import DatabaseUnavailableError, programs
from config.database import database_settings
from config.embedded import CODE, ensure_running, read_password

VARIABLES = {
    "HOST": "PGHOST",
    "PORT": "PGPORT",
    "USER": "PGUSER",
    "PASSWORD": "PGPASSWORD",
    "NAME": "PGDATABASE",
}
# libpq's names for what DATABASE_URL may say after the question mark.
OPTION_VARIABLES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
}


def environment(settings: dict[str, Any]) -> dict[str, str]:
    """What libpq's programs read, and where to find those of the embedded server."""
    path = os.environ.get("PATH", os.defpath)
    if folder := settings.get("EMBEDDED_DATA"):
        server = ensure_running(Path(folder))
        password = read_password(Path(folder))
        settings = settings | {"HOST": server.socket_folder, "PASSWORD": password}
        path = f"{programs()}{os.pathsep}{path}"
    found = {VARIABLES[name]: settings[name] for name in VARIABLES if settings.get(name)}
    options = settings.get("OPTIONS", {})
    found |= {OPTION_VARIABLES[name]: options[name] for name in OPTION_VARIABLES if name in options}
    return {**os.environ, **{name: str(value) for name, value in found.items()}, "PATH": path}


def main(command: list[str]) -> int:
    if not command:
        print("Use: python -m config.pg PROGRAM [ARGUMENT …], such as psql.", file=sys.stderr)
        return 2
    try:
        # This process stays, for as long as the program needs the server.
        settings = environment(database_settings(os.environ, CODE))
        os.environ["PATH"] = settings["PATH"]
        return subprocess.run(command, env=settings, check=False).returncode  # noqa: S603
    except FileNotFoundError:
        print(f"There is no program {command[0]}. Install PostgreSQL's client.", file=sys.stderr)
    except (DatabaseUnavailableError, ImproperlyConfigured) as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
