"""Inspect logs: archives of every layout and packing, and what must not be believed of them."""

import json
import time
import zipfile
from typing import Any

import pytest

from annotate.parsing import Fault
from evals.formats import ImportedScore, OutputRecord, Recognised, Tokens, recognise
from evals.formats.archive import Archive, ArchiveError
from tests.evals.format_inputs import codes, outputs, source, warned, zipped, zstd_zipped


def header(**config: Any) -> dict[str, Any]:
    told = {"task": "t", "model": "openai/m", "model_generate_config": config}
    return {"version": 2, "status": "success", "eval": told, "plan": {}, "results": {}}


def sample(number: int = 1, epoch: int = 1, **more: Any) -> dict[str, Any]:
    call = {"id": "c", "function": "track", "arguments": {"order": "NP-1"}, "type": "function"}
    message = {"role": "assistant", "content": "It is on its way.", "tool_calls": [call]}
    return {
        "id": number,
        "epoch": epoch,
        "input": "Where is NP-1?",
        "target": "on its way",
        "output": {
            "model": "m-1",
            "choices": [{"message": message, "stop_reason": "max_tokens"}],
            "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15},
            "time": 1.25,
        },
        "scores": {"match": {"value": "C", "answer": "on its way"}},
        "metadata": {"category": "adversarial"},
        "events": [{"event": "model", "cache": None}],
        "error": None,
        **more,
    }


def members(*samples: dict[str, Any], **config: Any) -> dict[str, Any]:
    named = {f"samples/{one['id']}_epoch_{one['epoch']}.json": one for one in samples}
    return {"_journal/start.json": header(**config), **named, "header.json": header(**config)}


def assert_read(output: OutputRecord) -> None:
    assert (output.key, output.sample, output.prompt) == ("1", 1, "Where is NP-1?")
    assert output.text == "It is on its way."
    assert [(c.name, c.arguments) for c in output.tool_calls or ()] == [
        ("track", {"order": "NP-1"})
    ]
    assert output.truncated
    assert output.latency_ms == 1250.0
    assert output.tokens == Tokens(10, 5)
    assert output.scores == {"match": ImportedScore("C")}
    assert output.model == "m-1"
    assert output.metadata["category"] == "adversarial"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_archive_is_read(method: int) -> None:
    found, report = outputs(source(zipped(members(sample()), method), "run.eval"))

    assert report.errors == []
    assert_read(found[0])


@pytest.mark.parametrize("frames", [1, 3])
def test_an_archive_packed_with_zstd_is_read_in_all_its_frames(frames: int) -> None:
    found, report = outputs(source(zstd_zipped(members(sample()), frames=frames), "run.eval"))

    assert report.errors == []
    assert_read(found[0])


def test_a_json_log_is_read() -> None:
    found, report = outputs(json.dumps({**header(), "samples": [sample()]}, indent=2))

    assert report.errors == []
    assert_read(found[0])


def test_epochs_are_samples_of_one_case() -> None:
    log = zipped(members(sample(1, 1), sample(1, 2), sample(2, 1)))
    found, report = outputs(source(log))

    assert report.errors == []
    assert [(o.key, o.sample) for o in found] == [("1", 1), ("1", 2), ("2", 1)]


def test_nan_is_unscored_and_is_never_a_zero() -> None:
    scores = {"match": {"value": float("nan")}, "rubric": {"value": {"tone": 1, "facts": 0}}}
    found, report = outputs(source(zipped(members(sample(scores=scores)))))

    assert report.errors == []
    assert found[0].scores["match"].value is None
    assert found[0].scores["match"].reason
    assert found[0].scores["rubric"] == ImportedScore({"tone": 1, "facts": 0})


@pytest.mark.parametrize(
    ("config", "events"),
    [
        ({}, [{"event": "model", "cache": "read"}]),
        ({"batch": True}, [{"event": "model"}]),
    ],
)
def test_caches_and_batches_have_no_latency(
    config: dict[str, Any], events: list[dict[str, Any]]
) -> None:
    found, _ = outputs(source(zipped(members(sample(events=events), **config))))

    assert found[0].latency_ms is None


def test_several_calls_to_the_model_are_told() -> None:
    events = [{"event": "model"}, {"event": "tool"}, {"event": "model"}]
    _, report = outputs(source(zipped(members(sample(events=events)))))

    assert "several_calls" in warned(report)


def test_attachments_are_put_in_their_places() -> None:
    long = sample(input="attachment://abc", attachments={"abc": "A long question"})
    found, _ = outputs(source(zipped(members(long))))

    assert found[0].prompt == "A long question"


def test_an_unfinished_archive_has_a_journal_only() -> None:
    parts = members(sample())
    del parts["header.json"]
    found, report = outputs(source(zipped(parts)))

    assert report.errors == []
    assert len(found) == 1
    assert "unfinished" in warned(report)


def test_the_chunked_layout_is_read_beside_the_other() -> None:
    shell = sample(2, input="attachment://2", message_refs=[[0, 1]])
    for name in ("events", "metadata"):
        del shell[name]
    shell["output"]["choices"][0]["message"]["content"] = "attachment://0"
    chunked = {
        "samples/2_epoch_1/sample.json": shell,
        "samples/2_epoch_1/metadata.json": {"category": "simple"},
        "samples/2_epoch_1/skeleton.json": {},
        "samples/2_epoch_1/messages/0.json": [],
        "samples/2_epoch_1/events/0.json": [{"event": "model"}],
        "samples/2_epoch_1/events/stats.json": {},
        "samples/2_epoch_1/attachments/0.json": ["zero", "one"],
        "samples/2_epoch_1/attachments/2.json": ["two"],
    }
    found, report = outputs(source(zstd_zipped({**members(sample(1)), **chunked})))

    assert report.errors == []
    assert_read(found[0])
    assert (found[1].key, found[1].prompt, found[1].text) == ("2", "two", "zero")
    assert found[1].metadata["category"] == "simple"
    assert found[1].latency_ms == 1250.0


def test_errors_and_limits_are_kept() -> None:
    failed = sample(1, error={"message": "timeout", "traceback": "…"}, output={"choices": []})
    stopped = sample(2, output={"choices": []}, limit={"type": "token", "limit": 10})
    found, report = outputs(source(zipped(members(failed, stopped))))

    assert [o.error for o in found] == ["timeout", "stopped at the limit of token"]
    assert "failed" in warned(report)


def test_a_fault_inside_of_an_archive_names_its_member() -> None:
    log = zipped({**members(sample(1)), "samples/2_epoch_1.json": b'{"id": 2,\n"epoch": }'})
    found, report = outputs(source(log))

    assert len(found) == 1
    assert codes(report) == ["json_syntax"]
    assert "samples/2_epoch_1.json" in report.errors[0].message
    assert report.errors[0].line == 2


def test_a_sample_with_huge_events_is_read_without_holding_them() -> None:
    events = [{"event": "info", "data": "x" * 1000}] * 40_000
    found, report = outputs(source(zipped(members(sample(events=events)))))

    assert report.errors == []
    assert found[0].text == "It is on its way."


@pytest.mark.parametrize("pack", [zipped, zstd_zipped])
def test_a_bomb_stops_at_its_cap(pack: Any) -> None:
    data = pack({"header.json": b"\0" * (64 * 2**20)})
    archive = Archive(source(data).open(), member_cap=2**20)
    start = time.monotonic()

    with pytest.raises(ArchiveError) as caught:
        archive.read("header.json")

    assert caught.value.code == "zip_too_large"
    assert time.monotonic() - start < 2


def test_all_members_together_have_a_cap() -> None:
    data = zipped({f"{n}": b"x" * 1000 for n in range(10)})
    archive = Archive(source(data).open(), total_cap=5000)

    with pytest.raises(ArchiveError) as caught:
        [archive.read(name) for name in archive.names]

    assert caught.value.code == "zip_too_large"


@pytest.mark.parametrize("cut", [600, 700])
def test_a_damaged_archive_is_a_fault(cut: int) -> None:
    data = bytearray(zipped(members(sample())))
    data[cut : cut + 8] = b"\xff" * 8
    _, report = outputs(source(bytes(data), "run.eval"))

    assert report.error_count == 1
    assert codes(report)[0] in ("zip_damaged", "json_syntax", "zip_method", "not_utf8")


def test_an_archive_that_is_cut_off_is_not_recognised() -> None:
    found = recognise(source(zipped(members(sample()))[:-30], "run.eval"))

    assert isinstance(found, Fault)
    assert found.code == "zip_damaged"


def test_other_archives_are_not_logs() -> None:
    found = recognise(source(zipped({"word/document.xml": b"<x/>"}), "run.eval"))

    assert isinstance(found, Fault)
    assert found.code == "unknown_format"


def test_an_archive_is_recognised_under_any_name() -> None:
    found = recognise(source(zipped(members(sample())), "data.bin"))

    assert isinstance(found, Recognised)
    assert found.format == "inspect_eval"


@pytest.mark.parametrize("pack", [zipped, zstd_zipped])
def test_a_changed_byte_is_at_most_a_fault(pack: Any) -> None:
    data = pack(members(sample()))
    for at in range(0, len(data), 7):
        broken = data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :]
        found, report = outputs(source(broken, "run.eval"))
        assert found or report.errors, at
