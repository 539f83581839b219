"""Pages of large studies open at once: where there is much to count, they say how far it is."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django_htmx.http import HttpResponseClientRefresh

from annotate.models import Study
from config.http import is_htmx
from evals.queries.patience import StillCountingError, patience

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]

# How long the first try may count.
SECONDS = 0.6
MOST_DIGITS = 4
# What a page says that asks again in its own place: how often it has.
PAGE_HEADER = "Counting-Page"
REGION_HEADER = "Counting-Region"


def in_time(page: str) -> Callable[[View[P]], View[P]]:
    """Answer in time: with the view, or with how far the counting is, and ask again from there.

    Parameters
    ----------
    page : str
        The page of the study that is being opened, as the rail calls it.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def answered(
            request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            is_page = PAGE_HEADER in request.headers or not is_htmx(request)
            tries = _tries(request)
            try:
                with patience(SECONDS, tries):
                    response = view(request, *args, **kwargs)
            except StillCountingError as error:
                study = next((one for one in args if isinstance(one, Study)), None)
                context = {
                    "study": study,
                    "page": page,
                    "frame": "study_base.html" if study else "base.html",
                    "counting": error,
                    "header": PAGE_HEADER if is_page else REGION_HEADER,
                    "tries": tries + 1,
                }
                return _how_far(request, context)
            if PAGE_HEADER in request.headers:
                # All is counted now: the page opens as it would have opened then.
                return HttpResponseClientRefresh()
            return response

        return answered

    return guard


def _how_far(request: HttpRequest, context: Mapping[str, object]) -> HttpResponse:
    template = "evals/_counting.html" if is_htmx(request) else "evals/counting.html"
    return render(request, template, dict(context), status=202)


def _tries(request: HttpRequest) -> int:
    said = request.headers.get(PAGE_HEADER) or request.headers.get(REGION_HEADER) or ""
    return int(said) if said.isascii() and said.isdecimal() and len(said) < MOST_DIGITS else 0
