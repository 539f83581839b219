from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def start(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def undo(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def done(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def task(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def pair(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def skip(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def release(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def flag(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
