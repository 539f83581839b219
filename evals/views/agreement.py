from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def agreement(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def disputed(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
