"""Runs."""

ROWS: dict[str, tuple[str, str]] = {
    "runs": ("LNNKKK", "LXXXXX"),
    # A lead may see what would be asked; an admin starts it.
    "run_new": ("LNNKKK", "LNNNNA"),
    "run": ("LNNFKK", "LXXXXX"),
    "run_progress": ("LNNFPP", "LXXXXX"),
    "run_cancel": ("LXXXXX", "LNNNNA"),
    "run_resume": ("LXXXXX", "LNNNNA"),
    "outputs_new": ("LNNNNK", "LNNNNA"),
    "outputs_preview": ("LNNNNK", "LNNNNA"),
    "outputs_accept": ("LXXXXX", "LNNNNA"),
    "outputs_discard": ("LXXXXX", "LNNNNA"),
    "run_score": ("LNNFKK", "LNNFAA"),
    "run_batch": ("LXXXXX", "LNNNNA"),
}
