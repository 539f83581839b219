"""Counts made a block of items at a time, and kept block by block.

What one judgement changes is counted again in its block; everything else is taken as it was found.
"""

import hashlib
import io
import pickle
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np
from django.db.models import QuerySet

from annotate.models import Judgement, Study
from annotate.models.pulse import BLOCK_BITS
from config.origin import code_name
from evals.models import CountedPart
from evals.queries.reading import afterwards, blocks_seen, seen_here
from evals.queries.votes_from import Source, counted_judgements
from evals.stats.checks import Ints

P = ParamSpec("P")
R = TypeVar("R")

# Zeros make up most of a large table; more effort takes longer than it saves.
EFFORT = 1


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
    found: list[R] = []
    fresh = []
    for block, state in states.items():
        if block in known:
            part = _unpacked(known[block])
        else:
            part = count(Block(study, block), *args, **kwargs)
            fresh.append(CountedPart(study=study, what=what, block=block, state=state,
                                     packed=_packed(part)))  # fmt: skip
        if part is not None:
            found.append(part)
    # Of one block alone, what is made of it is kept as a whole.
    if fresh and len(states) > 1:
        afterwards(lambda: _keep(fresh))
    just_made[study.pk, what] = found
    return found


def _known(study: Study, what: str, states: Mapping[int, str]) -> dict[int, bytes]:
    if len(states) < 2:
        return {}
    kept = CountedPart.objects.filter(study=study, what=what).values_list(
        "block", "state", "packed"
    )
    return {block: bytes(packed) for block, state, packed in kept if states.get(block) == state}


def _keep(fresh: list[CountedPart]) -> None:
    CountedPart.objects.bulk_create(
        fresh,
        update_conflicts=True,
        unique_fields=["study", "what", "block"],
        update_fields=["state", "packed"],
    )


class _Packer(pickle.Pickler):
    """Counts are small: their arrays are packed as narrow as they can be, and come back wide."""

    def reducer_override(self, obj: Any) -> Any:
        if type(obj) is not np.ndarray or obj.dtype != np.int64 or not obj.size:
            return NotImplemented
        lowest, highest = int(obj.min()), int(obj.max())
        for narrow in (np.int8, np.int16, np.int32):
            if np.iinfo(narrow).min <= lowest and highest <= np.iinfo(narrow).max:
                return _wide, (obj.astype(narrow),)
        return NotImplemented


def _wide(narrow: Ints) -> Ints:
    return narrow.astype(np.int64)


def _packed(part: object) -> bytes:
    buffer = io.BytesIO()
    _Packer(buffer, pickle.HIGHEST_PROTOCOL).dump(part)
    return zlib.compress(buffer.getbuffer(), EFFORT)


def _unpacked(packed: bytes) -> Any:
    # What lies there was put there by this very code, whose name is part of the state.
    return pickle.loads(zlib.decompress(packed))  # noqa: S301
