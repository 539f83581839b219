from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def study(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def progress(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def annotators(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
