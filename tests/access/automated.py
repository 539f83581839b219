"""What automated runs say."""

ROWS: dict[str, tuple[str, str]] = {
    "automated": ("LNNFKK", "LXXXXX"),
    "comparison": ("LNNFKK", "LXXXXX"),
    "comparison_judge": ("LXXXXX", "LNNNNA"),
    "cases": ("LNNFKK", "LXXXXX"),
    "case": ("LNNFKK", "LXXXXX"),
    "comparison_figure": ("LNNFKK", "LXXXXX"),
    "comparison_figure_image": ("LNNFKK", "LXXXXX"),
    "metrics": ("LNNFKK", "LXXXXX"),
}
