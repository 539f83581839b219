from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def decision(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def policy(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def sign(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def signed(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
