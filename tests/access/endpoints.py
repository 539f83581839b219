"""Model services, for admins."""

ROWS: dict[str, tuple[str, str]] = {}
