"""Whose items imported judgements are: found by id or texts, brought along, and sent out again."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command

from annotate.models import (
    Batch,
    Judgement,
    Study,
    Task,
    User,
)
from tests.annotate.judgement_inputs import CRITERIA, GOOD, answer, counts, error_codes, run, write
from tests.factories import judge_next, make_batch, make_study, make_user, rows_of

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
