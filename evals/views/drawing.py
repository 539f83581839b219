"""What all figures share, whatever they are of: the page, the region, the file."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from annotate.models import Study
from config.http import to_keep
from config.origin import code_name
from evals.figures import FORMATS, SHADES, SIZES, THEMES, Figure, NoFigure, draw

KINDS = {"svg": "image/svg+xml", "png": "image/png"}
Word = TypeVar("Word", bound=str)
A_DAY = 24 * 60 * 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a figure lies.

    Attributes
    ----------
    address : str
        Of its page; with ".svg" or ".png" of the file.
    query : str
        What the address asks for, ending in "&", or empty.
    page : str
        The page of the study that it belongs to.
    """

    address: str
    query: str
    page: str


def shown_figure(
    request: HttpRequest, study: Study, found: Figure | NoFigure, place: Place
) -> HttpResponse:
    """A figure with its words, its table and its downloads; the region alone where htmx asks."""
    context = {
        "study": study,
        "page": place.page,
        "crumb": "Figure",
        "figure": found,
        "drawn": isinstance(found, Figure),
        "address": place.address,
        "query": place.query,
    }
    is_region = request.headers.get("HX-Request") == "true"
    return render(request, "evals/_figure.html" if is_region else "evals/figure.html", context)


def figure_file(
    request: HttpRequest,
    name: str,
    file_format: str,
    state: object,
    make: Callable[[], Figure | NoFigure],
) -> HttpResponse:
    """A figure as a file, drawn once for each state of what it is drawn of.

    Parameters
    ----------
    name : str
        Of the file, when it is kept.
    state : object
        Says by its repr all that the figure rests on, its name included.
    """
    shade, size = _one_of(request, "shade", SHADES), _one_of(request, "size", SIZES)
    if file_format not in FORMATS:
        raise Http404
    words = repr((state, file_format, shade, size, code_name()))
    key = f"figure-{hashlib.sha256(words.encode()).hexdigest()}"
    drawn = cache.get(key)
    if drawn is None:
        found = make()
        if not isinstance(found, Figure):
            raise Http404
        theme = THEMES[shade]
        drawn = draw(found.build(theme, size), theme, file_format)
        cache.set(key, drawn, A_DAY)
    response = HttpResponse(drawn, content_type=KINDS[file_format])
    if "download" in request.GET:
        return to_keep(response, f"{name}-{shade}.{file_format}")
    return response


def _one_of(request: HttpRequest, name: str, allowed: tuple[Word, ...]) -> Word:
    asked = request.GET.get(name, allowed[0])
    found = next((word for word in allowed if word == asked), None)
    if found is None:
        raise Http404
    return found
