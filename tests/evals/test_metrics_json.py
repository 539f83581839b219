"""JSON read strictly, and JSON Schema beside a second implementation and before a trap."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics import (
    Expected,
    Output,
    ParameterError,
    Result,
    Scored,
    Unscored,
    scorer_for,
)

NESTED = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


def scored(result: Result) -> Scored:
    assert isinstance(result, Scored), result
    return result


def reason(result: Result) -> str:
    assert isinstance(result, Unscored), result
    return result.reason


# --- JSON -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('{"a": 1, "a": 2}', "the key 'a' appears twice in one object"),
        ('{"a": NaN}', "NaN is no number JSON can hold"),
        ("[1e400]", "1e400 is no number JSON can hold"),
        ("-Infinity", "-Infinity is no number JSON can hold"),
        ("9" * 5_000, "has too many digits"),
        ("[" * 200_000 + "]" * 200_000, "nested deeper than 100 levels"),
        ('{"a": 1} and more', "Extra data (line 1, character 10)"),
        ("{'a': 1}", "(line 1, character 2)"),
        ('"\\ud800"', "half of a surrogate pair"),
        ('"a\0b"', "Invalid control character"),
        ("", "Expecting value"),
        ('```json\n{"a": 1}\n```', "it stands in a code fence"),
    ],
)
def test_what_is_no_strict_json_is_told_why(text: str, fault: str) -> None:
    result = scored(scorer_for("json_valid")(Output(text), Expected()))

    assert (result.value, result.passed) == (0.0, False)
    assert fault in str(result.parts["fault"])


@given(value=NESTED)
def test_whatever_json_writes_is_json(value: Any) -> None:
    text = json.dumps(value, allow_nan=False)

    assert scored(scorer_for("json_valid")(Output(text), Expected())).value == 1.0


def test_fences_and_the_kind_of_the_value_are_stated_parameters() -> None:
    fenced = Output('```json\n{"a": 1}\n```')

    strip = scorer_for("json_valid", {"fences": "strip", "top": "object"})

    assert scored(strip(fenced, Expected())).value == 1.0
    result = scored(strip(Output("[1]"), Expected()))
    assert result.parts["fault"] == "it is JSON, but no object"


# --- JSON Schema ------------------------------------------------------------------------------

AGREED: list[tuple[Any, list[Any]]] = [
    ({"type": "integer"}, [1, 1.0, 1.5, True, "1", 10**30]),
    ({"type": "number", "multipleOf": 0.01}, [0.07, 4.02, 0.075]),
    ({"type": ["string", "null"], "minLength": 2}, [None, "a", "ab", "🙂", "🙂🙂"]),
    ({"enum": [1, "a", None]}, [1, 1.0, "a", None, False]),
    ({"const": {"a": [1]}}, [{"a": [1]}, {"a": [1.0]}, {"a": [2]}]),
    ({"required": ["a"], "properties": {"a": {"type": "string"}}}, [{}, {"a": 1}, {"a": ""}]),
    ({"additionalProperties": False, "properties": {"a": True}}, [{}, {"a": 1}, {"b": 1}]),
    ({"prefixItems": [{"type": "string"}], "items": False}, [["a"], ["a", 1], [1]]),
    ({"contains": {"type": "integer"}, "minContains": 2}, [[1], [1, 2], ["a"]]),
    ({"uniqueItems": True}, [[1, 1.0], [1, True], [{"a": 1}, {"a": 1}], [[1], [2]]]),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, ["a", 3, 2]),
    ({"oneOf": [{"type": "integer"}, {"minimum": 2}]}, [1, 2.5, 3]),
    ({"not": {"type": "string"}}, ["a", 1]),
    ({"if": {"type": "string"}, "then": {"minLength": 1}, "else": {"minimum": 0}}, ["", "a", -1]),
    ({"dependentRequired": {"a": ["b"]}}, [{"a": 1}, {"a": 1, "b": 2}, {}]),
    ({"unevaluatedProperties": False, "allOf": [{"required": ["a"]}]}, [{"a": 1}, {}]),
    ({"patternProperties": {"^x": {"type": "integer"}}}, [{"x1": 1}, {"x1": "a"}, {"y": "a"}]),
    ({"propertyNames": {"maxLength": 1}}, [{"a": 1}, {"ab": 1}]),
    ({"$defs": {"n": {"type": "array", "items": {"$ref": "#/$defs/n"}}}, "$ref": "#/$defs/n"},
     [[], [[[]]], [1]]),
    ({"type": "string", "format": "date"}, ["2026-02-28", "2026-02-30", "soon"]),
    ({"type": "string", "format": "ipv4"}, ["10.0.0.1", "10.0.0.256"]),
    ({"type": "string", "pattern": "^a+$"}, ["aa", "ab", "aa\n"]),
    (True, [1]),
    (False, [1]),
]  # fmt: skip
# Where the two differ, what ours says, and why.
DIFFERENT = [
    # 0.07 is seven times 0.01 as JSON writes numbers; jsonschema divides binary fractions.
    ({"type": "number", "multipleOf": 0.01}, 0.07, True),
    ({"type": "number", "multipleOf": 0.01}, 4.02, True),
    # Python's `$` also matches before a last line feed. That of ECMA 262, which JSON Schema
    # names, does not.
    ({"type": "string", "pattern": "^a+$"}, "aa\n", False),
]


@pytest.mark.parametrize(("schema", "values"), AGREED)
def test_a_schema_is_read_as_by_the_package_jsonschema(schema: Any, values: list[Any]) -> None:
    theirs = jsonschema.Draft202012Validator(
        schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )
    scorer = scorer_for("json_schema", {"schema": schema})

    for value in values:
        ours = scored(scorer(Output(json.dumps(value)), Expected()))
        known = [mine for of, at, mine in DIFFERENT if (of, at) == (schema, value)]
        expected = known[0] if known else theirs.is_valid(value)
        assert ours.passed is expected, value
        assert not known or theirs.is_valid(value) is not expected
        assert ours.parts["draft"] == "2020-12"
        assert str(ours.parts["engine"]).startswith("jsonschema-rs 0.")


def test_faults_say_where_and_the_case_may_bring_the_schema() -> None:
    schema = {"properties": {"items": {"items": {"type": "integer"}}}, "required": ["id"]}

    result = scored(
        scorer_for("json_schema")(Output('{"items": [1, "two"]}'), Expected(schema=schema))
    )

    assert result.value == 0.0
    faults = result.parts["faults"]
    assert isinstance(faults, tuple)
    assert set(faults) == {
        'items/1: "two" is not of type "integer"',
        'the value: "id" is a required property',
    }
    assert "there is no schema" in reason(scorer_for("json_schema")(Output("{}"), Expected()))
    broken = scorer_for("json_schema")(Output("{}"), Expected(schema={"type": "text"}))
    assert "the schema cannot be used" in reason(broken)


def test_the_draft_is_that_of_the_schema_unless_one_is_stated() -> None:
    seven = {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "string"}]}

    told = scorer_for("json_schema", {"schema": seven})
    stated = scorer_for("json_schema", {"schema": {"id": "x", "type": "object"}, "draft": "4"})

    assert told.signature.engine["read_as"] == "draft 7"
    assert stated.signature.engine["read_as"] == "draft 4"
    assert scored(told(Output("[1]"), Expected())).passed is False


class Trap(BaseHTTPRequestHandler):
    asked: list[str] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def trap() -> Iterator[str]:
    Trap.asked.clear()
    server = HTTPServer(("127.0.0.1", 0), Trap)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/schema.json"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("keyword", ["$ref", "$dynamicRef", "$schema", "$id", "file"])
@pytest.mark.parametrize("draft", ["auto", "4", "7", "2019-09", "2020-12"])
def test_no_reference_is_ever_fetched(keyword: str, draft: str, trap: str, tmp_path: Path) -> None:
    local = tmp_path / "schema.json"
    local.write_text("{}")
    schemas: dict[str, dict[str, Any]] = {
        "$ref": {"$ref": trap},
        "$dynamicRef": {"properties": {"a": {"$dynamicRef": trap, "$ref": trap}}},
        "$schema": {"$schema": trap, "$ref": trap},
        "$id": {"$id": trap, "$ref": "other.json", "id": trap},
        "file": {"$ref": local.as_uri()},
    }

    try:
        scorer = scorer_for("json_schema", {"schema": schemas[keyword], "draft": draft})
        scorer(Output('{"a": {"a": 1}}'), Expected())
        result = None
    except ParameterError as error:
        result = str(error)
    by_case = scorer_for("json_schema", {"draft": draft})
    judged = by_case(Output('{"a": {"a": 1}}'), Expected(schema=schemas[keyword]))

    assert Trap.asked == []
    assert result is not None
    assert "the schema cannot be used" in result
    assert isinstance(judged, Unscored)


def test_the_trap_springs_for_whoever_does_fetch(trap: str) -> None:
    assert jsonschema_rs.validator_for({"$ref": trap}).is_valid(1)

    assert Trap.asked == ["/schema.json"]


@pytest.mark.parametrize(
    ("schema", "cure"),
    [
        ({"pattern": "(?=a)b"}, "Patterns run in linear time"),
        ({"$ref": "https://example.invalid/a"}, "copy what it refers to into its $defs"),
        ({"type": "dict"}, "Correct the schema"),
        ({"minimum": math.nan}, "Write it as plain JSON"),
    ],
)
def test_a_schema_that_cannot_be_used_is_refused_with_a_cure(schema: Any, cure: str) -> None:
    with pytest.raises(ParameterError) as refused:
        scorer_for("json_schema", {"schema": schema})

    assert refused.value.parameter == "schema"
    assert cure in str(refused.value)


def test_schemas_nested_beyond_reason_are_refused() -> None:
    for depth in (400, 50_000):
        schema: dict[str, Any] = {}
        for _ in range(depth):
            schema = {"not": schema}
        with pytest.raises(ParameterError, match="nested too deeply"):
            scorer_for("json_schema", {"schema": schema})
        while schema:
            schema = schema["not"]
