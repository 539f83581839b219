"""Exports of other tools read: each recognised by its content."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from annotate.parsing.judgements import JudgementReport
from tests.annotate.judgement_inputs import codes, read, read_json, strengths

# Label Studio.


def task(*annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"id": 1, "data": {"item_id": "q1", **data}, "annotations": list(annotations)}


def annotation(who: Any, *results: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"id": 5, "completed_by": who, "was_cancelled": False, "result": list(results), **fields}


def result(name: str, kind: str, **value: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "a,b", "type": kind, "value": value}


def test_label_studio_in_all_its_controls() -> None:
    whole = task(
        annotation(
            {"id": 3, "email": "ann@x.org"},
            result("pw", "pairwise", selected="left"),
            result("correctness", "choices", choices=["tie"]),
            result("tone_baseline", "rating", rating=4),
            result("tone_candidate", "rating", rating=2),
            result("why", "textarea", text=["too long"]),
            lead_time=31.25,
            created_at="2026-03-01T12:00:00.000000Z",
        ),
        annotation(8, result("tie", "choices", choices=["Tie"])),
        annotation(9, result("pw", "pairwise", selected="right"), was_cancelled=True),
    )
    said, report = read_json([whole], left="baseline")

    assert (report.errors, report.recognised) == ([], "an export of Label Studio (JSON)")
    assert report.left_out == {"skipped by the annotator": 1}
    assert strengths(said) == [("q1", "ann@x.org", -1), ("q1", "8", 0)]
    assert said[0].scores == {"tone": (4, 2)}
    assert said[0].comparisons == {"correctness": 0}
    assert (said[0].seconds, said[0].comment, said[0].side) == (31.25, "too long", "right")


def test_label_studio_does_not_say_which_output_was_left() -> None:
    chosen = annotation(1, result("pw", "pairwise", selected="left"))
    _, report = read_json([task(chosen, annotation(2, result("pw", "pairwise", selected="left")))])
    by_column, _ = read_json([task(chosen, left="new-model")])

    assert report.left_out == {}

    assert codes(report) == [("which_side", 1, "pw")]
    assert "--left baseline" in report.errors[0].message
    assert strengths(by_column) == [("q1", "1", 1)]


def test_a_tie_chosen_beside_a_side_is_a_tie_and_a_contradiction_is_none() -> None:
    pairwise = result("pw", "pairwise", selected="right")
    tie, _ = read_json(
        [task(annotation(1, pairwise, result("t", "choices", choices=["tie"])))], left="baseline"
    )
    _, report = read_json(
        [task(annotation(1, pairwise, result("t", "choices", choices=["baseline"])))],
        left="baseline",
    )

    assert strengths(tie) == [("q1", "1", 0)]
    assert codes(report) == [("contradiction", 1, "t")]


# Argilla.


def test_argilla_nested_flat_and_before_2_say_the_same() -> None:
    fields = {"prompt": "p"}
    nested = {
        "id": "q1",
        "fields": fields,
        "metadata": {},
        "responses": {
            "preference": [
                {"value": "candidate", "user_id": "u1"},
                {"value": "tie", "user_id": "u2"},
            ],
            "tone_baseline": [{"value": 2, "user_id": "u1"}],
            "tone_candidate": [{"value": 5, "user_id": "u1"}],
        },
    }
    flat = {
        "id": "q1",
        "prompt": "p",
        "preference.responses": ["candidate", "tie"],
        "preference.responses.users": ["u1", "u2"],
        "preference.responses.status": ["submitted", "submitted"],
        "tone_baseline.responses": [2],
        "tone_baseline.responses.users": ["u1"],
        "tone_candidate.responses": [5],
        "tone_candidate.responses.users": ["u1"],
    }
    old = {
        "external_id": "q1",
        "fields": fields,
        "responses": [
            {
                "values": {
                    "preference": {"value": "candidate"},
                    "tone_baseline": {"value": 2},
                    "tone_candidate": {"value": 5},
                },
                "status": "submitted",
                "user_id": "u1",
            },
            {"values": {"preference": {"value": "tie"}}, "status": "submitted", "user_id": "u2"},
        ],
    }
    for record in (nested, flat, old):
        said, report = read_json([record])

        assert (report.errors, report.recognised) == ([], "records of Argilla")
        assert strengths(said) == [("q1", "u1", 1), ("q1", "u2", 0)]
        assert said[0].scores == {"tone": (2, 5)}


def test_argilla_rankings_drafts_and_other_questions() -> None:
    def record(name: str, value: Any, **more: Any) -> dict[str, Any]:
        return {
            "id": name,
            "fields": {"prompt": "p"},
            "responses": {"preference": [{"value": value, "user_id": "u1", **more}]},
        }

    ranked = [{"rank": 1, "value": "candidate"}, {"rank": 2, "value": "baseline"}]
    equal = [{"rank": 1, "value": "candidate"}, {"rank": 1, "value": "baseline"}]
    other = record("q4", "tie")
    other["responses"]["fluency"] = [{"value": "3", "user_id": "u1"}]
    said, report = read_json(
        [
            record("q1", ranked),
            record("q2", equal),
            record("q3", "tie", status="discarded"),
            other,
            record("q5", [{"rank": 1, "value": "x"}]),
        ]
    )

    assert strengths(said) == [("q1", "u1", 1), ("q2", "u1", 0), ("q4", "u1", 0)]
    assert report.left_out == {"drafts and discarded responses": 1}
    assert [warning.code for warning in report.warnings] == ["unknown_question"]
    assert {fault.code for fault in report.errors} == {"unknown_value"}


# Battles.


def battle(number: str, winner: str, **fields: Any) -> dict[str, Any]:
    turns = [
        [{"role": "user", "content": "Why?"}, {"role": "assistant", "content": answer}]
        for answer in ("Because.", "So.")
    ]
    return {
        "question_id": number,
        "model_a": "new-model",
        "model_b": "old-model",
        "winner": winner,
        "judge": "arena_user_1",
        "conversation_a": turns[0],
        "conversation_b": turns[1],
        "turn": 1,
        "anony": True,
        "language": "English",
        "tstamp": 1690000000.0,
        **fields,
    }


def test_battles_in_both_vocabularies_keep_both_bad_apart() -> None:
    winners = ("model_a", "model_b", "tie", "tie (bothbad)", "both_bad", "bothbad")
    said, report = read_json([battle(f"b{n}", winner) for n, winner in enumerate(winners)])

    assert (report.errors, report.recognised) == ([], "battles of LMArena")
    assert [(one.strength, one.both_bad) for one in said] == [
        (1, False),
        (-1, False),
        (0, False),
        (0, True),
        (0, True),
        (0, True),
    ]
    assert {one.side for one in said} == {"left"}
    assert (said[0].prompt, said[0].baseline_output, said[0].candidate_output) == (
        "Why?",
        "So.",
        "Because.",
    )


def test_battles_turned_round_prefer_the_same_model() -> None:
    said, _ = read_json([battle("b1", "model_a", model_a="old-model", model_b="new-model")])

    assert [(one.strength, one.side, one.candidate_output) for one in said] == [
        (-1, "right", "So.")
    ]


def test_a_time_of_a_tool_that_is_none_keeps_nothing_out() -> None:
    known, _ = read_json([battle("b1", "tie")])
    said, report = read_json([battle("b1", "tie", tstamp=1690.0), battle("b2", "tie", tstamp="?")])

    assert (report.errors, [one.judged_at for one in said]) == ([], [None, None])
    assert [(one.code, one.message) for one in report.warnings] == [
        ("no_time", "Line 1: found '1690.0', which is no time: these are kept without one.")
    ]
    assert known[0].judged_at == datetime(2023, 7, 22, 4, 26, 40, tzinfo=UTC)


def test_other_models_are_left_out_and_counted() -> None:
    rows = [battle("b1", "tie"), battle("b2", "tie", model_b="third"), battle("b3", "error")]
    said, report = read_json(rows)

    assert [one.item_id for one in said] == ["b1"]
    assert report.left_out == {"battles of other models": 1, "battles without a winner": 1}
    assert report.models == {"new-model": 3, "old-model": 2, "third": 1}


def test_the_models_are_told_or_asked_for() -> None:
    rows = [battle("b1", "model_a", model_a="fern", model_b="moss")]
    _, report = read_json(rows)
    said, _ = read_json(rows, baseline="fern", candidate="moss")
    _, none = read_json(rows, baseline="fern", candidate="heath")

    assert codes(report) == [("which_models", None, None)]
    assert "'fern' (1), 'moss' (1)" in report.errors[0].message
    assert [one.strength for one in said] == [-1]
    assert codes(none) == [("no_judgements", None, None)]


def test_sessions_name_who_judged_and_nobody_is_warned_of() -> None:
    session = battle("b1", "tie", evaluation_session_id="s-1")
    del session["judge"]
    nobody = battle("b2", "tie")
    del nobody["judge"]
    said, report = read_json([session, nobody])

    assert [one.annotator for one in said] == ["s-1", "anonymous"]
    assert [warning.code for warning in report.warnings] == ["nobody_named"]


def test_content_in_parts_is_text() -> None:
    parts = [{"type": "text", "text": "Why?", "image": None}]
    asked = [{"role": "user", "content": parts}, {"role": "assistant", "content": "A"}]
    said, _ = read_json([battle("b1", "tie", conversation_a=asked)])

    assert (said[0].prompt, said[0].candidate_output) == ("Why?", "A")


def test_mt_bench_keeps_the_turns_apart() -> None:
    def row(turn: int) -> dict[str, Any]:
        turns = [
            {"role": role, "content": f"{role} {n}"}
            for n in (1, 2)
            for role in ("user", "assistant")
        ]
        return {
            "question_id": 81,
            "model_a": "old-model",
            "model_b": "new-model",
            "winner": "model_b",
            "judge": ["expert_17"],
            "conversation_a": turns,
            "conversation_b": turns,
            "turn": turn,
        }

    said, report = read_json([row(1), row(2)])

    assert report.recognised == "human judgements of MT-bench"
    assert [(one.item_id, one.alternative, one.annotator) for one in said] == [
        ("81-turn-1", "81", "expert_17"),
        ("81-turn-2", "", "expert_17"),
    ]
    assert said[0].prompt == "user 1"
    assert json.loads(said[1].prompt or "")[1]["content"] == "user 2"


def test_the_csv_of_55000_battles() -> None:
    header = (
        "id,model_a,model_b,prompt,response_a,response_b,winner_model_a,winner_model_b,winner_tie\n"
    )
    said, report = read(
        header
        + '1,new-model,old-model,"[""Why?""]","[""A""]","[""B""]",0,1,0\n'
        + '2,new-model,old-model,"[""Why?""]","[""A""]","[""B""]",0,0,1\n'
        + '3,new-model,old-model,"[""Why?""]","[""A""]","[""B""]",1,1,0\n'
        + '4,third,old-model,"[""Why?""]","[""A""]","[""B""]",1,0,0\n'
    )

    assert [(one.strength, one.prompt, one.candidate_output) for one in said] == [
        (-1, "Why?", "A"),
        (0, "Why?", "A"),
    ]
    assert codes(report) == [("unknown_value", 4, "winner_model_a")]
    assert report.left_out == {"battles of other models": 1}


# AlpacaEval.


@pytest.mark.parametrize(
    ("preference", "strength"),
    [(1, -1), (1.0, -1), (2.0, 1), (1.5, 0), (0, 0), (0.0, 0), (1.01, -1), (1.99, 1)],
)
def test_preferences_of_alpaca_eval(preference: float, strength: int) -> None:
    said, _ = read_json([alpaca(preference)])

    assert [one.strength for one in said] == [strength]


def alpaca(preference: Any) -> dict[str, Any]:
    return {
        "instruction": "Why?",
        "output_1": "Because.",
        "generator_1": "fern",
        "output_2": "So.",
        "generator_2": "moss",
        "annotator": "judge",
        "preference": preference,
    }


def test_failed_annotations_are_left_out_and_odd_numbers_refused() -> None:
    said, report = read_json([alpaca(2), alpaca(None), alpaca(3)])

    assert (len(said), report.left_out) == (1, {"annotations that failed": 1})
    assert codes(report) == [("unknown_value", 1, "preference")]
    assert (said[0].item_id, said[0].prompt, said[0].baseline_output) == ("", "Why?", "Because.")


def test_the_generators_may_be_named_the_other_way_round() -> None:
    said, _ = read_json([alpaca(2)], baseline="moss", candidate="fern")
    _, none = read_json([alpaca(2)], candidate="heath")

    assert [(one.strength, one.candidate_output) for one in said] == [(-1, "Because.")]
    assert none.left_out == {"comparisons of other models": 1}


def soft_mean(report: JudgementReport) -> str:
    return "".join(one.message for one in report.warnings if one.code == "soft_mean")


def test_the_win_rate_of_a_soft_judge_is_told_as_the_judge_weighed_it() -> None:
    rows = [alpaca(1.2), alpaca(1.9), alpaca(2), alpaca(1.5), alpaca(None)]
    _, report = read_json(rows)
    _, turned = read_json(rows, baseline="moss", candidate="fern")

    # Weights 0.2, 0.9, 1, 0.5: mean 0.65, standard deviation 0.36968, error 0.18484.
    assert "the candidate wins 65.00\u202f% (28.77 to 100.00\u202f% at" in soft_mean(report)
    assert "standard error 18.48 points) of 4 comparisons" in soft_mean(report)
    assert "the candidate wins 35.00\u202f% (0.00 to 71.23\u202f% at" in soft_mean(turned)


def test_the_win_rate_of_a_judge_who_chose_is_left_to_the_pages() -> None:
    _, report = read_json([alpaca(1), alpaca(2), alpaca(1.5), alpaca(0)])
    _, one = read_json([alpaca(1.3)])

    assert soft_mean(report) == ""
    assert "wins 30.00\u202f% of 1 comparison, taken" in soft_mean(one)
