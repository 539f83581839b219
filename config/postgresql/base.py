"""Django's PostgreSQL, which first sees to it that the embedded server runs."""

import time
from pathlib import Path
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from django.db.utils import OperationalError

from config.cluster import DatabaseUnavailableError
from config.embedded import ensure_running, read_password
from config.postgresql.client import DatabaseClient
from config.postgresql.validation import DatabaseValidation

# A web request must not wait for long; the first start has its own, longer time.
RETRY_SECONDS = 15.0
# What a client sees while the keeper brings a fallen server back.
PASSING = (
    "No such file or directory",
    "Connection refused",
    "is starting up",
    "is shutting down",
    "not yet accepting connections",
    "in recovery mode",
    "server closed the connection unexpectedly",
)


class DatabaseWrapper(base.DatabaseWrapper):
    client_class = DatabaseClient
    validation_class = DatabaseValidation

    @property
    def embedded_data(self) -> Path | None:
        folder = self.settings_dict.get("EMBEDDED_DATA")
        return Path(folder) if folder else None

    def get_connection_params(self) -> dict[str, Any]:
        """Everyone who is about to connect asks here, the job worker with its own pool included."""
        params: dict[str, Any] = super().get_connection_params()
        if self.embedded_data is not None:
            try:
                server = ensure_running(self.embedded_data)
            except DatabaseUnavailableError as error:
                raise OperationalError(str(error)) from error
            params |= {
                "host": server.socket_folder,
                "password": read_password(self.embedded_data),
            }
        return params

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return super().get_new_connection(conn_params)
            except psycopg.OperationalError as error:
                if not self._will_pass(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.1)
            self._look_again()

    def _will_pass(self, error: Exception) -> bool:
        return self.embedded_data is not None and any(sign in str(error) for sign in PASSING)

    def _look_again(self) -> None:
        assert self.embedded_data is not None
        try:
            ensure_running(self.embedded_data, look_again=True, seconds=RETRY_SECONDS)
        except DatabaseUnavailableError as error:
            raise OperationalError(str(error)) from error
