"""Suites as this product writes them: JSON Lines, JSON, YAML or a table."""

import json
from collections.abc import Collection, Iterator

from annotate.parsing.columns import refusal
from annotate.parsing.contract import JSON
from annotate.parsing.delimited import DelimitedReader
from annotate.parsing.faults import shown
from annotate.parsing.hazards import refused
from annotate.parsing.lines import CountedStream, first_undecodable, uncounted
from evals.formats.chat import ShapeError, conversation, tools_of
from evals.formats.entries import Decoder, Entry, array_of, lines_of
from evals.formats.expectations import answers_of, expected_of, scorer_of, usual_scorer
from evals.formats.reading import Input, Job, Parts, Unique
from evals.formats.records import SPLITS, CaseRecord, Expected, Message, ScorerSpec, Split
from evals.formats.values import a_dict, a_key, rest
from evals.formats.yamltext import Node, YAMLText

PROMPTS = ("prompt", "input", "question", "instruction")
ANSWERS = ("answers", "answer", "reference", "ideal")
TAKEN = frozenset(
    {
        "id",
        "messages",
        "system",
        "tools",
        "expected",
        "expected_tool_calls",
        "schema",
        "category",
        "split",
        "scorer",
        "parameters",
        "metadata",
        *PROMPTS,
        *ANSWERS,
    }
)
# Cells of a table that hold JSON.
STRUCTURED = frozenset(
    {
        "messages",
        "tools",
        "tool_calls",
        "expected_tool_calls",
        "schema",
        "parameters",
        "answers",
        "metadata",
    }
)


def cases_of_suite(job: Job, scorers: Collection[str] | None) -> Iterator[CaseRecord]:
    """The cases of every input that is a suite."""
    unique = Unique(job.log)
    for one in job.only("suite"):
        for entry in _entries(one, job):
            parts = Parts(job.log, entry.row, entry.line, one.name)
            case = _case(entry, parts, scorers)
            # Ids of faulty cases count too: one reading tells all that is wrong.
            told = f"the id {shown(case.id)}"
            if not unique.refuse(told, entry.row, entry.line, case.id) and parts.sound:
                yield case


def _entries(one: Input, job: Job) -> Iterator[Entry]:
    decoder = Decoder(job.log, job.limits, file=one.name)
    layout = one.recognised.layout
    with one.source.open() as stream:
        if layout == "lines":
            yield from lines_of(stream, decoder)
        elif layout in ("array", "cases"):
            yield from array_of(stream, decoder, ("cases",) if layout == "cases" else ())
        elif layout == "yaml":
            yield from _yaml(YAMLText(job.log).read(stream), decoder)
        else:
            reader = DelimitedReader(
                CountedStream(stream, uncounted), stream, layout, job.limits, job.log, one.name
            )
            for record in reader:
                values = cells_of(record.values, record.row, record.line, decoder)
                if values is not None:
                    yield Entry(record.row, record.line, record.offset, values)
            job.log.add_byte(one.name, lambda: first_undecodable(stream))


def _yaml(root: Node, decoder: Decoder) -> Iterator[Entry]:
    """A list of cases, or an object with the list under `cases`."""
    if isinstance(root.value, dict):
        names = list(root.value)
        at = names.index("cases") if "cases" in names else -1
        root = root.items[at] if at >= 0 else root
    if not isinstance(root.value, list):
        decoder.fault("yaml_not_list", "no list of cases. Write `cases:` and a list.", None, 1)
        return
    for row, node in enumerate(root.items, 1):
        if isinstance(node.value, dict):
            yield Entry(row, node.line, 0, node.value)
        else:
            decoder.fault("row_not_object", "the case has no keys. Write id: …", row, node.line)


def cells_of(
    record: dict[str, JSON], row: int, line: int, decoder: Decoder
) -> dict[str, JSON] | None:
    """The cells of a table's row, those that hold JSON decoded; empty ones left out."""
    before = decoder.log.error_count
    values: dict[str, JSON] = {}
    for column, cell in record.items():
        name, text = column.strip().casefold(), str(cell)
        if bad := refused(text):
            code, told = refusal(bad, True)
            decoder.log.error(code, told, row=row, line=line, column=column, file=decoder.file)
        elif text.strip():
            values[name] = _cell(name, text, row, line, decoder)
    return values if decoder.log.error_count == before else None


def _cell(name: str, text: str, row: int, line: int, decoder: Decoder) -> JSON:
    if name in STRUCTURED:
        value, _ = decoder.value(text, row, line)
        return value
    if name == "expected" and text.lstrip().startswith("{") and _says_more(text):
        value, _ = decoder.value(text, row, line)
        return value
    return text


def _says_more(text: str) -> bool:
    """Whether an expected cell is an object of ours, and not JSON that is the answer itself."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return bool(value) and a_dict(value).keys() <= {"answers", "tool_calls", "schema", "refuse"}


def _case(entry: Entry, parts: Parts, scorers: Collection[str] | None) -> CaseRecord:
    values, take = entry.values, parts.take
    expected = take("expected", lambda: _expected(values), Expected())
    split: Split = "target"
    return CaseRecord(
        id=take("id", lambda: _id(values.get("id"), entry.row), ""),
        messages=take("prompt", lambda: _messages(values), ()),
        expected=expected,
        tools=take("tools", lambda: tools_of(values.get("tools")), ()),
        category=take("category", lambda: _word(values.get("category"), "category"), "")
        or "uncategorised",
        split=take("split", lambda: _split(values.get("split")), split),
        scorer=take("scorer", lambda: _scorer(values, scorers), None) or usual_scorer(expected),
        metadata=rest(values, TAKEN) | rest(a_dict(values.get("metadata")), frozenset()),
        row=entry.row,
        line=entry.line,
    )


def _id(value: JSON, row: int) -> str:
    if value is None or value == "":
        return f"case-{row}"
    key = a_key(value)
    if key is None:
        raise ShapeError("id is no text. Quote it.")
    return key


def _messages(values: dict[str, JSON]) -> tuple[Message, ...]:
    given = values.get("messages")
    prompt = next((values[name] for name in PROMPTS if values.get(name) is not None), None)
    if given is not None and prompt is not None:
        raise ShapeError("both prompt and messages are there. Keep one of them.")
    if given is None and prompt is None:
        raise ShapeError("neither prompt nor messages are there. Write one of them.")
    messages = conversation(prompt if given is None else given)
    system = values.get("system")
    if system is None:
        return messages
    if not isinstance(system, str):
        raise ShapeError("system is no text. Quote it.")
    return ({"role": "system", "content": system}, *messages)


def _expected(values: dict[str, JSON]) -> Expected:
    given = [name for name in ("expected", *ANSWERS) if values.get(name) is not None]
    if len(given) > 1:
        told = " and ".join(given[:2])
        raise ShapeError(f"{told} both say what is expected. Keep one of them.")
    if given and given[0] != "expected":
        return Expected(answers=answers_of(values[given[0]]))
    apart = {
        name: values[key]
        for name, key in (("tool_calls", "expected_tool_calls"), ("schema", "schema"))
        if values.get(key) is not None
    }
    expected = values.get("expected")
    if not apart:
        return expected_of(expected)
    base: dict[str, JSON] = expected if isinstance(expected, dict) else {"answers": expected}
    return expected_of({**base, **apart})


def _word(value: JSON, name: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ShapeError(f"{name} is no text. Quote it.")
    return value.strip()


def _split(value: JSON) -> Split:
    word = _word(value, "split").casefold() or "target"
    for split in SPLITS:
        if word == split:
            return split
    raise ShapeError(f"the split {shown(word, 40)} is unknown. Write target or general.")


def _scorer(values: dict[str, JSON], scorers: Collection[str] | None) -> ScorerSpec | None:
    given, parameters = values.get("scorer"), values.get("parameters")
    if parameters is not None and not isinstance(given, str):
        raise ShapeError("parameters stand beside a scorer's name. Name the scorer.")
    if isinstance(given, str) and parameters is not None:
        return scorer_of({"name": given, "parameters": parameters}, scorers)
    return scorer_of(given, scorers)
