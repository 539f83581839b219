"""Each kind of fault: told with its place, and nothing is accepted."""

import json

import pytest

from annotate.parsing import Limits
from tests.annotate.parsing_inputs import SMALL, codes, faults, read

HEADER = "prompt,output_a,output_b\n"


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("x.csv", "", ("empty_file", None, 1, None)),
        ("x.csv", b"\xef\xbb\xbf", ("empty_file", None, 1, None)),
        ("x.csv", "\n\r\n\n", ("empty_file", None, 1, None)),
        ("x.json", " \n ", ("empty_file", None, 1, None)),
        ("x.jsonl", "\n\n", ("no_rows", None, 2, None)),
        ("x.json", "[]", ("no_rows", None, 1, None)),
        ("x.csv", HEADER, ("no_rows", None, 1, None)),
        ("x.txt", "prompt\n", ("unsupported_extension", None, None, None)),
        ("csv", "prompt\n", ("unsupported_extension", None, None, None)),
        ("x.csv.gz", "prompt\n", ("unsupported_extension", None, None, None)),
        ("x.csv", b"\x1f\x8b\x08\x00", ("wrong_type", None, None, None)),
        ("x.json", b"%PDF-1.7", ("wrong_type", None, None, None)),
        ("x.csv", b"\x89PNG\r\n\x1a\n", ("wrong_type", None, None, None)),
        ("x.csv", b"PAR1aaaaaaaaPAR1", ("wrong_type", None, None, None)),
        ("x.parquet", b"PAR1aaaaaaaaPAR1", ("unsupported_extension", None, None, None)),
        ("x.jsonl", b"\x80\x04\x95\x00", ("wrong_type", None, None, None)),
        ("x.csv", HEADER.encode("utf-16"), ("encoding_utf16", None, 1, None)),
        ("x.csv", HEADER.encode("utf-16-le"), ("encoding_utf16", None, 1, None)),
        ("x.csv", HEADER.encode("utf-16-be"), ("encoding_utf16", None, 1, None)),
        ("x.csv", HEADER.encode("utf-32"), ("encoding_utf32", None, 1, None)),
        ("x.csv", HEADER.encode("utf-32-le"), ("encoding_utf32", None, 1, None)),
        ("x.csv", HEADER.encode("utf-32-be"), ("encoding_utf32", None, 1, None)),
        ("x.csv", HEADER + "p,a\x00,b\n", ("nul_character", 1, 2, "output_a")),
        ("x.csv", b"prompt,output_a,output_b\np,a\xff,b\n", ("not_utf8", 1, 2, "output_a")),
        ("x.csv", b"pr\xffmpt,output_a,output_b\np,a,b\n", ("not_utf8", None, 1, "pr\udcffmpt")),
        ("x.csv", HEADER + "p," + "a" * 200_001 + ",b\n", ("cell_too_long", 1, 2, "output_a")),
        ("x.csv", HEADER + 'p,"a"b,c\n', ("csv_syntax", 1, 2, None)),
        ("x.csv", HEADER + "p,a,b,c\n", ("field_count", 1, 2, None)),
        ("x.csv", HEADER + "p,  \t,b\n", ("empty_value", 1, 2, "output_a")),
        ("x.csv", HEADER + "\u3000,a,b\n", ("empty_value", 1, 2, "prompt")),
        ("x.csv", "prompt,PROMPT,output_a,output_b\n", ("duplicate_column", None, 1, "PROMPT")),
        ("x.csv", "x" * 129 + "," + HEADER, ("cell_too_long", None, 1, "x" * 129)),
        ("x.csv", "prompt,output_a\np,a\n", ("missing_column", None, 1, "output_b")),
        ("x.csv", "prompt,model_b_output\np,a\n", ("missing_column", None, 1, "model_a_output")),
        ("x.json", '{"prompt": "p"}', ("json_not_array", None, 1, None)),
        ("x.json", "17", ("json_not_array", None, 1, None)),
        ("x.json", '[{"a": 1},\n]', ("json_syntax", None, 2, None)),
        ("x.json", '[{"a": 1}\n{"a": 2}]', ("json_syntax", None, 2, None)),
        ("x.json", '[{"a": 1},\n{"a": "x', ("json_syntax", 2, 2, None)),
        ("x.json", "[{'a': 1}]", ("json_syntax", 1, 1, None)),
        ("x.json", "[" * 100_000, ("json_too_deep", 1, 1, None)),
        ("x.json", "[" * 100_000 + "]" * 100_000, ("json_too_deep", 1, 1, None)),
        ("x.jsonl", '{"a":' * 100_000, ("json_too_deep", 1, 1, None)),
        ("x.jsonl", '{"prompt": "p"}\n[1]\n', ("row_not_object", 2, 2, None)),
        ("x.json", '[\n{},\n null]', ("row_not_object", 2, 3, None)),
        ("x.jsonl", b'{"prompt": "\xff"}\n', ("not_utf8", 1, 1, None)),
    ],
)  # fmt: skip
def test_fault_is_told_with_its_place(
    name: str, data: bytes | str, expected: tuple[str, int | None, int | None, str | None]
) -> None:
    _, reading = read(data, name)

    assert not reading.report.accepted
    assert expected in faults(reading)


def record(**changes: object) -> str:
    return json.dumps({"prompt": "p", "output_a": "a", "output_b": "b", **changes})


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (record(prompt=5), "not_text", "prompt"),
        (record(prompt={"role": "user"}), "not_text", "prompt"),
        (record(output_a=True), "not_text", "output_a"),
        (record(id=1.5), "not_text", "id"),
        (record(output_b=None), "missing_value", "output_b"),
        (record(output_b={"x": "\ud800"}), "lone_surrogate", "output_b"),
        (record(output_b="\ud800"), "lone_surrogate", "output_b"),
        (record(output_b="\x00"), "nul_character", "output_b"),
        (record(note={"deep": ["\x00"]}), "nul_character", "note"),
        (record(**{"k\x00": 1}), "nul_character", "k\x00"),
        (record(x=1).replace("1", "-Infinity"), "json_nonfinite", "x"),
        (record(x=[{"y": 1}]).replace("1", "1e999"), "json_nonfinite", "x"),
        (record(x=1).replace("1", "9" * 5000), "number_too_large", "x"),
        (record(x={"y": 1}).replace('"y": 1', '"y": 1, "y": 2'), "duplicate_key", "x"),
        (record(model_b_output="c"), "duplicate_column", "output_b"),
        (record(x="y" * 200_001), "cell_too_long", "x"),
        (record(**{"k" * 129: 1}), "cell_too_long", "k" * 129),
    ],
)
def test_fault_in_one_json_record_names_its_column(line: str, code: str, column: str) -> None:
    _, reading = read(f"{record()}\n{line}\n", "x.jsonl")

    assert (code, 2, 2, column) in faults(reading)


def test_every_fault_is_told_at_once() -> None:
    rows, reading = read(HEADER + "p,,b\nq,a\nr,a,b\ns,a,\x00\n")

    assert [row.row for row in rows] == [3]
    assert faults(reading) == [
        ("empty_value", 1, 2, "output_a"),
        ("field_count", 2, 3, None),
        ("nul_character", 4, 5, "output_b"),
    ]
    assert reading.report.errors[0].message == (
        'Line 2, column output_a: empty. Write the output, or tick "Allow empty outputs" if the '
        "model answered nothing."
    )


def test_errors_are_counted_beyond_the_hundred_that_are_told() -> None:
    _, reading = read(HEADER + "p,,b\n" * 5000)

    assert len(reading.report.errors) == 100
    assert reading.report.error_count == 5000


def test_key_missing_in_one_record_differs_from_a_column_the_file_lacks() -> None:
    lacking = '{"prompt": "p", "output_a": "a"}\n'

    _, one = read(lacking + record() + "\n" + lacking, "x.jsonl")
    _, all_of_them = read(lacking * 3, "x.jsonl")

    assert sorted(faults(one)) == [
        ("missing_value", 1, 1, "output_b"),
        ("missing_value", 3, 3, "output_b"),
    ]
    assert faults(all_of_them) == [("missing_column", None, 1, "output_b")]


def test_missing_column_is_told_first_even_after_a_hundred_others() -> None:
    line = '{"prompt": "", "output_a": "a"}\n'

    _, reading = read(line * 150, "x.jsonl")

    assert codes(reading)[0] == "missing_column"
    assert reading.report.error_count == 151


@pytest.mark.parametrize(
    ("data", "hint"),
    [
        ("prompt;output_a;output_b\np;a,c;b\n", "semicolons"),
        ("prompt\toutput_a\toutput_b\np\ta\tb\n", "tabs"),
        ("sep=;\nprompt;output_a;output_b\n", "Delete the first line"),
    ],
)
def test_wrong_separator_is_recognised(data: str, hint: str) -> None:
    _, reading = read(data)

    assert codes(reading) == ["missing_column"] * 3
    assert hint in reading.report.errors[0].message


def test_first_bad_byte_is_named() -> None:
    _, reading = read((HEADER + "pé,a,b\np,caf\xe9,b\n").encode("latin-1"))

    assert "byte 26 of the file" in reading.report.errors[0].message
    assert [fault.line for fault in reading.report.errors] == [2, 3]


def test_limits_are_kept() -> None:
    tight = Limits(max_file_bytes=100, max_rows=2, max_columns=4, max_total_text_bytes=8)
    four = HEADER + "p,a,b\n" * 4

    assert codes(read(four + "x" * 100, limits=tight)[1]) == ["file_too_large"]
    assert faults(read(four, limits=tight)[1]) == [("too_many_rows", 3, 4, None)]
    assert codes(read(HEADER + "ppp,aaa,bbb\n", limits=tight)[1]) == ["too_much_text"]
    assert codes(read("a,b,c,d,e\n", limits=tight)[1]) == ["too_many_columns"]
    wide = "".join(f'{{"prompt": "p", "k{i}": 1}}\n' for i in range(100))
    assert "too_many_columns" in codes(read(wide, "x.jsonl", limits=SMALL)[1])


def test_oversized_lines_and_records_are_refused_without_being_held() -> None:
    limits = Limits(max_file_bytes=2**31, max_cell_chars=1000)
    huge = "a" * (limits.max_line_chars + 5_000_000)

    in_csv = read(f"{HEADER}p,a,{huge}\nq,a,b\nr,a\n", limits=limits)
    in_quotes = read(f'{HEADER}p,a,"{huge}"\nq,a,b\nr,a\n', limits=limits)
    in_lines = read(f"{record(x=huge)}\n{record()}\n5\n", "x.jsonl", limits=limits)
    in_array = read(f"[{record(x=huge)},\n{record()},5]", "x.json", limits=limits)

    for rows, reading in (in_csv, in_quotes):
        assert [row.row for row in rows] == [2]
        assert faults(reading) == [
            ("cell_too_long", 1, 2, "output_b"),
            ("field_count", 3, 4, None),
        ]
    for rows, reading in (in_lines, in_array):
        assert [row.row for row in rows] == [2]
        assert codes(reading) == ["cell_too_long", "row_not_object"]


@pytest.mark.parametrize(
    ("name", "data", "row", "line"),
    [
        ("x.csv", HEADER + "p\n" * 200, 91, 92),
        ("x.csv", HEADER + "\n" * 200, None, 92),
        ("x.jsonl", "[]\n" * 200, 91, 91),
        ("x.jsonl", "\n" * 200, None, 91),
        ("x.json", "[" + "1,\n" * 200 + "1]", 91, 91),
    ],
)
def test_floods_of_faulty_or_blank_rows_are_cut_off(
    name: str, data: str, row: int | None, line: int
) -> None:
    _, reading = read(data, name, limits=Limits(max_rows=90))

    assert faults(reading)[0] == ("too_many_rows", row, line, None)


def test_record_of_very_many_values_is_refused_before_it_fills_memory() -> None:
    crowded = f'{{"prompt": [{"[]," * 300_000}[]]}}'
    commas = record(output_a="," * 199_999, note="," * 199_999)

    _, reading = read(f"{crowded}\n{commas}\n", "x.jsonl")

    assert faults(reading) == [("cell_too_long", 1, 1, None)]


def test_unclosed_quote_is_blamed_on_the_record_that_opened_it() -> None:
    _, reading = read(HEADER + 'p,a,b\nq,"a,b\n' + "r,a,b\n" * 100_000)

    assert faults(reading) == [("csv_syntax", 2, 3, None)]
