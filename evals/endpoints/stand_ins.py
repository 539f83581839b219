"""Endpoints of the stand-ins: made when they are first wanted."""

from itertools import count
from typing import Any

from evals import stand_in
from evals.models import Endpoint

MODELS = {
    "baseline": stand_in.BASELINE,
    "candidate": stand_in.CANDIDATE,
    "judge": stand_in.JUDGE,
}


def ensure_stand_ins() -> dict[str, Endpoint]:
    """The three stand-ins, by system; two who ask at once get the same ones."""
    return {system: _ensured(system, model) for system, model in MODELS.items()}


def _ensured(system: str, model: str) -> Endpoint:
    there = Endpoint.objects.filter(
        kind=Endpoint.Kind.STAND_IN, model=model, archived_at=None
    ).order_by("pk")
    return there.first() or _made(system, model)


def _made(system: str, model: str) -> Endpoint:
    # The name is what is unique: somebody may have called a service of theirs so.
    for number in count(1):
        name = f"Stand-in, {system}" + (f" {number}" if number > 1 else "")
        endpoint, _ = Endpoint.objects.get_or_create(name=name, defaults=_fields(system, model))
        if _is_stand_in(endpoint, model):
            return endpoint
    raise AssertionError("the numbers have ended")


def _is_stand_in(endpoint: Endpoint, model: str) -> bool:
    is_one = endpoint.kind == Endpoint.Kind.STAND_IN and endpoint.model == model
    return is_one and endpoint.archived_at is None


def _fields(system: str, model: str) -> dict[str, Any]:
    is_judge = system == "judge"
    return {
        "kind": Endpoint.Kind.STAND_IN,
        "model": model,
        "parameters": {} if is_judge else {"logprobs": True},
        "concurrency": 4,
        "timeout_seconds": 30,
        "streaming": not is_judge,
        "input_price": 0,
        "output_price": 0,
    }
