"""`manage.py dbshell`: psql, for the embedded server the one that came with it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.db.backends.postgresql import client

from config.cluster import programs
from config.embedded import ensure_running, read_password


class DatabaseClient(client.DatabaseClient):
    @classmethod
    def settings_to_cmd_args_env(
        cls, settings_dict: dict[str, Any], parameters: Iterable[str]
    ) -> tuple[list[str], dict[str, str] | None]:
        folder = settings_dict.get("EMBEDDED_DATA")
        if not folder:
            return super().settings_to_cmd_args_env(settings_dict, parameters)
        server = ensure_running(Path(folder))
        embedded = settings_dict | {
            "HOST": server.socket_folder,
            "PASSWORD": read_password(Path(folder)),
        }
        arguments, environment = super().settings_to_cmd_args_env(embedded, parameters)
        return [str(programs() / "psql"), *arguments[1:]], environment
