"""Runs."""

ROWS: dict[str, tuple[str, str]] = {
    "run_batch": ("LXXXXX", "LNNNNA"),
}
