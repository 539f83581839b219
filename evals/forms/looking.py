"""How to look at results: the words that addresses may carry."""

from collections.abc import Sequence

from django.core.exceptions import BadRequest
from django.http import HttpRequest

from evals.queries import Source
from evals.stats.kappa import WEIGHTS


def chosen(request: HttpRequest, name: str, allowed: Sequence[str], default: str) -> str:
    """One of the words that a parameter of the address may have."""
    value = request.GET.get(name, default)
    if value not in allowed:
        raise BadRequest(f"{name}: write one of {', '.join(allowed)}.")
    return value


def chosen_source(request: HttpRequest) -> Source | None:
    """Which judgements count on a page: blind ones unless asked for imported ones, or both."""
    sources: dict[str, Source | None] = {"both": None, "blind": "blind", "imported": "imported"}
    return sources[chosen(request, "only", tuple(sources), "blind")]


def chosen_weights(request: HttpRequest) -> str:
    return chosen(request, "weights", WEIGHTS, WEIGHTS[0])


def chosen_page(request: HttpRequest) -> int:
    """The number of a page of a list, from 1."""
    text = request.GET.get("page", "1")
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 1_000_000):
        raise BadRequest("page: write a number from 1.")
    return int(text)
