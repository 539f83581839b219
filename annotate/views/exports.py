from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def exports(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def export(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
