"""Results of a study and its decision."""

ROWS = {
    "study": ("LNNFKK", "LXXXXX"),
    "progress": ("LNNFKK", "LXXXXX"),
    "annotators": ("LNNFKK", "LXXXXX"),
    "preference": ("LNNFKK", "LXXXXX"),
    "agreement": ("LNNFKK", "LXXXXX"),
    "disputed": ("LNNFKK", "LXXXXX"),
    # Studies in which somebody judges are left out of it.
    "systems": ("LNNKKK", "LXXXXX"),
    "planning": ("LNNFKK", "LXXXXX"),
    # Without a plan there is no curve.
    "planning_curve": ("LNNFNN", "LXXXXX"),
    "figure": ("LNNFKK", "LXXXXX"),
    "figure_image": ("LNNFKK", "LXXXXX"),
    "item": ("LNNFKK", "LXXXXX"),
    "decision": ("LNNFKK", "LXXXXX"),
    "policy": ("LNNFKK", "LNNRNA"),
    "sign": ("LXXXXX", "LNNFAA"),
    "signed": ("LNNFKK", "LXXXXX"),
}
