"""What a file is, told from its content: its name is a claim that decides only between texts."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import BinaryIO

from annotate.parsing.contract import Fault, Limits, Source
from annotate.parsing.delimited import DelimitedReader
from annotate.parsing.faults import HaltError
from annotate.parsing.lines import CountedStream, start_of_text, uncounted
from annotate.parsing.sniffing import recognise as refuse_binary
from evals.formats.archive import Archive, ArchiveError
from evals.formats.entries import LIMITS
from evals.formats.log import Log
from evals.formats.records import Kind, Recognised

HEAD_BYTES = 1 << 20
ZIP = b"PK\x03\x04"
READ = (
    "Read are suites (JSONL, CSV, YAML, BFCL, OpenAI evals, fine-tuning files) and outputs "
    "(OpenAI Batch, hosted evals, promptfoo, lm-eval samples, Inspect, AlpacaEval, MT-bench, "
    "CSV or JSONL with prompt and output)."
)
# A text that is cut off is one token too: looking for its end again and again would take hours.
TOKEN = re.compile(r'("(?:[^"\\]++|\\.)*+"?)(\s*+:)?|[\[\]{},]', re.DOTALL)
DEPTH = 4
CASES: Kind = "cases"
OUTPUTS: Kind = "outputs"
COMPANION: Kind = "companion"

Keys = frozenset[str]
SUITE_MARKS = {"expected", "scorer", "split", "answers", "reference", "ideal", "answer"}
OUTPUT_NAMES = {"output", "response", "completion", "model_output", "generated_text"}
PROMPT_NAMES = {"prompt", "instruction", "question", "input", "messages"}


@dataclass(frozen=True, slots=True)
class Known:
    """A format: what its first record holds, and how a preview calls it."""

    format: str
    kind: Kind
    words: str
    test: Callable[[Keys], bool]
    alternatives: tuple[str, ...] = ()


def _has(*names: str) -> Callable[[Keys], bool]:
    return lambda keys: keys.issuperset(names)


def _any(required: set[str], one_of: set[str]) -> Callable[[Keys], bool]:
    return lambda keys: keys >= required and bool(keys & one_of)


# The first that fits: what is particular stands before what is general.
KNOWN = (
    Known(
        "batch_output",
        OUTPUTS,
        "OpenAI Batch output: answers in any order, joined to their requests by custom_id",
        _any({"custom_id"}, {"response", "error"}),
    ),
    Known(
        "batch_input",
        COMPANION,
        "OpenAI Batch requests: prompts that belong to an output file",
        _has("custom_id", "body"),
    ),
    Known(
        "hosted_items",
        OUTPUTS,
        "Output items of OpenAI's hosted evaluations",
        _any({"datasource_item"}, {"sample", "results", "datasource_item_id"}),
    ),
    Known(
        "promptfoo_jsonl",
        OUTPUTS,
        "promptfoo results, one a line",
        _any({"promptIdx", "testIdx"}, {"response", "provider", "error"}),
    ),
    Known(
        "lm_eval_samples",
        OUTPUTS,
        "lm-eval samples: one line for each document and filter",
        _has("doc_id", "doc", "resps"),
    ),
    Known(
        "bfcl_answers",
        COMPANION,
        "BFCL accepted answers, which belong to a file of questions",
        _has("id", "ground_truth"),
    ),
    Known("bfcl", CASES, "BFCL tool-calling questions", _has("id", "question", "function")),
    Known(
        "mt_bench_answers",
        OUTPUTS,
        "MT-bench answers: one line a question, with a text for each turn",
        _any({"question_id", "choices"}, {"model_id", "answer_id"}),
    ),
    Known(
        "mt_bench_questions",
        COMPANION,
        "MT-bench questions, which belong to a file of answers",
        _has("question_id", "turns"),
    ),
    Known(
        "fine_tuning",
        CASES,
        "Preference pairs for fine-tuning: the preferred answer is expected",
        lambda keys: (
            bool(keys & {"preferred_output", "preferred_completion"})
            or {"prompt", "chosen", "rejected"} <= keys
        ),
    ),
    Known("openai_evals", CASES, "OpenAI evals samples (input, ideal)", _has("input", "ideal")),
    Known(
        "suite",
        CASES,
        "A suite of cases",
        _any(set(), SUITE_MARKS),
    ),
    Known(
        "fine_tuning",
        CASES,
        "Fine-tuning examples: the last message of the assistant is expected",
        lambda keys: "messages" in keys and not keys & OUTPUT_NAMES,
        ("suite",),
    ),
    Known(
        "alpaca_outputs",
        OUTPUTS,
        "AlpacaEval outputs, joined by the text of the instruction",
        _any({"instruction", "output"}, {"generator", "dataset", "datasplit"}),
    ),
    Known(
        "fine_tuning",
        CASES,
        "Fine-tuning examples of the older kind (prompt, completion)",
        lambda keys: {"prompt", "completion"} <= keys and not keys & {"id", "output", "model"},
        ("plain",),
    ),
    Known(
        "plain",
        OUTPUTS,
        "Prompts with one output each",
        lambda keys: bool(keys & PROMPT_NAMES) and bool(keys & OUTPUT_NAMES),
    ),
    Known("suite", CASES, "A suite of prompts without expected answers", _has("prompt")),
)

# Known, but nothing that can be read here: (keys, what it is, what to do).
OTHERS: tuple[tuple[Callable[[Keys], bool], str], ...] = (
    (
        _any({"instruction", "preference"}, {"generator_1", "generator_2", "annotator"}),
        "holds AlpacaEval annotations. Add the outputs (model_outputs.json) instead.",
    ),
    (
        _any({"question_id", "judge"}, {"judgment", "g1_winner", "winner"}),
        "holds judgements of MT-bench or an arena. Add the answers of a model instead.",
    ),
    (
        _any(set(), {"spec", "final_report"}),
        "is a record log of OpenAI evals. Add the samples (input, ideal) or stored outputs.",
    ),
    (
        lambda keys: {"chosen", "rejected"} <= keys and "prompt" not in keys,
        "has pairs without prompts. Add a prompt to each.",
    ),
    (_has("results", "configs"), "holds the totals of lm-eval. Add samples_….jsonl instead."),
)
DOCUMENTS: tuple[tuple[Callable[[Keys], bool], str, str], ...] = (
    (_has("results.table"), "promptfoo_table", "promptfoo results of version 2 (a table)"),
    (
        _any({"results"}, {"results.prompts", "results.results"}),
        "promptfoo_json",
        "promptfoo results",
    ),
    (_any({"eval"}, {"status", "samples", "plan"}), "inspect_json", "An Inspect log (JSON)"),
)


def recognise(source: Source, limits: Limits = LIMITS) -> Recognised | Fault:
    """What `source` is by its content, or why it cannot be read."""
    log = Log()
    with source.open() as stream:
        try:
            found = _recognised(source, stream, limits, log)
        except HaltError:
            return log.errors[0]
    return found


def _recognised(source: Source, stream: BinaryIO, limits: Limits, log: Log) -> Recognised | Fault:
    if stream.read(4) == ZIP:
        return _archive(stream)
    # The name is set aside: it would refuse .yaml and .eval unread.
    refuse_binary(replace(source, name="file.json"), stream, limits, log, "")
    stream.seek(start_of_text(stream))
    head = stream.read(HEAD_BYTES).decode("utf-8", "replace")
    first = head.lstrip()[:1]
    if first and first in "{[":
        return _json(head)
    ending = source.name.rpartition(".")[2].lower()
    if ending in ("yaml", "yml") or _looks_like_yaml(head):
        return Recognised("suite", CASES, "A suite of cases (YAML)", "yaml")
    return _table(stream, "tsv" if ending == "tsv" else "csv", limits)


def _archive(stream: BinaryIO) -> Recognised | Fault:
    try:
        names = Archive(stream).names
    except ArchiveError as error:
        return Fault(error.code, str(error))
    if any(name in ("header.json", "_journal/start.json") for name in names):
        return Recognised("inspect_eval", OUTPUTS, "An Inspect log (.eval)", "zip")
    return Fault("unknown_format", f"The archive is no Inspect log. Unpack it. {READ}")


def _json(head: str) -> Recognised | Fault:
    keys = head_keys(head)
    if head.lstrip()[0] == "[":
        return _records(_under(keys, "[]"), "array")
    for test, name, words in DOCUMENTS:
        if test(keys) and not {"doc_id", "custom_id"} & keys:
            return Recognised(name, OUTPUTS, words, "document")
    if _has("data", "data[].datasource_item")(keys):
        words = "Output items of OpenAI's hosted evaluations, a page of a list"
        return Recognised("hosted_items", OUTPUTS, words, "data")
    if "cases[]" in keys or "cases" in keys:
        return Recognised("suite", CASES, "A suite of cases (JSON)", "cases")
    return _records(head_keys(head, first_only=True), "lines")


def _records(keys: Keys, layout: str) -> Recognised | Fault:
    plain = frozenset(key for key in keys if "." not in key and "[" not in key)
    for test, told in OTHERS:
        if test(plain):
            return Fault("unknown_format", f"The file {told}")
    for known in KNOWN:
        if known.test(plain):
            return Recognised(
                known.format,
                known.kind,
                known.words,
                layout,
                not known.alternatives,
                known.alternatives,
            )
    found = ", ".join(sorted(plain)[:12]) or "none"
    return Fault("unknown_format", f"No known format has these keys: {found}. {READ}", 1, 1)


def _under(keys: Keys, start: str) -> Keys:
    return frozenset(key[len(start) + 1 :] for key in keys if key.startswith(start + "."))


def _looks_like_yaml(head: str) -> bool:
    for line in head.splitlines()[:50]:
        if line.strip() and not line.startswith("#"):
            return bool(re.match(r"---|- |%YAML|(?:cases|name|version|description)\s*:", line))
    return False


def _table(stream: BinaryIO, kind: str, limits: Limits) -> Recognised | Fault:
    log = Log()
    try:
        reader = DelimitedReader(CountedStream(stream, uncounted), stream, kind, limits, log, "")
    except HaltError:
        return log.errors[0]
    found = _records(frozenset(name.strip().casefold() for name in reader.header), kind)
    if isinstance(found, Fault) or found.format not in ("suite", "plain", "fine_tuning"):
        told = ", ".join(reader.header[:12])
        text = f"Line 1: no column is called prompt. Columns: {told}. {READ}"
        return Fault("unknown_format", text, None, 1)
    if found.format == "fine_tuning":
        # Training files are never tables: these are a model's completions.
        return Recognised("plain", OUTPUTS, "Prompts with one output each", kind)
    return found


def head_keys(text: str, *, first_only: bool = False) -> Keys:
    """Paths of the keys at the start of a JSON text, which may be cut off anywhere.

    "a.b" is b inside of a, "a[]" the elements of the array a. `first_only`: of the first value.
    """
    found: set[str] = set()
    containers: list[str] = []
    member = ""
    for token in TOKEN.finditer(text):
        sign = token.group()[0]
        if sign in "{[":
            # Paths of deeper containers would grow with every bracket.
            inside = f"{member}[]" if sign == "[" else member
            member = inside if len(containers) < DEPTH else ""
            containers.append(member)
        elif sign in "}]":
            member = _left(containers)
            if first_only and not containers:
                break
        elif sign == "," and containers:
            member = containers[-1]
        elif token.group(2) and 0 < len(containers) <= DEPTH:
            member = _join(containers[-1], token.group(1)[1:-1])
            found.add(member)
    return frozenset(found)


def _left(containers: list[str]) -> str:
    """Leave the innermost container: the path of the one around it."""
    if containers:
        containers.pop()
    return containers[-1] if containers else ""


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
