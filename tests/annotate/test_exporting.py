"""Exports: every row once, texts exact in JSON Lines, formulas defused in CSV."""

import csv
import io
import json
import os
import threading
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client

from annotate import exporting
from annotate.claiming import claim_task
from annotate.exporting import export_lines
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Judgement, Study, Task, User
from tests.factories import assign, judge_next, make_batch, make_study, make_user

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "＝1", "'quoted", "plain"]


def lines(study: Study, kind: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in export_lines(study, kind, "jsonl")]


def table(study: Study, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO("".join(export_lines(study, kind, "csv")), newline="")))


@pytest.fixture
def judged(alice: User) -> Study:
    """One item with two criteria, judged and corrected."""
    study = make_study(
        criteria=[("safety", "comparative"), ("style", "score")], overlap=1, annotators=[alice]
    )
    make_batch(study, 1)
    for choice in (1, -1):
        task = Task.objects.filter(annotator=alice).first() or claim_task(study, alice)
        said = Answers(
            choice=choice,
            comparisons={"safety": 0},
            scores={"style": (5, 1)},
            comment="=HYPERLINK()",
        )
        record_judgement(task.pk, alice, submission_key(task), said)
    return study


@pytest.mark.django_db
def test_items_come_out_as_they_went_in() -> None:
    study = make_study()
    rows = [
        {
            "item_id": f"i{number}",
            "prompt": text,
            "baseline_output": f"a {text}",
            "candidate_output": f"b{text}\r\n",
            "secret_model": "x",
        }
        for number, text in enumerate(["=1", "é \u2028 \U0001f600", ' "quoted", '])
    ]
    make_batch(study, rows)

    exported = lines(study, "items")

    names = ("item_id", "prompt", "baseline_output", "candidate_output")
    assert [{name: row[name] for name in names} for row in exported] == [
        {name: row[name] for name in names} for row in rows
    ]
    assert exported[0]["metadata"] == {"secret_model": "x"}


@pytest.mark.django_db
def test_every_version_of_a_judgement_is_there_and_the_current_one_marked(judged: Study) -> None:
    exported = lines(judged, "judgements")

    assert [(row["version"], row["current"], row["choice"]) for row in exported] == [
        (1, False, 1),
        (2, True, -1),
    ]
    assert all(row["annotator"] == "alice@example.org" for row in exported)
    assert {row["preference"] for row in exported} == {"baseline", "candidate"}


@pytest.mark.django_db
def test_ratings_say_what_was_said_of_each_system(judged: Study) -> None:
    side = Task.objects.get().candidate_side
    safety, style = [row for row in lines(judged, "ratings") if row["current"]]

    assert (safety["criterion"], safety["preference"]) == ("safety", "tie")
    expected = (1, 5) if side == "left" else (5, 1)
    assert (style["baseline_score"], style["candidate_score"]) == expected


@pytest.mark.django_db
def test_no_cell_of_a_csv_begins_a_formula_and_one_character_restores_it() -> None:
    study = make_study()
    make_batch(
        study,
        [
            {"item_id": f"i{n}", "prompt": text, "baseline_output": text, "candidate_output": "c"}
            for n, text in enumerate(FORMULAS)
        ],
    )

    cells = [row["prompt"] for row in table(study, "items")]

    assert cells == [text if text == "plain" else f"'{text}" for text in FORMULAS]


@pytest.mark.django_db
def test_negative_numbers_stay_numbers(judged: Study) -> None:
    assert {row["choice"] for row in table(judged, "judgements")} == {"1", "-1"}


@pytest.mark.django_db
def test_an_empty_study_exports_its_header() -> None:
    study = make_study()

    assert table(study, "judgements") == []
    assert "".join(export_lines(study, "judgements", "csv")).startswith("judgement,item,")


@pytest.mark.django_db(transaction=True)
def test_an_export_is_one_moment_however_slowly_it_is_read(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PIECE", 5)
    study = make_study(overlap=1, annotators=[alice])
    make_batch(study, 60)
    half = make_user()
    assign(study, half)
    for _ in range(30):
        judge_next(study, half)
    export = export_lines(study, "judgements", "jsonl")
    first = [json.loads(next(export))]

    def judge_more() -> None:
        for _ in range(20):
            judge_next(study, alice)
        connection.close()

    writer = threading.Thread(target=judge_more)
    writer.start()
    writer.join()
    rest = [json.loads(line) for line in export]

    assert Judgement.objects.count() == 50
    assert len(first + rest) == 30


@pytest.mark.django_db
def test_a_lead_downloads_an_attachment_that_nothing_runs_in(
    judged: Study, lena_client: Client
) -> None:
    answer = lena_client.get(f"/studies/{judged.slug}/exports/judgements.csv")

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == (f'attachment; filename="{judged.slug}-judgements.csv"')
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert len(b"".join(answer).splitlines()) == 3


@pytest.mark.django_db
def test_kinds_and_formats_that_are_not_are_not_found(judged: Study, lena_client: Client) -> None:
    assert lena_client.get(f"/studies/{judged.slug}/exports/users.csv").status_code == 404
    assert lena_client.get(f"/studies/{judged.slug}/exports/items.xlsx").status_code == 404


@pytest.mark.django_db
def test_the_command_writes_a_whole_file_or_none(judged: Study, tmp_path: object) -> None:
    target = f"{tmp_path}/ratings.jsonl"

    call_command("export", judged.slug, "ratings", "--format", "jsonl", "--output", target)

    with open(target, encoding="utf-8") as file:
        assert len(file.readlines()) == 4
    with pytest.raises(SystemExit) as refused:
        call_command("export", judged.slug, "ratings", "--output", f"{tmp_path}/no/such/folder")
    assert refused.value.code == 1


@pytest.mark.django_db
def test_an_export_to_a_link_or_a_pipe_leaves_it_what_it_is(tmp_path: Path) -> None:
    study = make_study()
    make_batch(study, 2)
    link, pipe = tmp_path / "latest.jsonl", tmp_path / "pipe"
    link.symlink_to(tmp_path / "real.jsonl")
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()

    for output in (link, pipe):
        call_command("export", study.slug, "items", "--format", "jsonl", "--output", str(output))
    reader.join(10)

    assert link.is_symlink()
    assert pipe.is_fifo()
    assert read == [(tmp_path / "real.jsonl").read_text()] == ["".join(lines_of(study))]


def lines_of(study: Study) -> list[str]:
    return list(export_lines(study, "items", "jsonl"))
