"""What allauth's own pages lack: closed doors, a picture of a secret, a reset without e-mail."""

import logging

from allauth.account.decorators import reauthentication_required
from allauth.account.views import password_reset as allauth_password_reset
from allauth.mfa.adapter import get_adapter
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from allauth.socialaccount.models import SocialApp
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.views import login as oidc_login
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe
from requests import RequestException

from annotate.sign_in import SignOnAdapter, new_nonce
from config.http import not_found_unless

log = logging.getLogger("touchstone.people")


@login_not_required
def closed(request: HttpRequest, **parts: object) -> HttpResponse:
    """A page of allauth that this site does not have, like registering without invitation."""
    raise Http404


@login_not_required
@require_http_methods(["GET", "HEAD", "POST"])
def password_reset(request: HttpRequest) -> HttpResponseBase:
    """By e-mail where the site sends any; elsewhere the page says whom to ask."""
    if settings.EMAIL_HOST:
        response: HttpResponseBase = allauth_password_reset(request)
        return response
    not_found_unless(request.method != "POST")
    return render(request, "account/password_reset.html")


@login_not_required
def sign_on(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Go to the sign-on service, if it can be reached to ask where that is."""
    wanted = request.GET.copy()
    wanted["auth_params"] = urlencode({"nonce": new_nonce(request)})
    request.GET = wanted  # type: ignore[assignment]
    try:
        response: HttpResponseBase = oidc_login(request, provider_id)
    except (RequestException, KeyError, ValueError) as error:
        log.warning("the sign-on service cannot be used: %s", error)
        return render(request, "socialaccount/authentication_error.html", status=502)
    return response


@login_not_required
def sign_on_callback(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Back from the service: what it says must answer what was asked here."""
    try:
        view = OAuth2CallbackView.adapter_view(SignOnAdapter(request, provider_id))
        response: HttpResponseBase = view(request)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    return response


@require_safe
@reauthentication_required(app="allauth.mfa")  # type: ignore[untyped-decorator]
def totp_picture(request: HttpRequest) -> HttpResponse:
    """The secret on the page that asks for it, as a QR code: no page may hold a data: address."""
    secret = request.session.get(SECRET_SESSION_KEY)
    not_found_unless(bool(secret))
    adapter = get_adapter()
    picture = adapter.build_totp_svg(adapter.build_totp_url(request.user, secret))
    return HttpResponse(picture, content_type="image/svg+xml")
