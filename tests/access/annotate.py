"""Judging, people, studies and what goes into them."""

ROWS = {
    "healthz": ("KKKKKK", "MMMMMM"),
    "home": ("LPPPPP", "LMMMMM"),
    # Judging: for whoever is assigned, and a task for nobody but whom it was given to.
    "start": ("LXXXXX", "LANANN"),
    "undo": ("LXXXXX", "LANANN"),
    "done": ("LKNKNN", "LXXXXX"),
    "task": ("LKNNNN", "LANNNN"),
    "task_pair": ("LPNNNN", "LXXXXX"),
    "task_skip": ("LXXXXX", "LANNNN"),
    "task_release": ("LXXXXX", "LANNNN"),
    "task_flag": ("LXXXXX", "LANNNN"),
    # People.
    "account": ("LKKKKK", "LAAAAA"),
    "join": ("KKKKKK", "AAAAAA"),
    "people": ("LNNNNK", "LNNNNA"),
    "invite": ("LXXXXX", "LNNNNA"),
    "person": ("LNNNNK", "LNNNNA"),
    # Studies and what goes into them.
    "studies": ("LNNKKK", "LXXXXX"),
    "study_new": ("LNNNNK", "LNNNNA"),
    "rubric": ("LNNKKK", "LNNNNA"),
    "study_state": ("LXXXXX", "LNNNNA"),
    "assignments": ("LNNKKK", "LNNNNA"),
    "batches": ("LNNKKK", "LXXXXX"),
    "batch_new": ("LNNNNK", "LNNNNA"),
    # It lists prompts, no outputs: a lead who judges learns nothing from it.
    "batch": ("LNNKKK", "LXXXXX"),
    "upload": ("LNNNNK", "LNNNNA"),
    "accept": ("LXXXXX", "LNNNNA"),
    "discard": ("LXXXXX", "LNNNNA"),
    "judgements": ("LNNFKK", "LXXXXX"),
    "judgements_new": ("LNNNNK", "LNNNNA"),
    "judgement_file": ("LNNNNK", "LNNNNA"),
    "judgement_accept": ("LXXXXX", "LNNNNA"),
    "judgement_discard": ("LXXXXX", "LNNNNA"),
    "exports": ("LNNFKK", "LXXXXX"),
    "export": ("LNNFKK", "LXXXXX"),
}
