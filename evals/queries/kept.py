"""Results that are kept for as long as nothing changes that they rest on.

What is kept bears the state of its study, and is used while the study is in that state. Nothing
is kept twice: a new result takes the place of the old one.
"""

import hashlib
import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.core.cache import cache as shelf

from annotate.models import Study
from config.origin import code_name
from evals.queries.packing import packed, unpacked
from evals.queries.reading import afterwards, counts_anew, seen_here, state_seen
from evals.queries.state import judged_state

P = ParamSpec("P")
R = TypeVar("R")

A_WEEK = 7 * 24 * 60 * 60


def kept(count: Callable[Concatenate[Study, P], R]) -> Callable[Concatenate[Study, P], R]:
    """Keep what a function of a study answers, by all its arguments, until the study changes.

    Its answer must rest on what `judged_state` looks at, and on nothing else: neither a run, nor
    a score, nor the policy, but by its arguments.
    """

    signature = inspect.signature(count)

    @wraps(count)
    def looked_up(study: Study, /, *args: P.args, **kwargs: P.kwargs) -> R:
        # An argument left out, given by name or by place is the same question.
        asked = signature.bind(study, *args, **kwargs)
        asked.apply_defaults()
        said = repr(
            (count.__module__, count.__qualname__, study.pk, (asked.args[1:], asked.kwargs))
        )
        just_made = seen_here()
        if said in just_made:
            again: R = just_made[said]
            return again
        key = f"kept-{hashlib.sha256(said.encode()).hexdigest()}"
        state = f"{state_seen(study.pk, lambda: judged_state(study))}-{code_name()}"
        found = None if counts_anew() else _taken(key, state)
        if found is not None:
            answer: R = found[0]
            just_made[said] = answer
            return answer
        answer = just_made[said] = count(study, *args, **kwargs)
        # Inside a snapshot nothing can be written.
        octets = packed(answer)
        afterwards(lambda: shelf.set(key, (state, octets), A_WEEK))
        return answer

    return looked_up


def _taken(key: str, state: str) -> tuple[Any] | None:
    kept_then = shelf.get(key)
    if kept_then is None or kept_then[0] != state:
        return None
    return (unpacked(kept_then[1]),)
