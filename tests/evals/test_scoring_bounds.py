"""Scoring ends, whatever schemas, outputs and scorers there are."""

import json
import os
import threading
import time
from typing import Any

import pytest

from annotate.models import Study
from evals.metrics import Expected, ExpectedCall, Output, Scored, ToolCall, Unscored, scorer_for
from evals.models import Score
from evals.scoring import apart, bounded, score_run
from evals.scoring.bounded import is_heavy, is_linear, measure
from evals.scoring.child import CPU_SECONDS
from tests.evals.test_scoring import make_answers

SCHEMA = scorer_for("json_schema")


def doubling(levels: int) -> dict[str, Any]:
    """A small schema that takes twice as long with each level of an answer."""
    deeper: dict[str, Any] = {"d0": {"type": "string"}}
    for level in range(1, levels + 1):
        inner = {"properties": {"a": {"$ref": f"#/$defs/d{level - 1}"}}}
        deeper[f"d{level}"] = {"anyOf": [inner, inner]}
    return {"$defs": deeper, "$ref": f"#/$defs/d{levels}"}


def nested(levels: int) -> str:
    return '{"a":' * levels + "1" + "}" * levels


@pytest.fixture(autouse=True)
def no_strikes() -> None:
    bounded._strikes.clear()


def test_a_schema_that_would_take_years_is_stopped_and_the_next_answer_is_scored() -> None:
    started = time.monotonic()

    result = measure(SCHEMA, Output(text=nested(40)), Expected(schema=doubling(40)))

    assert result == Unscored(f"scoring was stopped after {CPU_SECONDS} s of computing")
    assert time.monotonic() - started < 60

    choice = Expected(schema={"anyOf": [{"type": "integer"}, {"type": "null"}]})

    assert isinstance(right := measure(SCHEMA, Output(text="3"), choice), Scored)
    assert right.passed
    assert isinstance(wrong := measure(SCHEMA, Output(text='"3"'), choice), Scored)
    assert wrong.passed is False


def test_the_same_hostile_schema_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "STRIKES", 1)
    hostile = Expected(schema=doubling(40))
    measure(SCHEMA, Output(text=nested(40)), hostile)
    started = time.monotonic()

    result = measure(SCHEMA, Output(text=nested(39)), hostile)

    assert isinstance(result, Unscored)
    assert result.reason.startswith("not tried: ")
    assert time.monotonic() - started < 1


def test_a_hostile_case_fails_no_run(study: Study) -> None:
    cases = [
        {"expected": {"schema": doubling(40)}},
        {"expected": {"schema": {"type": "object"}}},
    ]
    run = make_answers(study, [{"text": nested(40)}] * 2, cases)

    score_run(run)

    stopped, scored = Score.objects.order_by("generation__position")
    assert stopped.value is None
    assert "stopped after" in stopped.reason
    assert scored.passed


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {"type": ["string", "null"], "pattern": "^a"},
        {"type": "object", "properties": {"oneOf": {"type": "array", "items": {"enum": [{}]}}}},
        {"properties": {"a": {"additionalProperties": {"const": {"anyOf": 1}}}}},
    ],
)
def test_plain_schemas_are_checked_right_here(schema: Any) -> None:
    assert is_linear(schema)
    assert not is_heavy(SCHEMA, Output(text="{}"), Expected(schema=schema))


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"type": "object"}]},
        {"properties": {"a": {"items": {"$ref": "#"}}}},
        {"type": "array", "uniqueItems": True},
        {"something": {"of": "tomorrow"}},
    ],
)
def test_schemas_with_choices_are_checked_apart(schema: Any) -> None:
    assert is_heavy(SCHEMA, Output(text="{}"), Expected(schema=schema))


def test_apart_and_here_say_the_same() -> None:
    expected = Expected(answers=("the cat sat",), schema={"anyOf": [{"type": "integer"}]})
    for name in ("json_schema", "rouge_l", "bleu", "exact_match", "tool_calls"):
        scorer = scorer_for(name)
        for output in (Output(text="the cat"), Output(text="7"), Output(error="timeout")):
            assert apart.CHILD.ask(scorer, output, expected) == scorer(output, expected)


def test_hundreds_of_calls_are_compared_in_time() -> None:
    calls = tuple(ToolCall("f", json.dumps({"a": number})) for number in range(3_000))
    wanted = tuple(ExpectedCall("f", {}) for _ in range(300))
    started = time.monotonic()

    result = measure(
        scorer_for("tool_calls"), Output(tool_calls=calls), Expected(tool_calls=wanted)
    )

    assert isinstance(result, Scored | Unscored)
    assert time.monotonic() - started < 60


def test_a_megabyte_of_text_is_scored_or_stopped() -> None:
    words = " ".join(f"w{number % 5_000}" for number in range(180_000))
    started = time.monotonic()
    for name in ("rouge_l", "chrf", "bleu", "exact_match", "contains", "numeric", "refusal"):
        expected = Expected(answers=(words[::-1],), refuse=True)
        result = measure(scorer_for(name), Output(text=words), expected)
        assert isinstance(result, Scored | Unscored), name
    assert time.monotonic() - started < 120


def test_threads_that_score_apart_get_their_own_answers() -> None:
    schema = {"anyOf": [{"type": "integer", "minimum": 5}]}
    wrong: list[int] = []

    def score(first: int) -> None:
        for number in range(first, 40, 4):
            result = measure(SCHEMA, Output(text=str(number)), Expected(schema=schema))
            if not isinstance(result, Scored) or result.passed != (number >= 5):
                wrong.append(number)

    threads = [threading.Thread(target=score, args=[first]) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_the_process_apart_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHSTONE_SECRET_KEY", "canary")
    apart.CHILD.close()
    apart.CHILD.ask(SCHEMA, Output(text="1"), Expected(schema=True))
    process = apart.CHILD._process
    assert process is not None

    with open(f"/proc/{process.pid}/environ", "rb") as environment:
        assert b"canary" not in environment.read()
    assert process.pid != os.getpid()
