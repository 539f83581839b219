"""Suites of automated tests."""

ROWS: dict[str, tuple[str, str]] = {}
