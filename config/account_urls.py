"""Sign-in: the pages of allauth that this site has. What is not listed here is 404.

allauth asks for some addresses by name that are closed here; those names lead to 404 as well.
"""

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.socialaccount import views as social
from django.urls import path, re_path

from annotate.views import sign_in

urlpatterns = [
    path("login/", account.login, name="account_login"),
    path("logout/", account.logout, name="account_logout"),
    path("inactive/", account.account_inactive, name="account_inactive"),
    path("reauthenticate/", account.reauthenticate, name="account_reauthenticate"),
    path("password/change/", account.password_change, name="account_change_password"),
    path("password/reset/", sign_in.password_reset, name="account_reset_password"),
    path("password/reset/done/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    # The second factor.
    path("2fa/", mfa.index, name="mfa_index"),
    path("2fa/authenticate/", mfa.authenticate, name="mfa_authenticate"),
    path("2fa/reauthenticate/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", totp.activate_totp, name="mfa_activate_totp"),
    path("2fa/totp/deactivate/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("2fa/totp/code.svg", sign_in.totp_picture, name="mfa_totp_picture"),
    path("2fa/recovery-codes/", recovery_codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path(
        "2fa/recovery-codes/generate/",
        recovery_codes.generate_recovery_codes,
        name="mfa_generate_recovery_codes",
    ),
    path(
        "2fa/recovery-codes/download/",
        recovery_codes.download_recovery_codes,
        name="mfa_download_recovery_codes",
    ),
    # Single sign-on, where OIDC_SERVER_URL names one; elsewhere these are 404 too.
    path("sso/cancelled/", social.login_cancelled, name="socialaccount_login_cancelled"),
    path("sso/<str:provider_id>/login/", sign_in.sign_on, name="openid_connect_login"),
    path(
        "sso/<str:provider_id>/callback/",
        sign_in.sign_on_callback,
        name="openid_connect_callback",
    ),
    # Closed: accounts are made by invitation, addresses are changed by admins.
    path("signup/", sign_in.closed, name="account_signup"),
    path("email/", sign_in.closed, name="account_email"),
    path("password/set/", sign_in.closed, name="account_set_password"),
    path("confirm-email/", sign_in.closed, name="account_email_verification_sent"),
    path("sso/error/", sign_in.closed, name="socialaccount_login_error"),
    path("sso/signup/", sign_in.closed, name="socialaccount_signup"),
    path("sso/connections/", sign_in.closed, name="socialaccount_connections"),
]
