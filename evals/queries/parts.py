"""Counts made a block of items at a time, and kept block by block.

What one judgement changes is counted again in its block; everything else is taken as it was found.
"""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db.models import QuerySet

from annotate.models import Judgement, Study
from annotate.models.pulse import BLOCK_BITS
from config.origin import code_name
from evals.models import CountedPart
from evals.queries.packing import packed, unpacked
from evals.queries.patience import StillCountingError, is_over
from evals.queries.reading import afterwards, blocks_seen, counts_anew, seen_here
from evals.queries.votes_from import Source, counted_judgements

# Studies of so many blocks take longer to count than anybody waits for a page.
LARGE = 4

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Block:
    """Items of a study whose ids lie in one range: `first` to `last`, both included."""

    study: Study
    number: int

    @property
    def first(self) -> int:
        return self.number << BLOCK_BITS

    @property
    def last(self) -> int:
        return self.first + (1 << BLOCK_BITS) - 1

    @property
    def places(self) -> dict[str, Any]:
        """What fills the places of a statement."""
        return {"study": self.study.pk, "first": self.first, "last": self.last}

    def votes(self, only: Source | None) -> QuerySet[Judgement]:
        """The judgements of these items that count."""
        return counted_judgements(self.study, only, (self.first, self.last))


def parts(
    study: Study,
    count: Callable[Concatenate[Block, P], R | None],
    *args: P.args,
    **kwargs: P.kwargs,
) -> list[R]:
    """What `count` answers for each block of the study's items, in their order.

    Blocks of which it knows nothing (None) are left out. The answer for a block must rest on its
    items, their tasks and judgements, and on the arguments; on nothing else.
    """
    beats = blocks_seen(study.pk)
    said = repr((count.__module__, count.__qualname__, args, sorted(kwargs.items())))
    what = hashlib.sha256(said.encode()).hexdigest()
    just_made = seen_here()
    if (study.pk, what) in just_made:
        again: list[R] = just_made[study.pk, what]
        return again
    states = {block: f"{times}-{code_name()[:32]}" for block, times in sorted(beats.items())}
    known = _known(study, what, states)
    missing = [block for block in states if block not in known]
    fresh: dict[int, R | None] = {}
    started = time.monotonic()
    for block in missing:
        # Each try counts a block or more, so that it comes to an end.
        if fresh and len(states) >= LARGE:
            each = (time.monotonic() - started) / len(fresh)
            if is_over(each * (len(missing) - len(fresh))):
                break
        fresh[block] = count(Block(study, block), *args, **kwargs)
    # Of one block alone, what is made of it is kept as a whole.
    if fresh and len(states) > 1:
        rows = [CountedPart(study=study, what=what, block=block, state=states[block],
                            packed=packed(part)) for block, part in fresh.items()]  # fmt: skip
        afterwards(lambda: _keep(rows))
    if len(fresh) < len(missing):
        raise StillCountingError(len(known) + len(fresh), len(states))
    of_all = (fresh[one] if one in fresh else unpacked(known[one]) for one in states)
    found = just_made[study.pk, what] = [part for part in of_all if part is not None]
    return found


def _known(study: Study, what: str, states: Mapping[int, str]) -> dict[int, bytes]:
    if len(states) < 2 or counts_anew():
        return {}
    kept = CountedPart.objects.filter(study=study, what=what).values_list(
        "block", "state", "packed"
    )
    return {block: bytes(part) for block, state, part in kept if states.get(block) == state}


def _keep(fresh: list[CountedPart]) -> None:
    CountedPart.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["study", "what", "block"],
        update_fields=["state", "packed"],
    )
