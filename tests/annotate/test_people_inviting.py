"""Invitations: made, used once, refused."""

import json
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from annotate import inviting
from annotate.models import Assignment, Invitation, Role, State, Study, User
from tests.factories import PASSWORD, make_study
from tests.racing import in_parallel

JOINING = {"name": "Dora", "password": PASSWORD, "again": PASSWORD}


def token_of(link: str) -> str:
    return link.rsplit("/", 1)[1]


def test_only_the_hash_of_a_token_is_kept(adam: User) -> None:
    invited = inviting.invite("dora@example.org", Role.LEAD, invited_by=adam)

    token = token_of(invited.link)
    assert len(token) == 43  # 256 bits
    stored = json.dumps(list(Invitation.objects.values()), default=str)
    assert token not in stored
    assert inviting.hash_of(token) in stored


def test_an_admin_sees_the_link_once_and_it_makes_the_account(
    adam_client: Client, study: Study
) -> None:
    said = {"email": "Dora@Example.org", "role": "annotator", "study": study.pk}
    page = adam_client.post("/people/invite", said)
    link = page.context["invited"].link
    assert page.status_code == 200
    assert link in page.content.decode()
    assert link not in adam_client.get("/people/").content.decode()

    visitor = Client()
    path = f"/join/{token_of(link)}"
    assert b"dora@example.org" in visitor.get(path).content
    answer = visitor.post(path, JOINING)

    dora = User.objects.get(email="dora@example.org")
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert visitor.get("/me/").context["user"] == dora
    assert (dora.name, dora.role) == ("Dora", Role.ANNOTATOR)
    assert dora.password.startswith("argon2$argon2id$")
    assert list(Assignment.objects.filter(annotator=dora).values_list("study", flat=True)) == [
        study.pk
    ]
    assert EmailAddress.objects.get(user=dora).verified


@pytest.mark.parametrize("why", ["unknown", "used", "expired", "revoked"])
def test_an_invitation_that_cannot_be_used_looks_the_same_whatever_the_reason(
    db: None, why: str
) -> None:
    invited = inviting.invite("dora@example.org", Role.ANNOTATOR)
    token = token_of(invited.link)
    rows = Invitation.objects.filter(pk=invited.invitation.pk)
    if why == "unknown":
        token = "x" * 43
    elif why == "used":
        inviting.accept(token, name="Dora", password=PASSWORD)
    elif why == "expired":
        rows.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        assert inviting.revoke(invited.invitation.pk)
    count = User.objects.count()

    pages = [Client().get(f"/join/{token}"), Client().post(f"/join/{token}", JOINING)]

    assert [page.status_code for page in pages] == [404, 404]
    assert {page.content for page in pages} == {Client().get("/join/nonsense").content}
    assert User.objects.count() == count


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"password": "short", "again": "short"}, "password"),
        ({"password": "password1234", "again": "password1234"}, "password"),
        ({"password": "dora@example.org", "again": "dora@example.org"}, "password"),
        ({"again": "something else entirely"}, "again"),
        ({"name": " "}, "name"),
    ],
)
def test_a_weak_or_mistyped_password_is_refused_at_its_field(
    db: None, said: dict[str, str], field: str
) -> None:
    invited = inviting.invite("dora@example.org", Role.ANNOTATOR)

    page = Client().post(f"/join/{token_of(invited.link)}", JOINING | said)

    assert page.status_code == 422
    assert list(page.context["form"].errors) == [field]
    assert inviting.pending().count() == 1


def test_inviting_an_address_again_replaces_its_link(db: None) -> None:
    first = inviting.invite("dora@example.org", Role.ANNOTATOR)
    second = inviting.invite("dora@example.org", Role.LEAD)

    assert Client().get(f"/join/{token_of(first.link)}").status_code == 404
    assert Client().get(f"/join/{token_of(second.link)}").status_code == 200


def test_somebody_with_an_account_is_not_invited(adam_client: Client, alice: User) -> None:
    page = adam_client.post("/people/invite", {"email": "ALICE@example.org", "role": "admin"})

    assert page.status_code == 422
    assert page.context["form"].errors["email"] == [
        "alice@example.org has an account already. Change its role or its studies instead."
    ]
    assert not Invitation.objects.exists()


def test_an_invitation_is_mailed_where_a_mail_server_is_named(
    adam_client: Client, settings: LazySettings
) -> None:
    settings.EMAIL_HOST = "mail.example.org"

    page = adam_client.post("/people/invite", {"email": "dora@example.org", "role": "lead"})

    (letter,) = mail.outbox
    assert letter.to == ["dora@example.org"]
    assert page.context["invited"].link in letter.body
    assert "as a lead" in letter.body


def test_a_pending_invitation_can_be_revoked(adam_client: Client) -> None:
    invited = inviting.invite("dora@example.org", Role.ANNOTATOR)
    assert b"dora@example.org" in adam_client.get("/people/").content

    adam_client.post("/people/", {"revoke": str(invited.invitation.pk)})

    assert b"dora@example.org" not in adam_client.get("/people/").content
    assert adam_client.post("/people/", {"revoke": "nonsense"}).status_code == 422


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_many_who_follow_one_link_one_gets_the_account() -> None:
    token = token_of(inviting.invite("dora@example.org", Role.ANNOTATOR).link)

    results = in_parallel(16, lambda n: inviting.accept(token, name=f"D{n}", password="x"))

    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, inviting.InvitationGoneError) for result in results) == 15
    assert User.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_links_for_one_address_make_one_account() -> None:
    first = inviting.invite("dora@example.org", Role.ANNOTATOR)
    second = inviting.invite("dora@example.org", Role.ADMIN)
    # As two admins would leave them who invite in the same moment.
    Invitation.objects.update(expires_at=timezone.now() + timedelta(days=1))
    tokens = [token_of(first.link), token_of(second.link)] * 4

    results = in_parallel(8, lambda n: inviting.accept(tokens[n], name="Dora", password="x"))

    assert sum(isinstance(result, User) for result in results) == 1
    assert User.objects.count() == 1


def test_an_invitation_cannot_be_widened_by_whoever_follows_it(db: None) -> None:
    invited = inviting.invite("dora@example.org", Role.ANNOTATOR)
    extra = {"role": "admin", "email": "root@example.org", "is_staff": "1", "study": "1"}

    Client().post(f"/join/{token_of(invited.link)}", JOINING | extra)

    dora = User.objects.get()
    assert (dora.email, dora.role) == ("dora@example.org", Role.ANNOTATOR)


def test_the_command_prints_exactly_what_is_agreed(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("invite", "Dora@example.org", "--role", "lead", "--study", study.slug, "--json")

    answer = json.loads(capsys.readouterr().out)
    assert list(answer) == ["email", "role", "link"]
    assert (answer["email"], answer["role"]) == ("dora@example.org", "lead")
    inviting.accept(token_of(answer["link"]), name="Dora", password=PASSWORD)
    assert Assignment.objects.filter(study=study, annotator__name="Dora").exists()


@pytest.mark.parametrize(
    ("email", "study", "said"),
    [
        ("no address", "", "'no address' is no e-mail address."),
        (f"a@{'x.' * 130}org", "", "'a@x.x."),
        ("alice@example.org", "", "alice@example.org has an account already."),
        ("dora@example.org", "none", "No study is called 'none'."),
        ("dora@example.org", "done", "Study 'done' is closed: nobody can join it."),
    ],
)
def test_the_command_refuses_in_one_line(
    alice: User, capsys: pytest.CaptureFixture[str], email: str, study: str, said: str
) -> None:
    make_study("Done", slug="done", state=State.CLOSED)
    with pytest.raises(SystemExit) as stopped:
        call_command("invite", email, "--role", "lead", *(["--study", study] if study else []))

    captured = capsys.readouterr()
    assert stopped.value.code == 1
    assert captured.out == ""
    assert captured.err.startswith(said)
    assert captured.err.count("\n") == 1


def test_the_command_needs_a_role_that_exists(db: None) -> None:
    with pytest.raises(CommandError, match="invalid choice: 'king'"):
        call_command("invite", "dora@example.org", "--role", "king")
