"""Suites in every format: what is read, and what is told of what cannot be."""

import json
from typing import Any

import pytest

from annotate.parsing import Fault
from evals.formats import Argument, ExpectedCall, Fields, Recognised, ScorerSpec, recognise
from evals.formats.yamltext import MAX_ALIASES
from tests.evals.format_inputs import cases, codes, faults, lines, source, warned

USER = {"role": "user", "content": "Where is NP-20417?"}
TOOL = {
    "type": "function",
    "function": {
        "name": "track",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
    },
}


def test_a_suite_of_json_lines_gives_cases() -> None:
    found, report = cases(
        lines(
            {
                "id": "a",
                "prompt": "2 + 2?",
                "expected": ["4", "four"],
                "category": "simple",
                "split": "general",
                "scorer": {"name": "numeric", "parameters": {"absolute": 0.10}},
                "author": "Ines",
            }
        )
    )

    case = found[0]
    assert report.errors == []
    assert case.messages == ({"role": "user", "content": "2 + 2?"},)
    assert case.expected.answers == ("4", "four")
    assert (case.category, case.split) == ("simple", "general")
    assert case.scorer == ScorerSpec("numeric", {"absolute": 0.1})
    assert case.metadata == {"author": "Ines"}
    assert (case.row, case.line) == (1, 1)


def test_expected_calls_may_name_alternatives_options_and_nested_fields() -> None:
    call = {
        "name": "track",
        "arguments": {
            "order": "NP-1",
            "unit": {"any_of": ["kg", "g"], "optional": True},
            "to": {"any_of": [{"fields": {"city": {"any_of": ["Praha", "Prague"]}}}]},
        },
    }
    found, report = cases(
        lines({"messages": [USER], "tools": [TOOL], "expected": {"tool_calls": [call]}})
    )

    assert report.errors == []
    assert found[0].expected.tool_calls == (
        ExpectedCall(
            "track",
            {
                "order": Argument(("NP-1",)),
                "unit": Argument(("kg", "g"), optional=True),
                "to": Argument((Fields({"city": Argument(("Praha", "Prague"))}),)),
            },
        ),
    )
    assert found[0].scorer == ScorerSpec("tool_calls")


def test_a_case_written_back_is_read_as_the_same_case() -> None:
    call = {"name": "f", "arguments": {"x": {"any_of": [1, {"fields": {"y": {"any_of": [2]}}}]}}}
    first, _ = cases(
        lines(
            {"id": "a", "messages": [USER], "tools": [TOOL], "expected": {"tool_calls": [call]}},
            {"id": "b", "prompt": "Hi", "expected": {"schema": {"type": "object"}}},
            {"id": "c", "prompt": "No", "expected": {"refuse": True}},
        )
    )

    second, report = cases(lines(*[case.as_data() for case in first]))

    assert report.errors == []
    assert [case.as_data() for case in second] == [case.as_data() for case in first]


def test_no_expected_calls_is_not_the_same_as_calls_that_are_no_matter() -> None:
    found, _ = cases(
        lines(
            {"id": "none", "prompt": "Thanks!", "expected": {"tool_calls": []}},
            {"id": "any", "prompt": "Hello", "expected": "Hello"},
        )
    )

    assert found[0].expected.tool_calls == ()
    assert found[1].expected.tool_calls is None


def test_numbers_as_answers_keep_their_spelling() -> None:
    found, _ = cases('{"prompt": "Price?", "expected": [1.50, 7]}\n')

    assert found[0].expected.answers == ("1.50", "7")


def test_every_fault_of_a_file_is_told_with_its_place() -> None:
    _, report = cases(
        lines(
            {"id": "a", "prompt": "x", "expected": "y"},
            {"id": "a", "prompt": "x", "expected": "y"},
            {"id": "b", "expected": "y"},
            {"id": "c", "prompt": "x", "split": "test", "scorer": "guess", "expected": 3},
            '{"id": "d", "prompt": "x", "prompt": "z", "expected": "y"}',
            '{"id": "e", "prompt": "x", "expected": NaN}',
            "{",
            "",
            {"id": "f", "prompt": "nul \u0000", "expected": "y"},
            {"id": "g", "messages": [{"role": "robot", "content": "x"}], "expected": "y"},
        ),
        scorers={"exact_match"},
    )

    assert faults(report) == [
        ("duplicate_id", 2, 2, None),
        ("bad_case", 3, 3, "prompt"),
        ("bad_case", 4, 4, "split"),
        ("bad_case", 4, 4, "scorer"),
        ("duplicate_key", 5, 5, None),
        ("json_nonfinite", 6, 6, None),
        ("json_syntax", 7, 7, None),
        ("nul_character", 8, 9, None),
        ("bad_case", 9, 10, "prompt"),
    ]
    assert report.errors[3].message == (
        "Line 4, column scorer: no scorer is called 'guess'. Scorers: exact_match."
    )
    assert not report.accepted


def test_only_the_first_hundred_faults_are_kept_and_all_are_counted() -> None:
    _, report = cases(
        lines(*[{"id": "a", "prompt": "x", "split": "?", "n": n} for n in range(150)])
    )

    assert len(report.errors) == 100
    assert report.error_count == 299


def test_a_table_gives_cases() -> None:
    table = (
        "id,Prompt,Expected,Category,Split,Scorer,Parameters,source\r\n"
        'a,"Capital of\nNorway?",Oslo,geo,general,exact_match,"{""case"": ""fold""}",own\r\n'
        'b,JSON please,"{""schema"": {""type"": ""object""}}",,,,,\r\n'
        'c,Say it,"{""a"": 1}",,,,,\r\n'
    )
    found, report = cases(source(table, "suite.csv"))

    assert report.errors == []
    assert found[0].scorer == ScorerSpec("exact_match", {"case": "fold"})
    assert found[0].metadata == {"source": "own"}
    assert [case.line for case in found] == [2, 4, 5]
    assert found[1].expected.schema == {"type": "object"}
    assert found[2].expected.answers == ('{"a": 1}',)


def test_faults_of_a_table_name_line_and_column() -> None:
    table = 'prompt,answers\r\nx,"[1, 2"\r\ny,"[""a"", ""b""]"\r\nz\r\n'
    found, report = cases(source(table, "suite.csv"))

    assert [(code, line) for code, _, line, _ in faults(report)] == [
        ("json_syntax", 2),
        ("field_count", 4),
    ]
    assert [case.expected.answers for case in found] == [("a", "b")]


def test_yaml_gives_cases_and_words_stay_words() -> None:
    text = """\
# ours
cases:
  - id: norway
    prompt: Country code of Norway?
    expected: no
  - id: time
    prompt: When?
    expected: [12:30, 2026-11-12, 1.50, "7"]
    scorer: {name: numeric, parameters: {absolute: 0.10, take: last}}
  - id: long
    prompt: |
      two
      lines
    expected: {answers: [yes]}
"""
    found, report = cases(source(text, "suite.yaml"))

    assert report.errors == []
    assert found[0].expected.answers == ("no",)
    assert found[1].expected.answers == ("12:30", "2026-11-12", "1.50", "7")
    assert found[1].scorer == ScorerSpec("numeric", {"absolute": 0.1, "take": "last"})
    assert found[2].messages[0]["content"] == "two\nlines\n"
    assert [case.line for case in found] == [3, 6, 10]


def test_an_alias_in_yaml_stands_for_its_value() -> None:
    text = (
        "- {id: a, prompt: x, expected: y, scorer: &s {name: numeric}}\n"
        "- {id: b, prompt: x, expected: z, scorer: *s}\n"
    )
    found, report = cases(source(text, "suite.yml"))

    assert report.errors == []
    assert found[1].scorer == ScorerSpec("numeric")


def test_a_bomb_of_aliases_is_refused_unexpanded() -> None:
    layers = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    layers += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    found, report = cases(source("\n".join([*layers, "cases: []"]), "suite.yaml"))

    assert found == []
    assert codes(report) == ["yaml_aliases"]


def test_many_aliases_are_refused() -> None:
    text = "x: &x 1\ncases:\n" + "  - *x\n" * (MAX_ALIASES + 1)
    _, report = cases(source(text, "suite.yaml"))

    assert faults(report) == [("yaml_aliases", None, MAX_ALIASES + 3, None)]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("- &a [*a]\n", "yaml_aliases", 1),
        ("- prompt: !!python/object/apply:os.system [ls]\n", "yaml_tag", 1),
        ("- prompt: x\n  prompt: y\n", "duplicate_key", 2),
        ("- <<: {prompt: x}\n", "yaml_key", 1),
        ("- prompt: [\n", "yaml_syntax", 2),
        ("--- \n- {prompt: x}\n---\n- {prompt: y}\n", "yaml_documents", 3),
        ("- {1: x}\n", "yaml_key", 1),
        ("cases: 7\n", "yaml_not_list", 1),
        ("- just words\n", "row_not_object", 1),
        ("- " + "[" * 40 + "\n", "yaml_too_deep", 1),
    ],
)
def test_what_yaml_may_not_hold_is_told_with_its_line(text: str, code: str, line: int) -> None:
    found, report = cases(source(text, "suite.yaml"))

    assert found == []
    assert [(f.code, f.line) for f in report.errors] == [(code, line)]


def bfcl(key: str, **more: Any) -> dict[str, Any]:
    function = {
        "name": "geo.area",
        "parameters": {
            "type": "dict",
            "properties": {
                "side": {"type": "float"},
                "box": {"type": "dict", "properties": {"w": {"type": "integer"}}},
                "points": {"type": "array", "items": {"type": "tuple"}},
                "type": {"type": "any", "description": "kind"},
            },
            "required": ["side"],
        },
    }
    return {"id": key, "question": [[USER]], "function": [function], **more}


def test_bfcl_joins_questions_and_answers_whatever_their_order() -> None:
    answer = {
        "geo.area": {
            "side": [2.5],
            "unit": ["m", ""],
            "box": [{"w": [1, 2], "h": ["", 3]}],
            "rows": [[{"k": ["a", "b"]}]],
        }
    }
    found, report = cases(
        lines({"id": "simple_python_0", "ground_truth": [answer]}), lines(bfcl("simple_python_0"))
    )

    case = found[0]
    assert report.errors == []
    assert case.category == "simple_python"
    assert case.expected.tool_calls == (
        ExpectedCall(
            "geo.area",
            {
                "side": Argument((2.5,)),
                "unit": Argument(("m",), optional=True),
                "box": Argument(
                    (Fields({"w": Argument((1, 2)), "h": Argument((3,), optional=True)}),)
                ),
                "rows": Argument(([{"k": "a"}], [{"k": "b"}])),
            },
        ),
    )
    assert "tool_name_dotted" in warned(report)


def test_bfcl_types_become_those_of_json_schema() -> None:
    found, _ = cases(lines(bfcl("irrelevance_1")))

    tool: Any = found[0].tools[0]
    assert tool["function"]["parameters"] == {
        "type": "object",
        "properties": {
            "side": {"type": "number"},
            "box": {"type": "object", "properties": {"w": {"type": "integer"}}},
            "points": {"type": "array", "items": {"type": "array"}},
            "type": {"description": "kind"},
        },
        "required": ["side"],
    }


def test_bfcl_irrelevance_expects_no_call_and_needs_no_answers() -> None:
    found, report = cases(lines(bfcl("live_irrelevance_7-1-0")))

    assert report.errors == []
    assert found[0].expected.tool_calls == ()


def test_bfcl_tells_what_does_not_fit_together() -> None:
    _, report = cases(
        source(lines(bfcl("parallel_0"), bfcl("parallel_1", question=[[USER], [USER]])), "q.jsonl"),
        source(
            lines({"id": "parallel_1", "ground_truth": []}, {"id": "p", "ground_truth": []}),
            "a.jsonl",
        ),
    )

    assert [(f.code, f.line, f.column) for f in report.errors] == [
        ("bad_case", 1, "ground_truth"),
        ("bad_case", 2, "question"),
        ("unknown_id", 2, None),
    ]


def test_openai_evals_samples_take_one_ideal_or_several() -> None:
    found, report = cases(
        lines(
            {"input": [{"role": "system", "content": "Be brief."}, USER], "ideal": "11"},
            {"input": "Capital?", "ideal": ["Oslo", "Kristiania"]},
        )
    )

    assert report.errors == []
    assert [case.expected.answers for case in found] == [("11",), ("Oslo", "Kristiania")]
    assert len(found[0].messages) == 2


def test_fine_tuning_examples_expect_their_last_answer() -> None:
    call = {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "track", "arguments": '{"order": "NP-1"}'},
            }
        ],
    }
    found, report = cases(
        lines(
            {"messages": [USER, {"role": "assistant", "content": "On its way.", "weight": 1}]},
            {"messages": [USER, call], "tools": [TOOL], "parallel_tool_calls": False},
            {"messages": [USER], "reference_answer": "x"},
        )
    )

    assert report.errors == []
    assert found[0].messages == (USER,)
    assert found[0].expected.answers == ("On its way.",)
    assert found[1].expected.tool_calls == (ExpectedCall("track", {"order": Argument(("NP-1",))}),)
    assert found[1].tools == (TOOL,)
    assert found[1].metadata == {"parallel_tool_calls": False}
    assert found[2].expected.as_data() == {}
    assert found[2].metadata == {"reference_answer": "x"}
    assert warned(report) == {"no_target"}


@pytest.mark.parametrize("name", ["preferred_output", "preferred_completion"])
def test_preference_pairs_expect_the_preferred_answer(name: str) -> None:
    pair = {
        "input": {"messages": [USER], "tools": [TOOL]},
        name: [{"role": "assistant", "content": "good"}],
        f"non_{name}": [{"role": "assistant", "content": "bad"}],
    }
    found, report = cases(lines(pair))

    assert report.errors == []
    assert found[0].expected.answers == ("good",)
    assert found[0].tools == (TOOL,)
    assert found[0].metadata == {f"non_{name}": [{"role": "assistant", "content": "bad"}]}


def test_older_training_shapes_are_read() -> None:
    legacy = {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": None,
                "function_call": {"name": "track", "arguments": "{}"},
            },
        ],
        "functions": [TOOL["function"]],
    }
    old, _ = cases(lines({"prompt": "2 + 2 =", "completion": " 4"}))
    chosen, _ = cases(lines({"prompt": "p", "chosen": "good", "rejected": "bad"}))
    functions, _ = cases(lines(legacy))

    assert old[0].expected.answers == ("4",)
    assert chosen[0].expected.answers == ("good",)
    assert functions[0].expected.tool_calls == (ExpectedCall("track", {}),)
    assert functions[0].tools == (TOOL,)


def test_an_example_whose_call_cannot_be_decoded_is_a_fault() -> None:
    call = {"type": "function", "function": {"name": "track", "arguments": "{order"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    _, report = cases(lines({"messages": [USER, message]}))

    assert faults(report) == [("bad_case", 1, 1, "messages")]


@pytest.mark.parametrize(
    ("data", "name", "format", "layout"),
    [
        ('{"prompt": "x", "expected": "y"}\n', "x.bin", "suite", "lines"),
        ('[{"prompt": "x", "expected": "y"}]', "x.txt", "suite", "array"),
        ('{"name": "s", "cases": [{"prompt": "x"}]}', "x.json", "suite", "cases"),
        ("prompt,expected\nx,y\n", "x.txt", "suite", "csv"),
        ("prompt\texpected\nx\ty\n", "x.tsv", "suite", "tsv"),
        ("cases:\n - prompt: x\n", "x", "suite", "yaml"),
        ('{"input": "x", "ideal": "y"}', "x", "openai_evals", "lines"),
        ('\ufeff{"messages": []}', "x", "fine_tuning", "lines"),
    ],
)
def test_a_suite_is_recognised_by_its_content(
    data: str, name: str, format: str, layout: str
) -> None:
    found = recognise(source(data, name))

    assert isinstance(found, Recognised)
    assert (found.format, found.layout, found.kind) == (format, layout, "cases")
    assert found.words


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"%PDF-1.7", "PDF"),
        (b"PK\x03\x04nothing", "archive"),
        (b'{"weight": 1}\n', "weight"),
        (b'{"chosen": "a", "rejected": "b"}\n', "prompt"),
        (b'{"spec": {}}\n', "record log"),
        (b'{"results": {}, "configs": {}}', "samples"),
        (b"a,b\n1,2\n", "prompt"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_what_it_is(data: bytes, words: str) -> None:
    found = recognise(source(data, "x.jsonl"))

    assert isinstance(found, Fault)
    assert words in found.message


def test_outputs_are_not_taken_for_a_suite() -> None:
    found, report = cases(lines({"id": 1, "prompt": "x", "output": "y"}))

    assert found == []
    assert codes(report) == ["wrong_kind"]


def test_a_companion_alone_asks_for_its_file() -> None:
    _, report = cases(lines({"id": "a", "ground_truth": []}))

    assert codes(report) == ["wrong_kind"]
    assert "Add both together." in report.errors[0].message


def test_reading_again_gives_the_same() -> None:
    text = json.dumps({"prompt": "x", "expected": "y"})
    first, one = cases(text)
    second, two = cases(text)

    assert (first, one) == (second, two)


def test_an_argument_whose_only_accepted_value_is_absence_may_not_be_given() -> None:
    answer = {"geo.area": {"side": [1], "unit": [""]}}
    found, _ = cases(lines(bfcl("p_0")), lines({"id": "p_0", "ground_truth": [answer]}))
    again, report = cases(lines(found[0].as_data()))

    calls = found[0].expected.tool_calls or ()
    assert calls[0].arguments["unit"] == Argument((), optional=True)
    assert report.errors == []
    assert again[0].expected == found[0].expected
