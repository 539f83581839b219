"""The second factor, and single sign-on through a service that answers over HTTP."""

import base64
import hashlib
import hmac
import json
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.socialaccount.models import SocialAccount
from django.conf import LazySettings
from django.core.cache import cache
from django.test import Client

from annotate import inviting
from annotate.models import Role, Study, User
from tests.factories import PASSWORD, make_user

LOGIN = "/accounts/login/"


# A code holds for half a minute: by this clock no test begins in one and ends in the next.
NOW = 1_800_000_000


@pytest.fixture
def standing_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totp, "time", SimpleNamespace(time=lambda: NOW))


def code_of(secret: str) -> str:
    """RFC 6238, as an authenticator app counts."""
    counter = NOW // 30
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06d}"


@pytest.fixture
def dora(fresh_cache: None, standing_clock: None) -> User:
    user = make_user("Dora", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in(client: Client) -> Any:
    return client.post(LOGIN, {"login": "dora@example.org", "password": PASSWORD})


def with_second_factor() -> tuple[Client, str]:
    """A client that has set up an authenticator, and the secret in it."""
    client = Client()
    sign_in(client)
    asked = client.get("/accounts/2fa/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    client.post(asked["Location"], {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    return client, secret


def is_signed_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


# The second factor


def test_a_second_factor_is_asked_for_once_it_is_set_up(dora: User) -> None:
    _, secret = with_second_factor()

    client = Client()
    answer = sign_in(client)
    assert answer["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)
    wrong = client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    assert b"Incorrect code" in wrong.content
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})

    assert is_signed_in(client)


def test_a_code_and_a_recovery_code_work_once(dora: User) -> None:
    first, secret = with_second_factor()
    codes = first.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    outcome = []
    for code in (code_of(secret), code_of(secret), codes[0], codes[0], codes[1]):
        client = Client()
        sign_in(client)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        outcome.append(is_signed_in(client))
        cache.clear() if code in codes else None

    assert outcome == [True, False, True, False, True]


def test_the_picture_shows_the_secret_of_the_page_to_its_owner_alone(dora: User) -> None:
    client = Client()
    sign_in(client)
    client.post("/accounts/reauthenticate/?next=/me/", {"password": PASSWORD})
    assert client.get("/accounts/2fa/totp/code.svg").status_code == 404
    page = client.get("/accounts/2fa/totp/activate/")

    picture = client.get("/accounts/2fa/totp/code.svg")

    assert picture["Content-Type"] == "image/svg+xml"
    assert picture.content.startswith(b"<?xml")
    assert b'src="/accounts/2fa/totp/code.svg"' in page.content
    assert b"data:" not in page.content
    elsewhere = Client()
    sign_in(elsewhere)
    assert elsewhere.get("/accounts/2fa/totp/code.svg").status_code == 302


def test_removing_the_second_factor_needs_the_password_again(dora: User) -> None:
    _, secret = with_second_factor()
    client = Client()
    sign_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)})

    asked = client.post("/accounts/2fa/totp/deactivate/")

    assert "reauthenticate" in asked["Location"]
    assert Authenticator.objects.filter(type="totp").exists()


# Single sign-on


class Service(ThreadingHTTPServer):
    """An OpenID Connect service that says of everybody what `claims` say."""

    claims: dict[str, Any]
    verifier: str
    # Of the latest sign-in that a browser was sent here with.
    nonce: ClassVar[str] = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Answers(BaseHTTPRequestHandler):
    server: Service

    def do_GET(self) -> None:
        url = self.server.url
        if self.path.startswith("/.well-known/"):
            self.say({
                "issuer": url, "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token", "userinfo_endpoint": f"{url}/userinfo",
                "jwks_uri": f"{url}/keys",
            })  # fmt: skip
        else:
            said = self.server.claims
            self.say({name: said[name] for name in said if name not in ("iss", "aud", "exp")})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.verifier = parse_qs(body).get("code_verifier", [""])[0]
        claims = {"nonce": self.server.nonce} | self.server.claims
        token = jwt.encode(claims, "k" * 32, algorithm="HS256")
        self.say({"access_token": "a", "token_type": "Bearer", "id_token": token})

    def say(self, what: dict[str, Any]) -> None:
        body = json.dumps(what).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on the terminal."""


@pytest.fixture
def service(fresh_cache: None, settings: LazySettings) -> Iterator[Service]:
    server = Service(("127.0.0.1", 0), Answers)
    server.claims = {
        "iss": server.url, "aud": "touchstone", "exp": int(time.time()) + 600, "sub": "s-1",
        "email": "dora@example.org", "email_verified": True, "name": "Dora Lind",
    }  # fmt: skip
    app = {
        "provider_id": "oidc", "name": "Example ID", "client_id": "touchstone",
        "secret": "secret", "settings": {"server_url": server.url},
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}
    }
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def sign_on(client: Client, **changed: str) -> Any:
    """Go to the service and come back, as a browser does."""
    gone = client.post("/accounts/sso/oidc/login/?process=login&next=/me/")
    asked = {name: value[0] for name, value in parse_qs(urlsplit(gone["Location"]).query).items()}
    assert asked["code_challenge_method"] == "S256"
    Service.nonce = asked["nonce"]
    back = {"code": "c", "state": asked["state"]} | changed
    return client.get("/accounts/sso/oidc/callback/", back)


def test_the_button_is_there_only_where_a_service_is_named(
    service: Service, settings: LazySettings
) -> None:
    assert b"Sign in with Example ID" in Client().get(LOGIN).content
    settings.SOCIALACCOUNT_PROVIDERS = {}
    assert b"Sign in with" not in Client().get(LOGIN).content


def test_an_invited_address_joins_at_its_first_sign_on(service: Service, study: Study) -> None:
    invited = inviting.invite("dora@example.org", Role.LEAD, study=study)
    client = Client()

    answer = sign_on(client)

    dora = User.objects.get(email="dora@example.org")
    assert answer["Location"] == "/me/"
    assert client.get("/me/").context["user"] == dora
    assert (dora.name, dora.role) == ("Dora Lind", Role.LEAD)
    assert dora.assignments.get().study == study
    assert not dora.has_usable_password()
    assert Client().get(f"/join/{invited.link.rsplit('/', 1)[1]}").status_code == 404
    assert service.verifier


def test_an_account_that_exists_is_connected_and_keeps_its_password(
    service: Service, dora: User
) -> None:
    for _ in range(2):
        client = Client()
        sign_on(client)
        assert client.get("/me/").context["user"] == dora

    dora.refresh_from_db()
    assert dora.check_password(PASSWORD)
    assert SocialAccount.objects.get().user == dora


def test_a_second_factor_is_asked_for_after_single_sign_on_too(
    service: Service, dora: User
) -> None:
    with_second_factor()
    client = Client()

    assert sign_on(client)["Location"] == "/accounts/2fa/authenticate/"
    assert not is_signed_in(client)


def test_an_address_without_account_or_invitation_is_refused_in_words(service: Service) -> None:
    client = Client()
    answer = sign_on(client)

    assert answer.status_code == 403
    assert b"dora@example.org has no account here and no invitation" in answer.content
    assert not User.objects.exists()
    assert not is_signed_in(client)


@pytest.mark.parametrize("claim", [False, None])
def test_an_address_that_the_service_does_not_vouch_for_is_refused(
    service: Service, dora: User, claim: bool | None
) -> None:
    inviting.invite("eve@example.org", Role.ADMIN)
    for email in ("dora@example.org", "eve@example.org"):
        service.claims |= {"email": email, "email_verified": claim}
        client = Client()
        answer = sign_on(client)

        assert answer.status_code == 403
        assert b"has not confirmed your e-mail address" in answer.content
        assert not is_signed_in(client)
    assert User.objects.count() == 1


def test_a_deactivated_person_stays_out(service: Service, dora: User) -> None:
    User.objects.update(is_active=False)
    client = Client()
    sign_on(client)
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "claims",
    [{"aud": "another"}, {"iss": "https://evil.example"}, {"exp": 1}],
    ids=["audience", "issuer", "expired"],
)
def test_a_token_that_is_not_meant_for_this_site_is_refused(
    service: Service, dora: User, claims: dict[str, Any]
) -> None:
    service.claims |= claims
    client = Client()
    answer = sign_on(client)

    assert b"Signing in by the other site failed" in answer.content
    assert not is_signed_in(client)


@pytest.mark.parametrize("nonce", ["of another sign-in", "", None])
def test_a_token_made_for_another_sign_in_is_refused(
    service: Service, dora: User, nonce: str | None
) -> None:
    service.claims["nonce"] = nonce
    client = Client()

    answer = sign_on(client)

    assert answer.status_code >= 400 or b"could not" in answer.content.lower()
    assert not is_signed_in(client)


def test_a_nonce_is_good_for_one_sign_in(service: Service, dora: User) -> None:
    client = Client()
    sign_on(client)
    assert is_signed_in(client)
    service.claims["nonce"] = Service.nonce
    client.post("/accounts/logout/")

    sign_on(client)

    assert not is_signed_in(client)


def test_parameters_for_the_service_cannot_be_slipped_in(service: Service) -> None:
    gone = Client().post("/accounts/sso/oidc/login/?process=login&auth_params=prompt%3Dnone")

    assert "prompt" not in gone["Location"]
    assert "nonce=" in gone["Location"]


def test_a_state_that_this_browser_did_not_send_is_refused(service: Service, dora: User) -> None:
    client = Client()
    answer = sign_on(client, state="forged")

    assert b"Signing in by the other site failed" in answer.content
    assert not is_signed_in(client)


def test_a_service_that_does_not_answer_is_said_in_words(
    service: Service, settings: LazySettings
) -> None:
    providers: Any = settings.SOCIALACCOUNT_PROVIDERS
    providers["openid_connect"]["APPS"][0]["settings"]["server_url"] = "http://127.0.0.1:9"

    answer = Client().post("/accounts/sso/oidc/login/?process=login")

    assert b"Signing in by the other site failed" in answer.content


def test_whoever_is_signed_in_cannot_tie_another_identity_to_their_account(
    service: Service, dora: User
) -> None:
    client = Client()
    sign_in(client)
    service.claims |= {"email": "other@example.org"}
    gone = client.post("/accounts/sso/oidc/login/?process=connect")
    asked = parse_qs(urlsplit(gone["Location"]).query)
    state, Service.nonce = asked["state"][0], asked["nonce"][0]

    answer = client.get("/accounts/sso/oidc/callback/", {"code": "c", "state": state})

    assert answer.status_code == 403
    assert not SocialAccount.objects.exists()
