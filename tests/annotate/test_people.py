"""Roles, who may sign in, and the own account."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.conf import LazySettings
from django.test import Client

from annotate import accounts, inviting
from annotate.models import Role, User
from tests.conftest import client_of
from tests.factories import PASSWORD, make_study, make_user
from tests.racing import in_parallel


def test_a_role_holds_from_the_next_request_on(
    adam_client: Client, alice: User, alice_client: Client
) -> None:
    assert alice_client.get("/people/").status_code == 404
    adam_client.post(f"/people/{alice.pk}/", {"act": "role", "role": "admin"})
    assert alice_client.get("/people/").status_code == 200
    adam_client.post(f"/people/{alice.pk}/", {"act": "role", "role": "annotator"})
    assert alice_client.get("/people/").status_code == 404


def test_a_deactivated_person_is_out_at_the_next_request_and_their_sessions_stay_ended(
    adam_client: Client, alice: User, alice_client: Client
) -> None:
    assert alice_client.get("/me/").status_code == 200

    adam_client.post(f"/people/{alice.pk}/", {"act": "deactivate"})
    assert alice_client.get("/me/").status_code == 302
    adam_client.post(f"/people/{alice.pk}/", {"act": "reactivate"})

    assert alice_client.get("/me/").status_code == 302
    assert client_of(User.objects.get(pk=alice.pk)).get("/me/").status_code == 200


@pytest.mark.parametrize("said", [{"act": "deactivate"}, {"act": "role", "role": "lead"}])
def test_the_last_active_admin_stays(adam: User, adam_client: Client, said: dict[str, str]) -> None:
    make_user("Old", role=Role.ADMIN)
    User.objects.filter(name="Old").update(is_active=False)

    answer = adam_client.post(f"/people/{adam.pk}/", said)

    assert answer.status_code == 409
    assert b"last active admin" in answer.content
    adam.refresh_from_db()
    assert adam.is_staff


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["demote", "deactivate", "mixed"])
def test_admins_who_remove_each_other_at_once_leave_one(verb: str) -> None:
    for round_number in range(5):
        User.objects.all().delete()
        admins = [make_user(f"A{round_number}{n}", role=Role.ADMIN) for n in range(8)]

        def remove(n: int, admins: list[User] = admins) -> User:
            victim, by = admins[(n + 1) % 8], admins[n]
            if verb == "deactivate" or (verb == "mixed" and n % 2):
                return accounts.deactivate(victim.pk, by=by)
            return accounts.change_role(victim.pk, Role.LEAD, by=by)

        results = in_parallel(8, remove)

        assert sum(isinstance(result, accounts.LastAdminError) for result in results) == 1
        assert User.objects.filter(role=Role.ADMIN, is_active=True).count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_without_the_lock_admins_do_remove_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control of the test above: it would notice."""
    monkeypatch.setattr(accounts, "_lock", lambda pk: User.objects.get(pk=pk))
    left = set()
    for round_number in range(40):
        User.objects.all().delete()
        pair = [make_user(f"A{round_number}{n}", role=Role.ADMIN) for n in range(2)]

        def remove(n: int, pair: list[User] = pair) -> User:
            return accounts.deactivate(pair[1 - n].pk, by=pair[n])

        in_parallel(2, remove)
        left.add(User.objects.filter(role=Role.ADMIN, is_active=True).count())

    assert 0 in left


def test_an_admin_gives_a_link_for_a_new_password_that_works_once(
    adam_client: Client, alice: User
) -> None:
    page = adam_client.post(f"/people/{alice.pk}/", {"act": "reset_link"})
    link = page.context["link"]
    assert link.startswith("http://localhost:8000/accounts/password/reset/key/")
    path = link.removeprefix("http://localhost:8000")

    visitor = Client()
    form = visitor.get(path, follow=True)
    new = {"password1": PASSWORD, "password2": PASSWORD}
    visitor.post(form.redirect_chain[-1][0], new)

    alice.refresh_from_db()
    assert alice.check_password(PASSWORD)
    again = Client().get(path, follow=True)
    assert b"can no longer be used" in again.content


def test_a_reset_link_is_too_old_after_24_hours(
    alice: User, adam: User, settings: LazySettings
) -> None:
    path = accounts.reset_link(alice, by=adam).removeprefix("http://localhost:8000")
    assert settings.PASSWORD_RESET_TIMEOUT == 24 * 3600
    settings.PASSWORD_RESET_TIMEOUT = -1

    assert b"can no longer be used" in Client().get(path, follow=True).content


def test_an_admin_removes_a_lost_second_factor(adam_client: Client, alice: User) -> None:
    Authenticator.objects.create(user=alice, type="totp", data={"secret": "A" * 32})
    assert b"Lost authenticator" in adam_client.get(f"/people/{alice.pk}/").content

    adam_client.post(f"/people/{alice.pk}/", {"act": "remove_second_factor"})

    assert not Authenticator.objects.exists()


def test_the_list_of_people_asks_as_often_for_many_as_for_few(
    adam_client: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        person = make_user(f"P{number}")
        make_study(f"S{number}", annotators=[person])
        inviting.invite(f"i{number}@example.org", Role.LEAD)

    with django_assert_max_num_queries(9):
        page = adam_client.get("/people/")

    assert page.status_code == 200


def test_a_theme_is_kept_in_a_cookie_and_set_on_the_page(alice_client: Client) -> None:
    alice_client.post("/me/", {"theme": "dark"})
    assert b'<html lang="en" data-theme="dark">' in alice_client.get("/me/").content
    alice_client.post("/me/", {"theme": "system"})
    assert b'<html lang="en">' in alice_client.get("/me/").content
    assert alice_client.post("/me/", {"theme": '"><script>'}).status_code == 422
    alice_client.cookies["theme"] = '"><script>'
    assert b"><script>" not in alice_client.get("/me/").content.split(b"<body>")[0][:60]


def test_more_parameters_than_the_form_has_change_no_role(
    alice: User, alice_client: Client
) -> None:
    extra = {
        "name": "Alice B.", "role": "admin", "is_staff": "1", "is_active": "", "is_admin": "1",
        "email": "root@example.org", "password": "x", "id": "1", "user": "1", "is_superuser": "1",
    }  # fmt: skip
    alice_client.post("/me/", extra)

    alice.refresh_from_db()
    assert (alice.name, alice.role, alice.email) == (
        "Alice B.", Role.ANNOTATOR, "alice@example.org",
    )  # fmt: skip


@pytest.mark.parametrize("number", ["abc", "", "-1", "9" * 30])
def test_nobody_is_taken_off_a_study_by_a_made_up_number(
    adam_client: Client, alice: User, number: str
) -> None:
    study = make_study(slug="may", annotators=[alice])

    assert adam_client.post("/studies/may/people", {"remove": number}).status_code == 404
    assert study.assignments.get().is_active
