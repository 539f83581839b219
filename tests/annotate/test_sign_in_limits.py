"""A sign-in ends by itself; a second factor may come before everything else."""

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.conf import LazySettings
from django.test import Client
from django.urls import reverse

from annotate.models import Role, User
from config.sessions import SEEN_AT, SIGNED_IN_AT
from tests.conftest import client_of
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db
HOUR = 3600


def age(client: Client, **hours: float) -> None:
    """Let it be so many hours since the sign-in, or since the last request."""
    session = client.session
    for name, past in hours.items():
        session[name] = int(time.time() - past * HOUR)
    session.save()


def is_signed_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


@pytest.mark.parametrize(("idle", "lasts"), [(0, True), (11.9, True), (12.1, False)])
def test_a_sign_in_ends_after_twelve_idle_hours(
    alice_client: Client, idle: float, lasts: bool
) -> None:
    age(alice_client, **{SIGNED_IN_AT: 24, SEEN_AT: idle})

    assert is_signed_in(alice_client) is lasts


@pytest.mark.parametrize(("days", "lasts"), [(6.9, True), (7.1, False)])
def test_a_sign_in_ends_after_seven_days_however_busy(
    alice_client: Client, days: float, lasts: bool
) -> None:
    age(alice_client, **{SIGNED_IN_AT: 24 * days, SEEN_AT: 0})

    assert is_signed_in(alice_client) is lasts


def test_each_request_puts_the_idle_end_off(alice_client: Client) -> None:
    age(alice_client, **{SEEN_AT: 11})
    assert is_signed_in(alice_client)

    assert time.time() - alice_client.session[SEEN_AT] < 60


def test_a_sign_in_that_ended_is_gone_from_the_server(alice_client: Client) -> None:
    stolen = alice_client.cookies["session"].value
    age(alice_client, **{SEEN_AT: 13})
    is_signed_in(alice_client)

    other = Client()
    other.cookies["session"] = stolen
    assert not is_signed_in(other)


def test_an_htmx_request_after_the_end_is_told_by_401(alice_client: Client) -> None:
    age(alice_client, **{SEEN_AT: 13})

    answer = alice_client.get("/me/", headers={"HX-Request": "true"})

    assert answer.status_code == 401


def test_sessions_from_before_limits_begin_now(alice_client: Client) -> None:
    session = alice_client.session
    for name in (SIGNED_IN_AT, SEEN_AT):
        session.pop(name, None)
    session.save()

    assert is_signed_in(alice_client)
    assert time.time() - alice_client.session[SIGNED_IN_AT] < 60


def test_ordinary_requests_write_nothing(
    alice_client: Client, django_assert_num_queries: Any
) -> None:
    is_signed_in(alice_client)
    before = alice_client.session[SEEN_AT]

    is_signed_in(alice_client)

    assert alice_client.session[SEEN_AT] == before


# The second factor, where the site asks for it


@pytest.fixture
def strict(settings: LazySettings) -> None:
    settings.REQUIRE_MFA = True


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("role", [Role.LEAD, Role.ADMIN])
@pytest.mark.parametrize("path", ["/", "/studies/", "/me/", "/people/", "/emergency/"])
def test_leads_and_admins_are_led_to_set_one_up(role: str, path: str) -> None:
    client = client_of(make_user("Nina", role=role))

    answer = client.get(path)

    assert (answer.status_code, answer["Location"]) == (302, reverse("mfa_activate_totp"))


@pytest.mark.usefixtures("strict")
def test_nothing_is_changed_before_it_is_set_up(adam_client: Client) -> None:
    answer = adam_client.post(reverse("study_new"), {"name": "x"}, headers={"HX-Request": "true"})

    assert answer["HX-Redirect"] == reverse("mfa_activate_totp")


@pytest.mark.usefixtures("strict")
def test_once_it_is_set_up_everything_opens(adam: User, adam_client: Client) -> None:
    TOTP.activate(adam, generate_totp_secret())

    assert adam_client.get("/studies/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_annotators_are_not_asked(alice_client: Client) -> None:
    assert alice_client.get("/").status_code == 200


@pytest.mark.usefixtures("strict")
def test_the_page_says_why_and_lets_out(fresh_cache: None) -> None:
    client = client_of(make_user("Nina", role=Role.LEAD, password=PASSWORD))
    asked = client.get(reverse("mfa_activate_totp"))
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    client.post(asked["Location"], {"password": PASSWORD})

    page = client.get(reverse("mfa_activate_totp"))

    assert b"This site asks leads and admins for a second factor." in page.content
    assert client.get(reverse("mfa_totp_picture")).status_code == 200
    assert client.post(reverse("account_logout")).status_code == 302


def test_without_the_setting_nobody_is_asked(adam_client: Client) -> None:
    assert adam_client.get("/studies/").status_code == 200
