from typing import Any

from django.http import Http404, HttpRequest, HttpResponse


def account(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def join(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def people(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def invite(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built


def person(request: HttpRequest, **parts: Any) -> HttpResponse:
    raise Http404  # being built
