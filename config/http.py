"""What every view may say: client redirects, an expected refusal, pages of errors."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect
from django_htmx.middleware import HtmxDetails

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase)
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


class Request(HttpRequest):
    """The request after the middleware: with its HTMX details."""

    htmx: HtmxDetails


def is_htmx(request: HttpRequest) -> bool:
    return bool(cast("Request", request).htmx)


def leave_to(request: HttpRequest, to: str) -> HttpResponse:
    """Go to another page: a region never receives a whole page, so HTMX is told to leave."""
    if is_htmx(request):
        return HttpResponseClientRedirect(to)
    return redirect(to)


def to_keep(response: R, name: str) -> R:
    """Saved as a file called `name`; a browser that shows it all the same runs nothing of it."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def not_found_unless(allowed: bool) -> None:
    """Strangers learn nothing: what they may not see does not exist."""
    if not allowed:
        raise Http404


def lead_required(view: View[P]) -> View[P]:
    """For leads and admins; to everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        not_found_unless(getattr(request.user, "is_lead", False))
        return view(request, *args, **kwargs)

    return guarded


def admin_required(view: View[P]) -> View[P]:
    """For admins; to everybody else the page does not exist."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        not_found_unless(getattr(request.user, "is_admin", False))
        return view(request, *args, **kwargs)

    return guarded


def refuse(
    request: HttpRequest, title: str, message: str, status: int = 409, *, typed: str = ""
) -> HttpResponse:
    """An expected refusal in words, as a page or as the text of a failed HTMX request.

    `typed` is what was written and not taken: the page gives it back.
    """
    if is_htmx(request):
        return HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    context = {"title": title, "message": message, "typed": typed}
    return render(request, "refused.html", context, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The form's token is too old, most often after signing in again in another tab."""
    return refuse(
        request,
        "This form is too old",
        "You signed in again since this page was opened. Go back, reload the page, send again.",
        status=403,
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", {"user": AnonymousUser()}, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    reference = uuid.uuid4().hex[:8]
    return render(request, "500.html", {"reference": reference}, status=500)
