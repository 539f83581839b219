"""Two files, one for each system."""

import json

import pytest

from annotate.parsing import Reading, Row
from tests.annotate.parsing_inputs import codes, faults, read, source, warned


def outputs(system: str, keys: list[str], **extra: str) -> list[dict[str, str]]:
    return [
        {"instruction": f"Do {key}", "output": f"{system} {key}", "generator": system, **extra}
        for key in keys
    ]


def lines(records: list[dict[str, str]]) -> str:
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize("swap", [False, True])
def test_alpaca_eval_records_are_joined_on_the_instruction_in_any_order(swap: bool) -> None:
    first = json.dumps(outputs("old", ["é", "b", "c"]), ensure_ascii=False, indent=1)
    second = json.dumps(outputs("new", ["c", "é", "b"]), ensure_ascii=False)

    rows, reading = read(first, "old.json", source(second, "new.json"), swap=swap)

    assert reading.report.accepted, faults(reading)
    assert reading.report.rows == 3
    sides = ("new", "old") if swap else ("old", "new")
    assert rows[0] == Row(
        row=1,
        line=2,
        item_id=None,
        category="",
        prompt="Do é",
        baseline_output=f"{sides[0]} é",
        candidate_output=f"{sides[1]} é",
        reference=None,
        metadata={"baseline": {"generator": sides[0]}, "candidate": {"generator": sides[1]}},
    )


def test_formats_may_differ_and_ids_are_preferred_to_prompts() -> None:
    first = '\ufeffid,prompt,output,category\r\n1,"p\r\nq",a1,c\r\n2,r,a2,c\r\n'
    second = '{"id": 2, "output": "b2"}\n\n{"id": "1", "output": {"x": "é"}, "prompt": "other"}\n'

    rows, reading = read(first, "a.csv", source(second, "b.ndjson"))

    assert reading.report.accepted, faults(reading)
    assert [(r.item_id, r.prompt, r.baseline_output, r.candidate_output) for r in rows] == [
        ("1", "p\r\nq", "a1", '{"x":"é"}'),
        ("2", "r", "a2", "b2"),
    ]
    assert [row.category for row in rows] == ["c", "c"]
    assert warned(reading) == {"different_prompts"}


@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_second_file_of_cells_is_found_again_by_offset(ending: str) -> None:
    sign = "," if ending == "csv" else "\t"
    first = sign.join(("prompt", "output")) + "\n" + f'"é{sign}\n1"{sign}a\nq{sign}b\n'
    second = sign.join(("prompt", "output")) + "\n" + f'q{sign}"b""2"\n\n"é{sign}\n1"{sign}a2'

    rows, reading = read(first, f"a.{ending}", source(second, f"b.{ending}"))

    assert reading.report.accepted, faults(reading)
    assert [row.candidate_output for row in rows] == ["a2", 'b"2']


def test_missing_counterparts_are_told_for_both_files_with_name_and_line() -> None:
    first = lines(outputs("old", ["a", "b"]))
    second = lines(outputs("new", ["b", "c"]))

    rows, reading = read(first, "old.jsonl", source(second, "new.jsonl"))

    assert [row.prompt for row in rows] == ["Do b"]
    assert faults(reading) == [("missing_counterpart", 1, 1, "instruction")]
    assert reading.report.errors[0].message == (
        "old.jsonl, line 1, column instruction: new.jsonl has no record for it. Add it there, or "
        "remove it here."
    )


def test_records_only_the_second_file_has_are_told_once_the_first_is_read() -> None:
    first = lines(outputs("old", ["b"]))
    second = lines(outputs("new", ["a", "b", "c"]))

    _, reading = read(first, "old.jsonl", source(second, "new.jsonl"))

    assert faults(reading) == [
        ("missing_counterpart", 1, 1, "instruction"),
        ("missing_counterpart", 3, 3, "instruction"),
    ]
    assert reading.report.errors[0].message.startswith("new.jsonl, line 1, ")


@pytest.mark.parametrize("faulty", [0, 1])
def test_a_key_used_twice_in_either_file_is_refused(faulty: int) -> None:
    keys = [["a", "b"], ["a", "b"]]
    keys[faulty].append("a")
    texts = [lines(outputs("x", own)) for own in keys]

    _, reading = read(texts[0], "old.jsonl", source(texts[1], "new.jsonl"))

    assert faults(reading) == [("duplicate_join_key", 3, 3, "instruction")]
    assert ("old.jsonl", "new.jsonl")[faulty] in reading.report.errors[0].message
    assert "on line 1" in reading.report.errors[0].message


def test_a_faulty_record_is_told_without_blaming_its_counterpart() -> None:
    first = lines(outputs("old", ["a", "b"]))
    second = lines(outputs("new", ["a", "b"])).replace("new a", " ")

    _, reading = read(first, "old.jsonl", source(second, "new.jsonl"))

    assert faults(reading) == [("empty_value", 1, 1, "output")]


def test_a_file_without_an_output_column_says_so_by_name() -> None:
    second = '{"instruction": "Do a", "text": "x"}\n'

    _, reading = read(lines(outputs("old", ["a"])), "old.jsonl", source(second, "new.jsonl"))

    assert ("missing_column", None, 1, "output") in faults(reading)
    assert reading.report.errors[0].message.startswith("new.jsonl, line 1, column output: ")


def test_a_mapping_counts_for_both_files() -> None:
    first = '{"instruction": "p", "answer": "a"}\n'
    second = '{"instruction": "p", "answer": "b"}\n'

    rows, reading = read(
        first, "old.jsonl", source(second, "new.jsonl"), mapping={"answer": "candidate_output"}
    )

    assert reading.report.accepted, faults(reading)
    assert (rows[0].baseline_output, rows[0].candidate_output) == ("a", "b")


def test_mapping_a_column_of_one_file_only_is_no_fault() -> None:
    first = '{"instruction": "p", "old_answer": "a"}\n'
    second = '{"instruction": "p", "new_answer": "b"}\n'
    mapping = {"old_answer": "baseline_output", "new_answer": "candidate_output"}

    rows, reading = read(first, "old.jsonl", source(second, "new.jsonl"), mapping=mapping)

    assert reading.report.accepted, faults(reading)
    assert (rows[0].baseline_output, rows[0].candidate_output) == ("a", "b")


def test_mapping_in_one_file_leaves_the_other_recognised() -> None:
    first = '{"instruction": "p", "output": "a"}\n'
    second = '{"instruction": "p", "new_answer": "b"}\n'

    rows, reading = read(
        first, "old.jsonl", source(second, "new.jsonl"), mapping={"new_answer": "candidate_output"}
    )

    assert reading.report.accepted, faults(reading)
    assert (rows[0].baseline_output, rows[0].candidate_output) == ("a", "b")


def test_the_same_file_twice_gives_identical_outputs() -> None:
    text = lines(outputs("same", ["a", "b"]))

    _, reading = read(text, "a.jsonl", source(text, "a.jsonl"))

    assert reading.report.accepted
    assert "identical_outputs" in warned(reading)


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_cannot_be_read_is_named(which: int) -> None:
    good = lines(outputs("x", ["a"]))
    sources = [source(good, "a.jsonl"), source(good, "b.jsonl")]
    sources[which] = source(b"PK\x03\x04", "bad.csv")

    reading = Reading(sources)

    assert list(reading) == []
    assert codes(reading) == ["wrong_type"]
    assert reading.report.errors[0].message.startswith("bad.csv: ")


def test_two_files_of_one_name_are_told_apart() -> None:
    second = source(lines(outputs("new", ["a", "c"])), "out.jsonl")

    _, reading = read(lines(outputs("old", ["a", "b"])), "out.jsonl", second)

    (missing,) = [fault.message for fault in reading.report.errors]
    assert missing.startswith("out.jsonl (first file), line 2")
    assert "out.jsonl (second file) has no record for it" in missing
