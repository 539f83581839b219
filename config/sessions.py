"""How long a sign-in lasts, and what it must have shown before anything opens."""

import time
from collections.abc import Callable

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from config.http import leave_to

SIGNED_IN_AT = "signed_in_at"
SEEN_AT = "seen_at"
# Each step is a write to the database, so the idle time is known to within one.
SEEN_STEP = 300
# What somebody needs to set a second factor up, or to leave.
SETTING_UP = {
    "mfa_activate_totp",
    "mfa_totp_picture",
    "mfa_authenticate",
    "mfa_reauthenticate",
    "account_reauthenticate",
    "account_logout",
    "healthz",
}

GetResponse = Callable[[HttpRequest], HttpResponse]
ViewFunction = Callable[..., HttpResponseBase]


@receiver(user_logged_in)
def begin(request: HttpRequest | None = None, **what: object) -> None:
    """Count from this sign-in, also where one took the place of another."""
    if request is not None:
        request.session[SIGNED_IN_AT] = request.session[SEEN_AT] = int(time.time())


class SessionLimitsMiddleware:
    """Sign out who was away too long, or signed in too long ago."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            _check(request)
        return self.get_response(request)


def _check(request: HttpRequest) -> None:
    now = int(time.time())
    session = request.session
    # Sessions from before this was counted begin now.
    begun, seen = session.setdefault(SIGNED_IN_AT, now), session.get(SEEN_AT, now)
    if now - begun > settings.SESSION_COOKIE_AGE or now - seen > settings.SESSION_IDLE_AGE:
        logout(request)
    elif SEEN_AT not in session or now - seen > SEEN_STEP:
        session[SEEN_AT] = now


class SecondFactorMiddleware:
    """Where the site asks for it: leads and admins set up a second factor before anything else."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: ViewFunction, args: object, kwargs: object
    ) -> HttpResponseBase | None:
        if not lacks_second_factor(request):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in SETTING_UP:
            return None
        return leave_to(request, reverse("mfa_activate_totp"))


def lacks_second_factor(request: HttpRequest) -> bool:
    """Whether the one who asks has yet to set up the second factor that their role needs."""
    if not settings.REQUIRE_MFA or not getattr(request.user, "is_lead", False):
        return False
    return not is_mfa_enabled(request.user)
