"""Start-up checks of the server: its version, and that it keeps what it acknowledges."""

from typing import Any

from django.core import checks
from django.db.backends.base.validation import BaseDatabaseValidation

OLDEST = 14


class DatabaseValidation(BaseDatabaseValidation):
    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_version(), *self._check_durability()]

    def _check_version(self) -> list[checks.CheckMessage]:
        version = self.connection.get_database_version()[0]
        if version >= OLDEST:
            return []
        return [
            checks.Error(
                f"The database is PostgreSQL {version}.",
                hint=f"Touchstone needs PostgreSQL {OLDEST} or newer.",
                id="touchstone.E001",
            )
        ]

    def _check_durability(self) -> list[checks.CheckMessage]:
        """`local`, `remote_write` and `remote_apply` all wait for this server's own disk."""
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('fsync'), current_setting('synchronous_commit')")
            fsync, synchronous_commit = cursor.fetchone()
        found = {"fsync": fsync, "synchronous_commit": synchronous_commit}
        return [
            checks.Error(
                f"The database runs with {name} = off: a crash loses acknowledged judgements.",
                hint=f"Set {name} = on in postgresql.conf, and for the role and the database.",
                id=f"touchstone.E00{number}",
            )
            for number, (name, value) in enumerate(found.items(), start=2)
            if value == "off"
        ]
