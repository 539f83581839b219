"""Scorers exactly as they score: made ready from plain data, and known by their signatures."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from evals.formats import ScorerSpec
from evals.metrics import ParameterError, Scorer, Signature, scorer_for
from evals.models import ScorerVersion


@dataclass(frozen=True, slots=True)
class Unusable:
    """A scorer that a case names and that cannot score: why, and what it is known by."""

    reason: str
    signature: Signature


def ready(spec: ScorerSpec) -> Scorer | Unusable:
    """The scorer `spec` names, ready to be called, or why it cannot be."""
    return _ready(spec.name, json.dumps(dict(spec.parameters), sort_keys=True))


@lru_cache(maxsize=256)
def _ready(name: str, parameters: str) -> Scorer | Unusable:
    given: dict[str, Any] = json.loads(parameters)
    try:
        return scorer_for(name, given)
    except ParameterError as error:
        return Unusable(f"the scorer cannot be used: {error}", Signature(name, 0, given))


def spec_of(name: str, parameters: str = "") -> ScorerSpec:
    """A scorer as people name it, its parameters as JSON text.

    Raises
    ------
    ParameterError
        If there is no such scorer, or it cannot work with these parameters; the message says
        what to write.
    """
    try:
        given = json.loads(parameters) if parameters.strip() else {}
    except (ValueError, RecursionError) as error:
        text = f'the parameters are no JSON ({error}). Write them as {{"name": value}}.'
        raise ParameterError("parameters", text) from None
    if not isinstance(given, dict):
        raise ParameterError("parameters", 'Write the parameters as {"name": value}.')
    scorer_for(name, given)
    return ScorerSpec(name, given)


class Versions:
    """Rows of scorers, each asked for once."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, scorer: Scorer | Unusable) -> int:
        """The id of the row of `scorer`, which is made if there is none."""
        signature = scorer.signature.text
        if signature not in self._known:
            self._known[signature] = version_of(scorer).pk
        return self._known[signature]


def version_of(scorer: Scorer | Unusable) -> ScorerVersion:
    signature = scorer.signature
    found = ScorerVersion.objects.filter(signature=signature.text).first()
    if found is not None:
        return found
    higher = scorer.kind.higher_is_better if isinstance(scorer, Scorer) else True
    made = ScorerVersion(
        name=signature.name[:60],
        signature=signature.text,
        parameters=dict(signature.parameters),
        higher_is_better=higher,
    )
    # Of two processes that meet a new scorer one makes its row; the other waits, and finds it.
    ScorerVersion.objects.bulk_create([made], ignore_conflicts=True)
    return ScorerVersion.objects.get(signature=signature.text)
