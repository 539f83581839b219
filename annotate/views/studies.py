from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def studies(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def new(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def rubric(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def state(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def assignments(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
