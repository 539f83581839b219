"""Sign-in through allauth: accounts are made by invitation alone."""

import secrets
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest
from django.urls import reverse

from annotate.accounts import reset_address
from annotate.inviting import InvitationGoneError, accept_by_address
from config.http import refuse

REFUSED = "This sign-in was refused"
# Several tabs may be on their way to the service at once.
NONCES, NONCES_KEPT = "sign_on_nonces", 5


def new_nonce(request: HttpRequest) -> str:
    """What the service is to put into its token: one made for another sign-in lacks it."""
    nonce = secrets.token_urlsafe(24)
    request.session[NONCES] = [*request.session.get(NONCES, ()), nonce][-NONCES_KEPT:]
    return nonce


class SignOnAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """OpenID Connect, which must answer the very sign-in that was begun here."""

    def complete_login(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        sociallogin = super().complete_login(request, *args, **kwargs)
        claims = sociallogin.account.extra_data.get("id_token") or {}
        known = request.session.get(NONCES, [])
        if claims.get("nonce") not in known:
            raise OAuth2Error("the token does not bear the nonce of a sign-in begun here")
        request.session[NONCES] = [nonce for nonce in known if nonce != claims["nonce"]]
        return sociallogin


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": (
            "This address and password do not belong together. Check both and try again."
        ),
        "too_many_login_attempts": (
            "Too many attempts. Wait five minutes, then try again; nothing is wrong with your "
            "account."
        ),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_reset_password_from_key_url(self, key: str) -> str:
        return reset_address(key)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on: for addresses that have an account or an invitation."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: object) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Take up an invitation at the first sign-in of its address, or refuse in words."""
        if sociallogin.state.get("process") != "login":
            raise _refusal(request, "Sign out first, then sign in from the sign-in page.")
        if sociallogin.is_existing:
            return
        email = verified_address(sociallogin)
        if not email:
            raise _refusal(
                request,
                "The sign-on service has not confirmed your e-mail address. Have it confirmed "
                "there, then try again.",
            )
        name = str(sociallogin.account.extra_data.get("userinfo", {}).get("name", ""))
        try:
            user = accept_by_address(email, name=name[:100])
        except InvitationGoneError:
            raise _refusal(
                request,
                f"{email} has no account here and no invitation that is still good. Ask an admin "
                "of this site to invite this address.",
            ) from None
        sociallogin.connect(request, user)


def verified_address(sociallogin: Any) -> str:
    """The address that the sign-on service vouches for; empty if it vouches for none."""
    addresses = [address.email for address in sociallogin.email_addresses if address.verified]
    return addresses[0] if addresses else ""


def _refusal(request: HttpRequest, message: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(refuse(request, REFUSED, message, status=403))
