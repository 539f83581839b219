"""Accepted uploads: texts exactly as sent, columns recognised, oddities remarked."""

import csv
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotate.parsing import Reading, Row, chat_messages
from tests.annotate.parsing_inputs import codes, faults, read, source, warned

HEADER = "prompt,output_a,output_b\n"
TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=40
).filter(lambda text: bool(text.strip()))
# Beyond the letters, those that trip readers: separators, quotes, escapes, line ends of all kinds.
TRAPS = st.text(st.sampled_from(list(',"\t\n\r\\;\u2028\u0085\x0b\x1c é😀[{]}:')), max_size=12)
TRAP_TEXTS = st.builds(lambda text, trap: trap + text + trap, TEXTS, TRAPS)
ROWS = st.lists(st.tuples(TRAP_TEXTS, TRAP_TEXTS, TRAP_TEXTS), min_size=1, max_size=6)


def triples(rows: list[Row]) -> list[tuple[str, str, str]]:
    return [(row.prompt, row.baseline_output, row.candidate_output) for row in rows]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(("name", "sign"), [("x.csv", ","), ("x.tsv", "\t")])
@given(wanted=ROWS)
def test_any_text_survives_csv(
    name: str, sign: str, end: str, wanted: list[tuple[str, str, str]]
) -> None:
    file = io.StringIO(newline="")
    # The csv module before 3.13 leaves a lone CR unquoted when the line end is another.
    writer = csv.writer(file, delimiter=sign, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("prompt", "output_a", "output_b"), *wanted])

    rows, reading = read(file.getvalue(), name)

    assert reading.report.accepted, reading.report.errors
    assert triples(rows) == wanted


@pytest.mark.parametrize("ascii_only", [True, False])
@given(wanted=ROWS)
def test_any_text_survives_json(ascii_only: bool, wanted: list[tuple[str, str, str]]) -> None:
    records = [{"prompt": p, "output_a": a, "output_b": b} for p, a, b in wanted]
    lines = "".join(json.dumps(one, ensure_ascii=ascii_only) + "\n" for one in records)
    array = json.dumps(records, ensure_ascii=ascii_only, indent=1)

    assert triples(read(lines, "x.jsonl")[0]) == wanted
    assert triples(read(array, "x.json")[0]) == wanted
    assert triples(read(lines, "x.NDJSON")[0]) == wanted


@given(data=st.binary(max_size=300), ending=st.sampled_from(["csv", "tsv", "jsonl", "json"]))
def test_no_bytes_crash_the_reader(data: bytes, ending: str) -> None:
    _, reading = read(b"prompt,output_a,output_b\n" * (ending == "csv") + data, f"x.{ending}")

    assert not reading.report.accepted or reading.report.rows > 0


@given(text=st.text(st.sampled_from(list('[]{}",:\\ \n1a')), max_size=60))
def test_array_is_valid_here_exactly_if_it_is_valid_json(text: str) -> None:
    _, reading = read(f"[{text}]", "x.json")

    try:
        json.loads(f"[{text}]")
        valid = True
    except ValueError:
        valid = False
    assert ("json_syntax" in codes(reading)) is not valid


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
def test_array_reads_the_same_however_its_bytes_arrive(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = [
        {"prompt": 'é"\\', "output_a": {"a": [1, "]}", {}]}, "output_b": "\\\\", "n": -1.50e3},
        {"prompt": "q", "output_a": "[", "output_b": '😀\\"', "n": None},
    ]
    text = json.dumps(records, ensure_ascii=False, indent=2)
    monkeypatch.setattr("annotate.parsing.lines.CHUNK_BYTES", chunk)
    monkeypatch.setattr("annotate.parsing.lines.CountedStream.__init__.__defaults__", (chunk,))

    rows, _ = read(text, "x.json")

    assert triples(rows) == [
        ('é"\\', '{"a":[1,"]}",{}]}', "\\\\"),
        ("q", "[", '😀\\"'),
    ]
    assert [row.line for row in rows] == [2, 14]


def test_row_and_line_are_not_the_same_thing() -> None:
    rows, _ = read(HEADER + '"p\n1",a,b\n\n"q\r\n\r2",a,b\nr,a,b\n')

    assert [(row.row, row.line) for row in rows] == [(1, 2), (2, 5), (3, 8)]


def test_columns_are_recognised_by_any_of_their_names() -> None:
    rows, reading = read(
        "\ufeff ID ,Category,instruction,Baseline_Output,candidate_output,reference,model\n"
        "1,c,p,a,b,r,secret\n"
    )

    assert reading.report.columns == {
        "ID": "item_id",
        "Category": "category",
        "instruction": "prompt",
        "Baseline_Output": "baseline_output",
        "candidate_output": "candidate_output",
        "reference": "reference",
        "model": "metadata",
    }
    assert rows == [Row(1, 2, "1", "c", "p", "a", "b", "r", {"model": "secret"})]
    assert warned(reading) == {"unknown_column"}
    assert reading.report.first_values["model"] == "secret"
    assert reading.report.categories == {"c": 1}
    assert reading.report.examples == rows


def test_mapping_overrides_recognition_and_swap_exchanges_the_sides() -> None:
    data = "prompt,output_a,output_b,new,junk\np,a,b,n,j\n"

    rows, reading = read(data, mapping={"new": "candidate_output", "junk": "ignore"}, swap=True)

    assert triples(rows) == [("p", "n", "a")]
    assert rows[0].metadata == {"output_b": "b"}
    assert reading.report.columns["junk"] == "ignore"


def test_choice_wins_over_recognition_wherever_its_key_stands() -> None:
    line = '{"prompt": "p", "output_a": "a", "output_b": "b", "question": "q"}\n'

    rows, reading = read(line, "x.jsonl", mapping={"Question": "prompt"})

    assert reading.report.accepted, faults(reading)
    assert (rows[0].prompt, rows[0].metadata) == ("q", {"prompt": "p"})


def test_senseless_mappings_are_refused() -> None:
    data = HEADER + "p,a,b\n"

    assert faults(read(data, mapping={"nope": "prompt"})[1]) == [
        ("unknown_column_mapping", None, None, "nope")
    ]
    assert codes(read(data, mapping={"prompt": "question"})[1]) == ["unknown_column_mapping"]
    twice = {"output_a": "prompt", "prompt": "prompt"}
    assert "duplicate_column" in codes(read(data, mapping=twice)[1])


def test_header_without_known_names_still_shows_what_the_columns_hold() -> None:
    _, reading = read("question,old,new\nq1,o1,n1\n")

    assert reading.report.columns == dict.fromkeys(("question", "old", "new"), "metadata")
    assert reading.report.first_values == {"question": "q1", "old": "o1", "new": "n1"}
    assert "'question', 'old', 'new'" in reading.report.errors[0].message
    mapping = {"question": "prompt", "old": "baseline_output", "new": "candidate_output"}
    assert read("question,old,new\nq1,o1,n1\n", mapping=mapping)[1].report.accepted


def test_structures_are_stored_as_compact_json_with_numbers_as_spelled() -> None:
    line = (
        '{"id": 7, "prompt": [{"role": "user", "content": "né"}], '
        '"output_a": {"x": 1.50, "big": 12345678901234567890}, "output_b": [1, null, true], '
        '"cost": 0.10, "n": 2, "f": 0.5, "nested": {"x": 1e2}}'
    )

    rows, reading = read(line, "x.jsonl")

    assert reading.report.accepted, faults(reading)
    row = rows[0]
    assert row.item_id == "7"
    assert row.prompt == '[{"role":"user","content":"né"}]'
    assert row.baseline_output == '{"x":1.50,"big":12345678901234567890}'
    assert row.candidate_output == "[1,null,true]"
    assert row.metadata == {"cost": "0.10", "n": 2, "f": 0.5, "nested": {"x": "1e2"}}
    assert chat_messages(row.prompt) == [("user", "né")]


def test_null_and_empty_are_nothing_where_a_column_is_optional() -> None:
    rows, reading = read(
        '{"id": null, "category": null, "reference": null, "prompt": "p", "output_a": "a", '
        '"output_b": "b"}\n{"id": "", "prompt": "q", "output_a": "a", "output_b": "b"}\n'
        '{"id": "", "prompt": "r", "output_a": "a", "output_b": "b"}',
        "x.jsonl",
    )

    assert reading.report.accepted
    assert [(row.item_id, row.category, row.reference) for row in rows] == [(None, "", None)] * 3


def test_empty_outputs_are_taken_when_allowed_but_never_empty_prompts() -> None:
    rows, reading = read(HEADER + "p, ,b\nq,a,b\n", allow_empty=True)

    assert reading.report.accepted
    assert rows[0].baseline_output == " "
    assert warned(reading) == {"empty_output"}
    assert codes(read(HEADER + " ,a,b\n", allow_empty=True)[1]) == ["empty_value"]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("p,same,same", "identical_outputs"),
        ("p,As Claude I refuse,b", "self_identification"),
        ("p,a,I am a large language model trained by Acme", "self_identification"),
        ("p,zero\u200bwidth,b", "invisible_characters"),
        ("p,a\u200d,b", "invisible_characters"),
        ("p,\u202eabc,b", "bidi_controls"),
        ("p,\x1b[31mred,b", "control_characters"),
        ("p,caf\ufffd,b", "replacement_character"),
        (f"p,{'word ' * 100}and then,b", "looks_cut_off"),
    ],
)
def test_oddities_are_warnings_with_their_place(row: str, code: str) -> None:
    _, reading = read(HEADER + "p0,a,b\n" + row + "\n")

    assert reading.report.accepted
    assert warned(reading) == {code}
    assert (reading.report.warnings[0].row, reading.report.warnings[0].line) == (2, 3)


@pytest.mark.parametrize(
    "text", ["👨‍👩‍👧 family", "می‌خواهم", "the claudication of egpt", "naïve\ttab"]
)
def test_ordinary_text_is_not_remarked(text: str) -> None:
    _, reading = read(f"{HEADER}p,{text},b\n")

    assert reading.report.accepted
    assert warned(reading) == set()


def test_repeated_prompts_and_rows_are_told_apart() -> None:
    _, reading = read(HEADER + "p,a,b\nq,a,b\np,c,d\np,a,b\np,e,f\n")

    by_code = {fault.code: fault for fault in reading.report.warnings}
    assert by_code["duplicate_prompt"].message.startswith("Lines 4, 6: ")
    assert by_code["duplicate_content"].message.startswith("Line 5: ")


def test_one_side_much_longer_over_the_batch_is_told() -> None:
    short, long = "a" * 10, "b" * 40
    _, reading = read(HEADER + "".join(f"p{i},{short},{long}\n" for i in range(30)))

    assert warned(reading) == {"length_imbalance"}
    assert reading.report.lengths == {
        "baseline_mean": 10,
        "baseline_median": 10,
        "candidate_mean": 40,
        "candidate_median": 40,
        "candidate_longer_share": 1,
    }


def test_categories_are_counted_up_to_a_thousand_names() -> None:
    lines = "".join(f"{i},p{i},a,b\n" for i in range(1100))
    _, reading = read("category," + HEADER + lines)

    assert len(reading.report.categories) == 1001
    assert reading.report.categories["…"] == 100


def test_reading_again_gives_the_same_and_progress_reaches_the_end() -> None:
    reading = Reading([source(HEADER + "p,a,b\n" * 1000)])

    assert list(reading) == list(reading)
    assert reading.report.rows == 1000
    assert reading.bytes_read == reading.bytes_total


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[{"role":"user","content":"hi"}]', [("user", "hi")]),
        ('[{"role":"user","content":[{"type":"text","text":"a"},"b"]}]', [("user", "a\nb")]),
        (
            '[{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}]',
            [("assistant", '[{"id":"1"}]')],
        ),
        ("[]", None),
        ("hello", None),
        ("[hello", None),
        ('["a"]', None),
        ('[{"role":"user"}]', None),
        ('[{"content":"x"}]', None),
        ("[" * 100_000, None),
        ('{"role":"user","content":"hi"}', None),
    ],
)
def test_chat_messages(text: str, expected: Any) -> None:
    assert chat_messages(text) == expected
