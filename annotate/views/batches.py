from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def batches(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def new(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def batch(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def upload(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def accept(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def discard(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
