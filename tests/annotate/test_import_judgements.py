"""manage.py import_judgements: whole or not at all, apart from the slots, by whoever judged."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from annotate.claiming import claim_task
from annotate.models import (
    Assignment,
    Batch,
    Item,
    Judgement,
    JudgementImport,
    Rating,
    State,
    Study,
    Task,
    User,
)
from tests.factories import judge_next, make_batch, make_study, make_user, rows_of

pytestmark = pytest.mark.django_db

HEADER = "item_id,annotator,preference,candidate_side,seconds,judged_at,correctness,"
GOOD = (
    f"{HEADER}tone_baseline,tone_candidate\n"
    "q-1,alice@example.org,candidate,left,12.5,2026-01-01T10:00:00Z,tie,3,5\n"
    "q-2,bob,-2,,,,,,\n"
    "q-1,bob,both_bad,right,,,candidate,,\n"
)
CRITERIA = [("correctness", "comparative"), ("tone", "score")]


@pytest.fixture
def may() -> Study:
    alice = make_user("Alice")
    study = make_study("May", slug="may", criteria=CRITERIA, annotators=[alice], overlap=2)
    make_batch(study, 4)
    return study


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path, GOOD)


def write(folder: Path, text: str, name: str = "said.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def run(*args: Any) -> tuple[int, str, str]:
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_judgements", *map(str, args), stdout=out, stderr=err)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, out.getvalue(), err.getvalue()


def answer(*args: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*args, "--json")[1])
    return found


def error_codes(found: dict[str, Any]) -> list[tuple[str, int | None, str | None]]:
    return [(error["code"], error["line"], error["column"]) for error in found["errors"]]


def counts() -> tuple[int, ...]:
    models = (Judgement, Rating, JudgementImport, Task, Item, Batch, User)
    return tuple(model.objects.count() for model in models)


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
def alice_client(may: Study) -> Any:
    from tests.conftest import client_of  # noqa: PLC0415 (the fixture of that name is another)

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


def test_ids_that_two_batches_share_are_asked_about(may: Study, tmp_path: Path) -> None:
    make_batch(may, rows_of(4, category="other"), name="second")
    table = "item_id,annotator,preference{}\nq-1,bob,tie{}\n"
    unclear = answer("may", write(tmp_path, table.format("", ""), "a.csv"))
    by_number = answer("may", write(tmp_path, table.format(",batch", ",1"), "b.csv"))
    by_name = answer("may", write(tmp_path, table.format(",batch", ",second"), "c.csv"))

    assert error_codes(unclear) == [("ambiguous_item", 2, "item_id")]
    assert "batches 1, 2" in unclear["errors"][0]["message"]
    assert (by_number["accepted"], by_name["accepted"]) == (True, True)
    assert list(
        Judgement.objects.order_by("created_at").values_list("task__item__batch__number", flat=True)
    ) == [1, 2]


def test_items_without_ids_are_found_by_their_prompt(tmp_path: Path) -> None:
    study = make_study("June", slug="june")
    rows = [{"prompt": "Why?", "baseline_output": "a", "candidate_output": "b"}] * 2
    make_batch(study, [{**rows[0], "candidate_output": "c"}, rows[1]])
    one = "prompt,annotator,preference\nWhy?,bob,tie\n"
    unclear = answer("june", write(tmp_path, one, "a.csv"))
    whole = "prompt,output_a,output_b,annotator,preference\nWhy?,a,b,bob,tie\n"
    found = answer("june", write(tmp_path, whole, "b.csv"))
    wrong = answer("june", write(tmp_path, whole.replace("a,b,bob", "a,x,bob"), "c.csv"))

    assert error_codes(unclear) == [("ambiguous_item", 2, "prompt")]
    assert found["accepted"]
    assert Judgement.objects.get().task.item.candidate_output == "b"
    assert error_codes(wrong) == [("unknown_item", 2, "prompt")]


def test_outputs_that_are_others_are_warned_of_and_exchanged_ones_refused(
    may: Study, tmp_path: Path
) -> None:
    table = "item_id,output_a,output_b,annotator,preference\n"
    first, second = "First answer to 1.", "Second answer to 1."
    other = answer("may", write(tmp_path, f"{table}q-1,{first},else,bob,tie\n", "a.csv"))
    swapped = answer("may", write(tmp_path, f"{table}q-1,{second},{first},zoe,tie\n", "b.csv"))

    assert (other["accepted"], [w["code"] for w in other["warnings"]]) == (True, ["other_texts"])
    assert [code for code, _, _ in error_codes(swapped)] == ["swapped_outputs"]


def test_a_closed_study_and_one_that_is_not_there(may: Study, good: Path) -> None:
    Study.objects.update(state=State.CLOSED)

    assert error_codes(answer("may", good)) == [("study_closed", None, None)]
    assert run("june", good)[2] == "No study is called 'june'. Studies: may.\n"


def test_a_whole_finished_study_comes_in_with_its_items(may: Study, tmp_path: Path) -> None:
    rows = [
        {
            "item_id": f"x-{n}",
            "prompt": f"Why {n}?",
            "output_a": "Because.",
            "output_b": "",
            "category": "why",
            "annotator": who,
            "preference": "baseline",
        }
        for n in range(3)
        for who in ("ann", "bob")
    ]
    path = write(tmp_path, "\n".join(map(json.dumps, rows)), "study.jsonl")
    alone = answer("may", path)
    found = answer("may", path, "--with-items")
    again = answer("may", write(tmp_path, path.read_text() + "\n", "n.jsonl"), "--with-items")

    assert [code for code, _, _ in error_codes(alone)] == ["unknown_item"] * 6
    batch = Batch.objects.get(name="study")
    assert (found["accepted"], found["batch"], found["judgements"]) == (True, batch.pk, 6)
    assert (batch.item_count, Task.objects.filter(item__batch=batch, state="free").count()) == (
        3,
        6,
    )
    assert [code for code, _, _ in error_codes(again)] == ["items_exist"]


def test_items_with_faults_bring_nothing_in(may: Study, tmp_path: Path) -> None:
    before = counts()
    rows = [
        {"item_id": "x", "prompt": "Why?", "output_a": "a", "output_b": "b"},
        {"item_id": "x", "prompt": "Why?", "output_a": "a", "output_b": "else"},
        {"item_id": "y", "prompt": "Why?"},
    ]
    said = [row | {"annotator": f"p{n}", "preference": 1} for n, row in enumerate(rows)]
    path = write(tmp_path, "\n".join(map(json.dumps, said)), "study.jsonl")

    found = answer("may", path, "--with-items")

    assert error_codes(found) == [("item_differs", 2, None), ("no_texts", 3, None)]
    assert counts() == before


def test_an_export_of_another_study_comes_in_as_it_went_out(may: Study, tmp_path: Path) -> None:
    alice = User.objects.get(email="alice@example.org")
    for choice in (-1, 0, 1):
        judge_next(may, alice, choice, comment='=because, of "this"')
    june = make_study("June", slug="june", criteria=CRITERIA)
    make_batch(june, 4)
    for format in ("jsonl", "csv"):
        path = tmp_path / f"out.{format}"
        call_command("export", "may", "judgements", "--format", format, "--output", str(path))
        checked = answer("june", path, "--check")
        assert (checked["accepted"], checked["judgements"]) == (True, 3)
        assert checked["recognised"] == "an export of judgements of this product"

    answer("june", path)

    columns = ("task__item__item_id", "annotator", "preference", "candidate_side", "choice")
    more = ("scale", "both_bad", "comment", "active_ms")
    out, into = (
        set(Judgement.objects.filter(study=study).values_list(*columns, *more))
        for study in (may, june)
    )
    assert out == into
    assert len(out) == 3


def test_exports_name_the_source_and_who_judged(may: Study, good: Path) -> None:
    run("may", good)
    judge_next(may, User.objects.get(email="alice@example.org"))
    path = good.with_name("out.jsonl")
    call_command("export", "may", "judgements", "--format", "jsonl", "--output", str(path))

    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted((row["source"], row["annotator"]) for row in rows) == [
        ("blind", "alice@example.org"),
        ("imported", "alice@example.org"),
        ("imported", "bob"),
        ("imported", "bob"),
    ]
    assert {row["judged_at"] for row in rows if row["annotator"] == "bob"} == {None}


def test_tools_that_repeat_themselves_are_heard_once(may: Study, tmp_path: Path) -> None:
    battle = {"question_id": "q-1", "model_a": "x", "model_b": "y", "winner": "tie", "judge": "j"}
    path = write(tmp_path, json.dumps([battle, battle | {"winner": "model_a"}]), "said.json")

    found = answer("may", path, "--baseline", "x", "--candidate", "y")

    assert (found["accepted"], found["judgements"]) == (True, 1)
    assert found["left_out"] == {"said again of the same item": 1}
    assert Judgement.objects.get().preference == 0


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


def test_items_without_ids_that_came_in_before_are_refused_in_words(tmp_path: Path) -> None:
    make_study("June", slug="june")
    row = {"prompt": "Why?", "output_a": "a", "output_b": "b", "preference": 1}
    first = write(tmp_path, json.dumps(row | {"annotator": "ann"}), "study.jsonl")
    second = write(tmp_path, json.dumps(row | {"annotator": "bob"}), "more.jsonl")

    assert answer("june", first, "--with-items")["accepted"]
    again = answer("june", second, "--with-items")
    alone = answer("june", second)

    assert [code for code, _, _ in error_codes(again)] == ["already_imported"]
    assert (alone["accepted"], Judgement.objects.count()) == (True, 2)
