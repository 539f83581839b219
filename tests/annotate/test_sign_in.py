"""Signing in and out: by whom, how often, and where it leads."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core import mail
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotate.models import User
from tests.factories import PASSWORD, make_user
from tests.racing import in_parallel

LOGIN = "/accounts/login/"
OFF_SITE = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "http://evil.example",
    "https://evil.example/?a=http://testserver/",
    "https://testserver@evil.example",
    "https://testserver.evil.example",
    "https://evil.example#testserver",
    "HTTPS://EVIL.EXAMPLE",
    "ftp://evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "data:text/html,x",
    "\t//evil.example",
    " //evil.example",
    "/\t/evil.example",
    "//evil.example\\@testserver",
    "%2f%2fevil.example",
    "http:\\\\evil.example",
    "\x00//evil.example",
]


@pytest.fixture
def dora(fresh_cache: None) -> User:
    user = make_user("Dora", password=PASSWORD)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    return user


def sign_in(
    client: Client, password: str = PASSWORD, email: str = "dora@example.org", **more: str
) -> Any:
    return client.post(LOGIN, {"login": email, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_address_and_password_let_in_and_whoever_asked_goes_on_to_their_page(dora: User) -> None:
    client = Client()
    asked = client.get("/me/")
    assert (asked.status_code, asked["Location"]) == (302, f"{LOGIN}?next=/me/")

    answer = sign_in(client, next="/me/")

    assert (answer.status_code, answer["Location"]) == (302, "/me/")
    assert is_signed_in(client)


def test_the_address_is_read_in_any_case(dora: User) -> None:
    client = Client()
    sign_in(client, email="DORA@Example.ORG")
    assert is_signed_in(client)


def leads_to(location: str) -> str:
    """Where a browser goes: a backslash is a slash, control characters are nothing."""
    read = re.sub(r"[\x00-\x20]", "", location).replace("\\", "/")
    if absolute := re.match(r"(?i)(?:(https?):/*|//+)(.*)", read):
        read = f"{absolute[1] or 'http'}://{absolute[2]}"
    parts = urlsplit(urljoin("http://testserver/accounts/login/", read))
    return f"{parts.scheme}://{parts.netloc}"


@pytest.mark.parametrize("next_page", OFF_SITE)
def test_signing_in_never_leads_off_the_site(
    fresh_cache: None, settings: LazySettings, next_page: str
) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # only for speed
    make_user("Dora", password=PASSWORD)
    client = Client()

    answer = sign_in(client, next=next_page)

    assert is_signed_in(client)
    assert leads_to(answer["Location"]) == "http://testserver"
    after = client.post("/accounts/logout/", {"next": next_page})
    assert leads_to(after["Location"]) == "http://testserver"


def test_the_test_of_where_it_leads_would_notice() -> None:
    harmless = [address for address in OFF_SITE if leads_to(address) == "http://testserver"]
    assert harmless == ["%2f%2fevil.example"]


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "password/set/", "sso/signup/", "2fa/webauthn/"]
)
def test_pages_that_this_site_does_not_have_are_not_there(dora: User, path: str) -> None:
    inside = Client()
    inside.force_login(dora)
    for client in (Client(), inside):
        said = {"email": "x@example.org", "password1": PASSWORD}
        assert client.get(f"/accounts/{path}").status_code == 404
        assert client.post(f"/accounts/{path}", said).status_code == 404
    assert User.objects.count() == 1


def test_a_deactivated_person_is_told_so_only_with_the_right_password(dora: User) -> None:
    User.objects.update(is_active=False)
    assert sign_in(Client(), "wrong password").status_code == 200
    client = Client()
    answer = sign_in(client)
    assert answer["Location"] == reverse("account_inactive")
    assert not is_signed_in(client)


# Guessing


def test_after_five_wrong_passwords_the_right_one_is_refused_too(dora: User) -> None:
    for _ in range(5):
        assert b"do not belong together" in sign_in(Client(), "wrong").content

    client = Client()
    answer = sign_in(client)

    assert b"Too many attempts" in answer.content
    assert not is_signed_in(client)


def test_a_forged_forwarding_header_opens_no_new_count(fresh_cache: None) -> None:
    refused = []
    for number in range(15):
        client = Client(headers={"x-forwarded-for": f"10.0.0.{number}"})
        answer = sign_in(client, "wrong", email=f"p{number}@example.org")
        refused.append(b"Too many attempts" in answer.content)

    assert refused == [False] * 10 + [True] * 5


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_over_processes_that_guess_at_once() -> None:
    cache.clear()
    make_user("Dora", password=PASSWORD)

    def guess(number: int) -> int:
        tries = [sign_in(Client(REMOTE_ADDR=f"10.0.{number}.{n}"), "wrong") for n in range(5)]
        return sum(b"do not belong together" in answer.content for answer in tries)

    tried = in_parallel(8, guess)

    assert sum(tried) <= 5
    assert sum(tried) >= 1
    assert b"Too many attempts" in sign_in(Client(REMOTE_ADDR="10.9.9.9")).content


def test_known_and_unknown_addresses_get_the_same_words(dora: User) -> None:
    def without_address(answer: HttpResponse, email: str) -> bytes:
        body = answer.content.replace(email.encode(), b"")
        return body[body.index(b"<h1>") :].split(b"csrfmiddlewaretoken")[0] + body[-200:]

    known = sign_in(Client(), "wrong password")
    unknown = sign_in(Client(), "wrong password", email="nobody@example.org")

    assert known.status_code == unknown.status_code == 200
    assert without_address(known, "dora@example.org") == without_address(
        unknown, "nobody@example.org"
    )


def test_known_and_unknown_addresses_cost_the_same_work(
    dora: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    for name in ("encode", "verify"):
        honest = getattr(Argon2PasswordHasher, name)

        def counted(*args: Any, honest: Any = honest, name: str = name) -> Any:
            hashed.append(name)
            return honest(*args)

        monkeypatch.setattr(Argon2PasswordHasher, name, counted)

    sign_in(Client(), "wrong password", email="dora@example.org")
    known = len(hashed)
    sign_in(Client(), "wrong password", email="nobody@example.org")

    # Hashing takes nearly all of the time of a try; leaving it out would tell who is known.
    assert known == len(hashed) - known == 1


# Passwords


def test_passwords_are_kept_as_argon2id_and_old_hashes_are_renewed(
    dora: User, settings: LazySettings
) -> None:
    assert dora.password.startswith("argon2$argon2id$")
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]
    dora.set_password(PASSWORD)
    dora.save()
    assert dora.password.startswith("pbkdf2_sha256$")
    settings.PASSWORD_HASHERS = settings.PASSWORD_HASHERS[::-1]

    client = Client()
    sign_in(client)

    dora.refresh_from_db()
    assert is_signed_in(client)
    assert dora.password.startswith("argon2$argon2id$")


def test_changing_the_password_ends_the_other_sessions(dora: User) -> None:
    here, elsewhere = Client(), Client()
    sign_in(here)
    sign_in(elsewhere)
    new = "another horse, another staple"

    weak = here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": "dora@example.org", "password2": "dora@example.org"},
    )
    assert b"too similar" in weak.content
    answer = here.post(
        "/accounts/password/change/",
        {"oldpassword": PASSWORD, "password1": new, "password2": new},
    )

    assert answer["Location"] == "/me/"
    assert is_signed_in(here)
    assert not is_signed_in(elsewhere)


def test_without_a_mail_server_the_reset_page_says_whom_to_ask(db: None) -> None:
    assert b"Ask an admin" in Client().get("/accounts/password/reset/").content
    assert Client().post("/accounts/password/reset/", {"email": "x@example.org"}).status_code == 404


def test_with_a_mail_server_a_link_is_sent_to_accounts_only(
    dora: User, settings: LazySettings
) -> None:
    settings.EMAIL_HOST = "mail.example.org"
    settings.BASE_URL = "https://touchstone.example.org"

    answers = [
        Client().post("/accounts/password/reset/", {"email": email}, headers={"host": "localhost"})
        for email in ("dora@example.org", "nobody@example.org")
    ]

    assert [answer["Location"] for answer in answers] == ["/accounts/password/reset/done/"] * 2
    (letter,) = mail.outbox
    assert letter.to == ["dora@example.org"]
    assert "https://touchstone.example.org/accounts/password/reset/key/" in letter.body


# Sessions


def test_a_session_begins_anew_at_sign_in_and_is_dead_after_sign_out(dora: User) -> None:
    client = Client()
    client.get(LOGIN)
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["session"] = before = planted.session_key or ""
    sign_in(client)
    inside = client.cookies["session"].value
    assert inside != before

    assert client.get("/accounts/logout/").status_code == 200
    assert is_signed_in(client)
    answer = client.post("/accounts/logout/")
    assert answer["Location"] == LOGIN
    stolen = Client()
    stolen.cookies["session"] = inside
    assert not is_signed_in(stolen)


def test_cookies_cannot_be_read_by_scripts_nor_sent_from_elsewhere(dora: User) -> None:
    client = Client()
    client.get(LOGIN)
    answer = sign_in(client)

    for name in ("session", "csrf"):
        cookie = answer.cookies[name]
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"
    assert answer.cookies["session"]["max-age"] <= 7 * 24 * 3600


@pytest.mark.parametrize("how", [Client.get, Client.post])
def test_an_htmx_request_without_sign_in_gets_401_and_no_login_page(
    db: None, how: Callable[..., HttpResponse]
) -> None:
    answer = how(Client(), "/me/", headers={"hx-request": "true"})

    assert answer.status_code == 401
    assert answer["Content-Type"].startswith("text/plain")
