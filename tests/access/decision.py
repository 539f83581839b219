"""A verdict as a file, and what becomes of a signed decision."""

ROWS = {
    "verdict_file": ("LNNFKK", "LXXXXX"),
    "decision_file": ("LNNFKK", "LXXXXX"),
    "second_signature": ("LXXXXX", "LNNFAA"),
}
