"""Who may open what: every address of the site has a row here, and no row is missing."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from pytest_django import DjangoDbBlocker

from annotate.models import User
from tests.access import TABLE
from tests.world import ROLES, World, all_patterns, passing_world

# What each letter asks of an answer. Columns as in ROLES: anonymous, alice, bob, judy, lena, adam.
#   K shown            P shown, or led on to another page of the site
#   A acted on: done, led on, or refused in words that only those who may act get to read
#   L to the sign-in page                N not there
#   X not there, or no such method: nothing is learned from either
#   M no such method                     F refused in words, for a lead who judges in the study
#   R either of N and F
LETTERS: dict[str, set[int]] = {
    "K": {200},
    "P": {200, 302, 303},
    "A": {200, 204, 302, 303, 400, 409, 422},
    "L": {302},
    "N": {404},
    "X": {404, 405},
    "M": {405},
    "F": {403},
    "R": {403, 404},
}

# Everything on the emergency site is for admins alone, and it has no login of its own.
EMERGENCY = "LNNNN"
CELLS = [(name, method) for name in TABLE for method in ("get", "post")]
EXTRA = {
    "role": "admin", "is_staff": "1", "is_superuser": "1", "is_admin": "1", "is_active": "",
    "user": "1", "annotator": "1", "owner": "1", "study_id": "1", "public_id": "1",
}  # fmt: skip
# Sessions and counts of sign-ins change by being used.
ASIDE = {"django_session", "cache", "evals_countedpart"}


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), passing_world() as world:
        yield world


@pytest.fixture
def world(db: None, made: World) -> World:
    return made.anew()


def checksums() -> dict[str, str]:
    """A checksum of each table's rows."""
    tables = set(connection.introspection.table_names()) - ASIDE
    sums = {}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(
                f"SELECT md5(string_agg(t::text, chr(10) ORDER BY t::text)) FROM {table} t"
            )
            sums[table] = cursor.fetchone()[0]
    return sums


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    names = [name for name, _ in all_patterns() if not name.startswith("admin:")]

    assert sorted(names) == sorted(TABLE)


@pytest.mark.parametrize(("name", "method"), CELLS)
def test_each_role_gets_what_the_table_says(world: World, name: str, method: str) -> None:
    letters = TABLE[name][CELLS.index((name, method)) % 2]
    answers = {}
    wrong = {}
    for role, letter in zip(ROLES, letters, strict=True):
        answer = getattr(world.client(role), method)(world.path(name))
        answers[role] = answer.status_code
        to_sign_in = answer.status_code == 302 and "/accounts/login/" in answer["Location"]
        if answer.status_code not in LETTERS[letter] or (letter == "L" and not to_sign_in):
            wrong[role] = f"{letter}: {answer.status_code} {answer.headers.get('Location', '')}"

    assert wrong == {}, f"{method.upper()} {name}: {answers}"


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_emergency_site_is_for_admins_alone(world: World, method: str) -> None:
    paths = ["/emergency/", "/emergency/annotate/user/", "/emergency/jsi18n/", "/emergency/r/1/1/",
             f"/emergency/annotate/user/{world.users['alice'].pk}/change/",
             "/emergency/annotate/user/add/", "/emergency/password_change/", "/emergency/nothing",
             "/emergency/logout/", "/emergency/auth/group/"]  # fmt: skip
    for path in paths:
        for role, letter in zip(ROLES, EMERGENCY, strict=False):
            answer = getattr(world.client(role), method)(path)
            assert answer.status_code in LETTERS[letter], f"{role} {path}"
    answers = [getattr(world.client(role), method)("/emergency/login/") for role in ROLES]
    assert [answer.status_code for answer in answers] == [302, 404, 404, 404, 404, 404]
    assert answers[0]["Location"].startswith("/accounts/login/")


def test_an_admin_sees_the_tables_of_the_emergency_site_and_cannot_add_or_delete(
    world: World,
) -> None:
    adam = world.client("adam")
    index = adam.get("/emergency/")
    models = [model for app in index.context["app_list"] for model in app["models"]]
    assert len(models) == 14
    for model in models:
        assert adam.get(model["admin_url"]).status_code == 200
        assert adam.post(f"{model['admin_url']}add/").status_code == 404
    alice = world.users["alice"]
    page = f"/emergency/annotate/user/{alice.pk}/"
    assert alice.password not in adam.get(f"{page}change/").content.decode()
    adam.post(f"{page}change/", {"name": "Alice B.", "role": "admin", "is_active": ""})
    alice.refresh_from_db()
    assert (alice.name, alice.role, alice.is_active) == ("Alice B.", "annotator", True)
    assert adam.post(f"{page}delete/", {"post": "yes"}).status_code == 404


def test_an_admin_who_judges_does_not_meet_the_items_on_the_emergency_site(world: World) -> None:
    adam = world.users["adam"]
    item = world.study.items.get(position=1)
    page = f"/emergency/annotate/item/{item.pk}/change/"
    assert world.client("adam").get(page).status_code == 200

    world.study.assignments.create(annotator=adam)

    # Django's own answer to an unknown object: back to the index.
    assert world.client("adam").get(page).status_code == 302


def test_reading_changes_no_row(world: World) -> None:
    before = checksums()
    for role in ROLES:
        # Whoever may open most says enough of the methods that show less.
        for method in ("get", "head", "options") if role == "adam" else ("get",):
            for name in TABLE:
                getattr(world.client(role), method)(world.path(name))

    after = checksums()
    assert {table for table in after if after[table] != before[table]} == set()
    assert len(after) > 30


@pytest.mark.parametrize("role", ROLES)
def test_without_a_csrf_token_nothing_is_done(world: World, role: str) -> None:
    before = checksums()
    client = world.client(role, enforce_csrf_checks=True)
    answers = {
        (name, method): getattr(client, method)(world.path(name), EXTRA).status_code
        for name in TABLE
        for method in ("post", "put", "patch", "delete")
    }

    # 404 and 405 where the token is asked for after the right to be there.
    assert set(answers.values()) <= {302, 403, 404, 405}
    lax = {name for (name, _), status in answers.items() if status != 403}
    assert lax <= {"batch_new", "judgements_new", "suite_new", "outputs_new"}
    assert checksums() == before


def test_a_signed_out_htmx_request_gets_401_everywhere_and_never_a_page(world: World) -> None:
    for name, rows in TABLE.items():
        if rows[0][0] == "L":
            for method in ("get", "post", "head"):
                answer = getattr(world.client("anonymous"), method)(
                    world.path(name), headers={"hx-request": "true"}
                )
                assert answer.status_code == 401 or name == "mfa_authenticate", f"{method} {name}"


@pytest.mark.parametrize("role", ROLES)
def test_more_fields_than_a_form_has_make_nobody_anything(world: World, role: str) -> None:
    before = list(User.objects.order_by("pk").values("pk", "role", "is_active", "email"))
    for name in TABLE:
        world.client(role).post(world.path(name), EXTRA | {"act": "", "name": "Some name"})

    after = list(User.objects.filter(pk__in=[row["pk"] for row in before]).order_by("pk").values(
        "pk", "role", "is_active", "email"
    ))  # fmt: skip
    assert after == before
    assert User.objects.count() == len(before)


@pytest.mark.parametrize("trick", ["_method", "X-HTTP-Method-Override", "HX-Request"])
def test_tricks_with_methods_open_nothing(world: World, trick: str) -> None:
    before = checksums()
    client = world.client("alice")
    for name in ("people", "invite", "person", "study_new", "decision", "export"):
        path = world.path(name)
        answers = [
            client.get(path, {"_method": "POST"}),
            client.post(path, {"_method": "GET"}),
            client.get(path, headers={trick: "POST"}),
            client.head(path),
        ]
        assert {answer.status_code for answer in answers} <= {404, 405}, name
    assert checksums() == before


def test_another_study_is_not_there_for_its_strangers(world: World) -> None:
    bob: Client = world.client("bob")
    for name in ("start", "undo", "done", "task", "task_pair", "task_skip", "task_flag"):
        for method in (bob.get, bob.post):
            assert method(world.path(name)).status_code in (404, 405), name
