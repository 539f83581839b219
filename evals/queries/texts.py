"""What the outputs themselves say of an item: which is longer, which equals the reference."""

from dataclasses import dataclass

import numpy as np
from django.db.models import F, Q, Value
from django.db.models.functions import Left

from annotate.models import Item, Study
from evals.matching import matches
from evals.queries.length import lengths_in
from evals.queries.parts import Block, parts
from evals.queries.structure import CHUNK, SPACE, SPELLED, Trimmed
from evals.stats.checks import Ints

# Of an item without a reference, or made of runs: their suite has its own scorers.
NONE = 2


@dataclass(frozen=True)
class Texts:
    """Items, in the order of their ids.

    Attributes
    ----------
    items : (N,) array
        Ids.
    longer_by : (N,) array
        Characters that the candidate's output has more.
    right : (N,) array
        1 where the candidate's output alone equals the reference, -1 where the baseline's does,
        0 where both or neither do; `NONE` without a reference.
    """

    items: Ints
    longer_by: Ints
    right: Ints


def texts(study: Study) -> Texts:
    """All items of a study."""
    found = parts(study, texts_part)
    nothing = np.zeros(0, dtype=np.int64)
    return Texts(
        np.concatenate([nothing, *(part.items for part in found)]),
        np.concatenate([nothing, *(part.longer_by for part in found)]),
        np.concatenate([nothing, *(part.right for part in found)]),
    )


def texts_part(block: Block) -> Texts | None:
    """The items of one block."""
    items, old, new = lengths_in(block)
    if not len(items):
        return None
    right = np.full(len(items), NONE, dtype=np.int64)
    lean = _references(block)
    if lean:
        right[np.searchsorted(items, list(lean))] = list(lean.values())
    return Texts(items, new - old, right)


def _references(block: Block) -> dict[int, int]:
    """Which output equals the reference of an uploaded item: candidate 1, baseline -1."""
    given = (
        Item.objects.filter(study=block.study, pk__range=(block.first, block.last))
        .filter(reference__isnull=False, batch__run_batch=None)
        .annotate(wanted=Trimmed("reference", Value(SPACE)))
        .exclude(wanted="")
        .annotate(
            first=Left("wanted", 1),
            old=Trimmed("baseline_output", Value(SPACE)),
            new=Trimmed("candidate_output", Value(SPACE)),
        )
    )
    plain = given.exclude(first__in=SPELLED).annotate(
        old_right=Q(old=F("wanted")), new_right=Q(new=F("wanted"))
    )
    lean = {
        item: int(new) - int(old)
        for item, old, new in plain.values_list("pk", "old_right", "new_right")
    }
    spelled = given.filter(first__in=SPELLED).values_list("pk", "wanted", "old", "new")
    for item, wanted, old, new in spelled.iterator(chunk_size=CHUNK):
        lean[item] = int(matches(wanted, new)) - int(matches(wanted, old))
    return lean
