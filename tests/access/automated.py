"""What automated runs say."""

ROWS: dict[str, tuple[str, str]] = {
    "metrics": ("LNNFKK", "LXXXXX"),
}
