"""What becomes of a signed decision."""

ROWS = {
    "second_signature": ("LXXXXX", "LNNFAA"),
}
