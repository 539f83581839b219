"""manage.py import_judgements: whole or not at all, apart from the slots, by whoever judged."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from annotate.claiming import claim_task
from annotate.models import (
    Assignment,
    Judgement,
    State,
    Study,
    Task,
    User,
)
from tests.annotate.judgement_inputs import CRITERIA, GOOD, answer, counts, error_codes, run, write
from tests.conftest import client_of
from tests.factories import judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def may() -> Study:
    alice = make_user("Alice")
    study = make_study("May", slug="may", criteria=CRITERIA, annotators=[alice], overlap=2)
    make_batch(study, 4)
    return study


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path, GOOD)


def test_json_is_as_import_batch_has_it(may: Study, good: Path) -> None:
    code, out, err = run("may", good, "--json")

    found = json.loads(out)
    assert (code, err) == (0, "")
    assert found["columns"]["item_id"] == "item_id"
    del found["columns"]
    assert found == {
        "accepted": True,
        "rows": 3,
        "items": 2,
        "batch": None,
        "format": "csv",
        "errors": [],
        "warnings": [],
        "import": 1,
        "recognised": "a table with a row for each judgement",
        "judgements": 3,
        "annotators": 2,
        "left_out": {},
    }


def test_what_was_said_is_stored_as_it_was_said(may: Study, good: Path) -> None:
    run("may", good)

    said = {
        (one.task.item.item_id, one.annotator.label): one
        for one in Judgement.objects.select_related("task__item", "annotator")
    }
    alice = said["q-1", "alice@example.org"]
    assert (alice.preference, alice.candidate_side, alice.choice) == (1, "left", -1)
    assert (alice.active_ms, str(alice.task.judged_at)) == (12500, "2026-01-01 10:00:00+00:00")
    assert set(alice.ratings.values_list("criterion__key", "preference")) == {
        ("correctness", 0),
        ("tone", None),
    }
    scored = alice.ratings.get(criterion__key="tone")
    assert (scored.baseline_score, scored.candidate_score) == (3, 5)
    bob = said["q-2", "bob"]
    assert (bob.preference, bob.candidate_side, bob.choice, bob.scale) == (-2, None, None, 5)
    assert (said["q-1", "bob"].both_bad, said["q-1", "bob"].preference) == (True, 0)
    assert set(Judgement.objects.values_list("source", "received__file_name")) == {
        ("imported", "said.csv")
    }


def test_check_reports_and_writes_nothing(may: Study, good: Path) -> None:
    before = counts()
    code, out, _ = run("may", good, "--check")

    assert (code, counts()) == (0, before)
    assert "3 judgements of 2 items by 2 people can come in. Nothing was written." in out


def test_all_faults_are_told_and_nothing_is_written(may: Study, tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "item_id,annotator,preference\nq-1,bob,tie\nq-9,bob,tie\nq-3,zoe,tie\nq-3,zoe,candidate\n"
        "q-4,,sure\n,bob,tie\n",
    )
    before = counts()
    code, out, err = run("may", path, "--json")

    found = json.loads(out)
    assert (code, found["accepted"], counts()) == (1, False, before)
    assert error_codes(found) == [
        ("unknown_item", 3, "item_id"),
        ("duplicate_judgement", 5, "item_id"),
        ("empty_value", 6, "annotator"),
        ("unknown_value", 6, "preference"),
        ("empty_value", 7, "item_id"),
    ]
    assert "'q-1', 'q-2', 'q-3'" in found["errors"][0]["message"]
    assert err == "Refused, nothing was imported: 5 errors.\n"


def test_the_same_file_a_second_time_is_refused(may: Study, good: Path) -> None:
    run("may", good)
    before = counts()
    code, _, err = run("may", good)

    assert (code, counts()) == (1, before)
    assert "came in before (said.csv, number 1)" in err


def test_what_somebody_said_comes_in_once_whatever_the_file(
    may: Study, good: Path, tmp_path: Path
) -> None:
    run("may", good)
    again = write(tmp_path, "item_id,annotator,preference\nq-2,bob,tie\nq-3,bob,tie\n", "b.csv")

    found = answer("may", again)

    assert error_codes(found) == [("already_judged", 2, "item_id")]
    assert Judgement.objects.count() == 3


def test_no_slot_is_taken_and_nobody_is_kept_from_judging_blind(may: Study, good: Path) -> None:
    alice = User.objects.get(email="alice@example.org")
    free = Task.objects.filter(state="free").count()
    run("may", good)

    assert Task.objects.filter(state="free").count() == free == 8
    judged = {judge_next(may, alice).task.item_id for _ in range(4)}
    assert judged == set(may.items.values_list("pk", flat=True))
    assert Assignment.objects.get(annotator=alice).judged_count == 4


def test_no_address_of_the_site_shows_an_imported_judgement_to_its_annotator(
    may: Study, good: Path, alice_client: Any
) -> None:
    run("may", good)
    imported = Task.objects.filter(state="imported")

    assert [alice_client.get(f"/tasks/{task.pk}/").status_code for task in imported] == [404] * 3
    assert "imported" not in alice_client.get("/").content.decode()


@pytest.fixture
def alice_client(may: Study) -> Client:
    return client_of(User.objects.get(email="alice@example.org"))


def test_who_has_an_account_is_found_by_address_and_others_cannot_sign_in(
    may: Study, good: Path
) -> None:
    run("may", good)

    alice = Judgement.objects.get(candidate_side="left").annotator
    bob = User.objects.get(name="bob")
    assert (alice.email, alice.outside_of) == ("alice@example.org", None)
    assert (bob.outside_of, bob.is_active, bob.has_usable_password()) == (may, False, False)
    assert bob.email.endswith("@outside.invalid")
    assert not Assignment.objects.filter(annotator=bob).exists()


@pytest.mark.parametrize(
    "made", [{"is_active": True}, {"role": "admin"}, {"password": "pbkdf2_sha256$1$a$b"}]
)
def test_the_database_refuses_to_make_an_account_of_somebody_outside(
    may: Study, good: Path, made: dict[str, Any]
) -> None:
    run("may", good)

    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.filter(name="bob").update(**made)


def test_somebody_outside_is_the_same_person_in_the_next_file_of_the_study(
    may: Study, good: Path, tmp_path: Path
) -> None:
    run("may", good)
    run("may", write(tmp_path, "item_id,annotator,preference\nq-3,bob,tie\n", "b.csv"))
    june = make_study("June", slug="june")
    make_batch(june, 1)
    run("june", write(tmp_path, "item_id,annotator,preference\nq-1,bob,tie\n", "c.csv"))

    assert User.objects.filter(name="bob", outside_of=may).count() == 1
    assert User.objects.filter(name="bob").count() == 2


def test_a_closed_study_and_one_that_is_not_there(may: Study, good: Path) -> None:
    Study.objects.update(state=State.CLOSED)

    assert error_codes(answer("may", good)) == [("study_closed", None, None)]
    assert run("june", good)[2] == "No study is called 'june'. Studies: may.\n"


def test_nothing_is_left_of_a_file_that_breaks_off(
    may: Study, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counts()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE annotate_rating ADD CONSTRAINT none CHECK (preference <> 1)")

    with pytest.raises(IntegrityError), transaction.atomic():
        run("may", good)

    assert counts() == before


def test_a_claim_after_an_import_is_the_same_task_as_without(tmp_path: Path) -> None:
    """What annotators get does not depend on what came in from elsewhere."""
    claimed = []
    for slug in ("with", "without"):
        alice = make_user(f"Alice {slug}")
        study = make_study("Twin", slug=slug, annotators=[alice])
        make_batch(study, 5)
        if slug == "with":
            text = f"item_id,annotator,preference\nq-1,{alice.email},tie\nq-2,{alice.email},1\n"
            assert answer(slug, write(tmp_path, text))["accepted"]
        task = claim_task(study, alice)
        claimed.append((task.item.item_id, task.candidate_side, task.slot))

    assert claimed[0] == claimed[1]
