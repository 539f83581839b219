"""Suites of automated tests: leads read them, admins bring them in."""

ROWS: dict[str, tuple[str, str]] = {
    "suites": ("LNNKKK", "LXXXXX"),
    "suite_new": ("LNNNNK", "LNNNNA"),
    "suite_shipped": ("LXXXXX", "LNNNNA"),
    "suite_preview": ("LNNNNK", "LNNNNA"),
    "suite_accept": ("LXXXXX", "LNNNNA"),
    "suite_discard": ("LXXXXX", "LNNNNA"),
    # Prompts and what is expected, no outputs: a lead who judges learns nothing of the systems.
    "suite": ("LNNKKK", "LXXXXX"),
    "suite_delete": ("LXXXXX", "LNNNNA"),
}
