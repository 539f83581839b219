"""Model services, for admins."""

ROWS: dict[str, tuple[str, str]] = {
    "endpoints": ("LNNNNK", "LNNNNA"),
    "endpoint_new": ("LNNNNK", "LNNNNA"),
    "endpoint": ("LNNNNK", "LNNNNA"),
    "endpoint_test": ("LXXXXX", "LNNNNA"),
    "endpoint_archive": ("LXXXXX", "LNNNNA"),
}
