"""What a file is and what its header means: separators, conversations, and files of no text."""

import random
from typing import Any

import pytest

from annotate.parsing import SEPARATORS, Cures
from tests.annotate.parsing_inputs import codes, faults, read, source

SEMICOLONS = 'prompt;output_a;output_b\n"a;b";c,d;e\nf;g;h\n'
RECORD = '"output_a": "a", "output_b": "b"'
CHAT = '[{"role": "user", "content": "Why?"}]'


def triples(data: str, name: str = "batch.csv", **options: Any) -> list[tuple[str, str, str]]:
    rows, reading = read(data, name, **options)
    assert reading.report.accepted, reading.report.errors
    return [(row.prompt, row.baseline_output, row.candidate_output) for row in rows]


def test_semicolons_are_recognised_refused_and_read_once_chosen() -> None:
    _, refused = read(SEMICOLONS)
    rows, taken = read(SEMICOLONS, separator=refused.report.separator)

    assert codes(refused) == ["missing_column"] * 3
    assert refused.report.separator == "semicolons"
    assert [row.baseline_output for row in rows] == ["c,d", "g"]
    assert rows[0].prompt == "a;b"
    assert (taken.report.format, list(taken.report.columns)) == (
        "csv, semicolons",
        ["prompt", "output_a", "output_b"],
    )


@pytest.mark.parametrize("name", SEPARATORS)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_chosen_separator_goes_before_the_ending(name: str, ending: str) -> None:
    text = SEMICOLONS.replace(",", "").replace(";", SEPARATORS[name])

    assert triples(text, f"x.{ending}", separator=name)[1] == ("f", "g", "h")


def test_chosen_separator_does_not_matter_to_json() -> None:
    line = f'{{"prompt": "p", {RECORD}}}\n'

    assert triples(line, "x.jsonl", separator="semicolons") == [("p", "a", "b")]


def test_two_files_are_joined_with_the_chosen_separator() -> None:
    from_one, other = "prompt;output\np;a\n", "prompt;output\np;b\n"

    rows, reading = read(from_one, "a.csv", source(other, "b.csv"), separator="semicolons")

    assert reading.report.accepted, reading.report.errors
    assert [(row.baseline_output, row.candidate_output) for row in rows] == [("a", "b")]


@pytest.mark.parametrize("header", ["prompt", "sep=;", "prompt|output_a|output_b", "a;b,c"])
def test_other_headers_suggest_no_separator(header: str) -> None:
    _, reading = read(f"{header}\nx;y;z\n")

    assert reading.report.separator == ""


def test_every_surface_names_its_own_cure() -> None:
    cures = Cures(
        allow_empty="pass --allow-empty",
        mapping="say --map",
        separator={name: f"pass --separator {name}" for name in SEPARATORS},
    )

    _, empty = read("prompt,output_a,output_b\np,,b\n", cures=cures)
    _, unknown = read("a,b\n1,2\n", cures=cures)
    _, separated = read(SEMICOLONS, cures=cures)

    assert empty.report.errors[0].message == (
        "Line 2, column output_a: empty. Write the output, or pass --allow-empty if the model "
        "answered nothing."
    )
    assert unknown.report.errors[0].message.endswith("Rename a column, or say --map.")
    assert separated.report.errors[0].message.endswith(
        "The columns seem to be separated by semicolons: pass --separator semicolons."
    )


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (f'{{"messages": {CHAT}, {RECORD}}}\n', "x.jsonl"),
        (f'[{{"messages": {CHAT}, {RECORD}}}]', "x.json"),
        ('messages,output_a,output_b\n"' + CHAT.replace('"', '""') + '",a,b\n', "x.csv"),
    ],
)
def test_messages_are_taken_for_the_prompt(data: str, name: str) -> None:
    rows, reading = read(data, name)

    assert reading.report.columns["messages"] == "prompt"
    assert rows[0].prompt.replace(" ", "") == CHAT.replace(" ", "")


@pytest.mark.parametrize("order", ['"messages": 7, "prompt": "p"', '"prompt": "p", "messages": 7'])
def test_messages_beside_a_prompt_are_metadata(order: str) -> None:
    rows, reading = read(f"{{{order}, {RECORD}}}\n", "x.jsonl")

    assert reading.report.columns["messages"] == "metadata"
    assert (rows[0].prompt, rows[0].metadata) == ("p", {"messages": 7})


def test_messages_beside_a_column_chosen_as_prompt_are_metadata() -> None:
    rows, _ = read(
        f'{{"messages": {CHAT}, "q": "p", {RECORD}}}\n', "x.jsonl", mapping={"q": "prompt"}
    )

    assert rows[0].prompt == "p"


def test_messages_that_are_no_conversation_are_refused_with_their_place() -> None:
    _, reading = read(f'{{"messages": [1], {RECORD}}}\n', "x.jsonl")

    assert faults(reading) == [("not_text", 1, 1, "messages")]


@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.jsonl", "x.json"])
@pytest.mark.parametrize("size", [64, 3000, 100_000])
def test_bytes_of_no_text_are_named_so(name: str, size: int) -> None:
    _, reading = read(random.Random(size).randbytes(size), name)

    (fault,) = reading.report.errors
    assert (fault.code, fault.line) == ("not_utf8", 1)
    assert "not text: byte " in fault.message
    assert "\\u" not in fault.message


@pytest.mark.parametrize("encoding", ["cp1252", "cp1251", "shift_jis", "gb18030", "euc_kr"])
def test_text_of_another_encoding_is_told_by_column(encoding: str) -> None:
    words = {"cp1252": "Grüße", "cp1251": "Привет", "euc_kr": "안녕"}.get(encoding, "日本")

    _, reading = read(f"prompt,output_a,output_b\n{words * 30},a,b\n".encode(encoding))

    assert faults(reading) == [("not_utf8", 1, 2, "prompt")]
