"""Headers that every response bears, and sign-in required by default."""

from collections.abc import Callable

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from config.http import is_htmx


class ResponseHeadersMiddleware:
    """Nothing is cached, embedded or read from elsewhere; static files set their own caching."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        return response


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Every page needs a sign-in unless it says otherwise.

    An HTMX request is told so by 401 instead of a redirect: the login page must not be
    swapped into a region, and what was typed stays on the screen.
    """

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Callable[..., HttpResponseBase]
    ) -> HttpResponseBase:
        if is_htmx(request):
            return HttpResponse(
                "You have been signed out. Sign in again in another tab, then send this again.",
                status=401,
                content_type="text/plain; charset=utf-8",
            )
        return super().handle_no_permission(request, view_func)
