"""Results of a study and its decision."""

ROWS = {
    "study": ("LNNFKK", "LXXXXX"),
    "progress": ("LNNFKK", "LXXXXX"),
    "annotators": ("LNNFKK", "LXXXXX"),
    "preference": ("LNNFKK", "LXXXXX"),
    "agreement": ("LNNFKK", "LXXXXX"),
    "agreement_parts": ("LNNFKK", "LXXXXX"),
    "agreement_pairs": ("LNNFKK", "LXXXXX"),
    # Without two people there is no table: the list of all pairs is.
    "confusion": ("LNNFPP", "LXXXXX"),
    "confusion_items": ("LNNFPP", "LXXXXX"),
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
