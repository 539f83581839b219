"""Spreadsheets of judgements read: long and wide, every fault at its place."""

import json
from datetime import UTC, datetime

import pytest

from annotate.parsing.judgements import Said
from tests.annotate.judgement_inputs import codes, read, read_json, strengths


def test_a_long_table_is_read_with_all_that_it_says() -> None:
    said, report = read(
        "item_id,annotator,preference,candidate_side,seconds,judged_at,comment,correctness,"
        "tone_baseline,Tone of voice candidate\n"
        "q1,ann@x.org,candidate,left,12.5,2026-01-01T10:00:00+02:00,fine,baseline,3,5\n"
    )

    assert (report.errors, report.rows, report.format) == ([], 1, "csv")
    assert report.recognised == "a table with a row for each judgement"
    assert said == [
        Said(
            row=1,
            line=2,
            annotator="ann@x.org",
            strength=1,
            item_id="q1",
            side="left",
            seconds=12.5,
            judged_at=datetime(2026, 1, 1, 8, tzinfo=UTC),
            comment="fine",
            comparisons={"correctness": -1},
            scores={"tone": (3, 5)},
        )
    ]


@pytest.mark.parametrize(
    ("written", "strength", "both_bad"),
    [
        ("baseline", -1, False),
        ("Candidate", 1, False),
        ("tie", 0, False),
        ("both_bad", 0, True),
        ("Both bad", 0, True),
        ("Tie (both bad)", 0, True),
        ("no preference", 0, False),
        ("-3", -3, False),
        ("+2", 2, False),
        ("\u22121", -1, False),
        ("0", 0, False),
        ("2.0", 2, False),
        ("NEW-MODEL", 1, False),
        ("old-model", -1, False),
    ],
)
def test_each_spelling_of_a_preference(written: str, strength: int, both_bad: bool) -> None:
    said, report = read(f'item_id,annotator,preference\nq1,ann,"{written}"\n')

    assert report.errors == []
    assert [(one.strength, one.both_bad) for one in said] == [(strength, both_bad)]


@pytest.mark.parametrize("written", ["4", "-4", "1.5", "better", "A", "1e400", "nan", "2,"])
def test_other_words_are_refused_with_those_that_are_known(written: str) -> None:
    said, report = read(f'item_id,annotator,preference\nq1,ann,"{written}"\n')

    assert (said, codes(report)) == ([], [("unknown_value", 2, "preference")])
    assert "from -3 to 3" in report.errors[0].message


def test_json_lines_and_arrays_and_tsv_are_the_same_table() -> None:
    rows = [{"item_id": 7, "annotator": 3, "preference": -2, "seconds": 4}]
    lines, _ = read("\n".join(map(json.dumps, rows)), "said.jsonl")
    array, _ = read_json(rows)
    tabs, _ = read("item_id\tannotator\tpreference\tseconds\n7\t3\t-2\t4\n", "said.tsv")

    assert lines == array
    assert strengths(tabs) == strengths(lines) == [("7", "3", -2)]


def test_every_fault_is_told_at_once() -> None:
    said, report = read(
        "item_id,annotator,preference,candidate_side,seconds,judged_at,correctness,tone_baseline,"
        "tone_candidate\n"
        "q1,ann,maybe,up,-1,yesterday,hm,9,\n"
        ",,,,,,,,\n"
        "q3,,tie,,,,,,\n"
        "q4,ann,,,,,,2,\n"
    )

    assert said == []
    assert codes(report) == [
        ("unknown_value", 2, "candidate_side"),
        ("unknown_value", 2, "preference"),
        ("unknown_value", 2, "correctness"),
        ("unknown_value", 2, "tone_baseline"),
        ("unknown_value", 2, "seconds"),
        ("unknown_value", 2, "judged_at"),
        ("empty_value", 3, "item_id"),
        ("empty_value", 3, "annotator"),
        ("empty_value", 3, "preference"),
        ("empty_value", 4, "annotator"),
        ("empty_value", 5, "preference"),
        ("half_a_score", 5, "tone_candidate"),
    ]


def test_a_wide_table_is_recognised_and_its_empty_cells_are_no_judgements() -> None:
    said, report = read("item_id,ann,bob,note\nq1,candidate,,why\nq2,-2,tie,how\n")

    assert report.errors == []
    assert report.recognised == "a table with a row for each item and a column for each person"
    assert strengths(said) == [("q1", "ann", 1), ("q2", "ann", -2), ("q2", "bob", 0)]
    assert report.columns == {
        "item_id": "item_id",
        "ann": "votes",
        "bob": "votes",
        "note": "ignore",
    }


def test_columns_of_numbers_that_may_be_anything_are_asked_about() -> None:
    table = "item_id,ann,difficulty\nq1,1,3\nq2,0,2\n"
    said, report = read(table)
    told, _ = read(table, mapping={"ann": "votes"})

    assert (said, codes(report)) == ([], [("unsure_columns", None, "ann")])
    assert strengths(told) == [("q1", "ann", 1), ("q2", "ann", 0)]


def test_columns_with_other_names_are_mapped() -> None:
    said, report = read(
        "a=b,wer,was,egal\nq1,ann,tie,x\n",
        mapping={"a=b": "item_id", "wer": "annotator", "was": "preference", "egal": "ignore"},
    )

    assert (report.errors, report.warnings) == ([], [])
    assert strengths(said) == [("q1", "ann", 0)]


@pytest.mark.parametrize(
    ("mapping", "code"),
    [
        ({"absent": "item_id"}, "unknown_column_mapping"),
        ({"what": "nothing"}, "unknown_field"),
        ({"who": "annotator", "what": "annotator"}, "field_twice"),
    ],
)
def test_mappings_that_make_no_sense(mapping: dict[str, str], code: str) -> None:
    _, report = read("item_id,who,what,preference\nq1,a,b,tie\n", mapping=mapping)

    assert code in [fault.code for fault in report.errors]


def test_a_table_without_a_preference_says_what_it_needs() -> None:
    _, report = read("item_id,annotator,opinion\nq1,ann,fine\n")

    assert codes(report) == [("missing_column", None, "preference")]
    assert "Columns: 'item_id', 'annotator', 'opinion'." in report.errors[0].message


def test_a_table_of_one_person_needs_their_name() -> None:
    table = "item_id,preference\nq1,tie\n"
    _, report = read(table)
    said, _ = read(table, annotator="ann")

    assert codes(report) == [("missing_column", None, "annotator")]
    assert strengths(said) == [("q1", "ann", 0)]


def test_two_columns_of_one_name_are_refused() -> None:
    _, report = read("item_id,annotator,preference,preference\nq1,ann,tie,candidate\n")

    assert codes(report) == [("duplicate_column", None, "preference")]


def test_strength_and_preference_must_agree() -> None:
    said, report = read(
        "item_id,annotator,preference,strength\nq1,ann,candidate,3\nq2,ann,both_bad,0\n"
        "q3,ann,baseline,2\n"
    )

    assert codes(report) == [("contradiction", 4, "strength")]
    assert [(one.strength, one.both_bad) for one in said] == [(3, False), (0, True)]


def test_left_and_right_need_to_know_what_stood_where() -> None:
    table = "item_id,annotator,preference\nq1,ann,left\n"
    _, report = read(f"{table}q2,ann,right\nq3,ann,left\n")
    baseline, _ = read(table, left="baseline")
    candidate, _ = read(table, left="candidate")
    column, _ = read("item_id,annotator,preference,candidate_side\nq1,ann,left,right\n")

    assert codes(report) == [("which_side", 2, "preference")]
    assert [(one.strength, one.side) for one in (*baseline, *candidate, *column)] == [
        (-1, "right"),
        (1, "left"),
        (-1, "right"),
    ]


def test_numbers_that_never_prefer_the_baseline_are_warned_of() -> None:
    rows = "".join(f"q{n},ann,{n % 3}\n" for n in range(30))
    _, report = read("item_id,annotator,preference\n" + rows)
    _, fine = read("item_id,annotator,preference\nq99,ann,-1\n" + rows)

    assert [warning.code for warning in report.warnings] == ["no_negative"]
    assert fine.warnings == []


def test_characters_that_cannot_be_stored_are_refused() -> None:
    _, report = read_json([{"item_id": "q\x001", "annotator": "ann", "preference": "tie"}])

    assert codes(report) == [("unknown_value", 1, "item_id")]
    assert "NUL" in report.errors[0].message


def test_bytes_that_are_not_utf8_are_refused_with_their_place() -> None:
    _, report = read("item_id,annotator,preference\nq1,M\udcfcller,tie\n")

    assert report.accepted is False
    assert report.errors[0].line == 2


def test_an_empty_file_and_one_of_a_header_alone() -> None:
    _, empty = read("")
    _, header = read("item_id,annotator,preference\n")

    assert [fault.code for fault in empty.errors] == ["empty_file"]
    assert [fault.code for fault in header.errors] == ["no_rows"]
