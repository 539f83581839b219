"""YAML as plain JSON values, read from its events so that no document can grow while it is read.

Only the types that JSON has exist. A plain word is a text unless it is null, true, false or a
number as JSON spells it: `no` and `12:30` are texts, as their writer saw them.
"""

import math
import re
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from annotate.parsing.contract import JSON
from annotate.parsing.faults import HaltError, shown
from annotate.parsing.hazards import refused
from annotate.parsing.jsontext import ExactFloat
from evals.formats.log import Log

MAX_BYTES = 16 * 2**20
MAX_DEPTH = 32
MAX_ALIASES = 100
MAX_VALUES = 500_000
MAX_DIGITS = 300
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
WORDS: dict[str, JSON] = {"": None, "~": None, "null": None, "true": True, "false": False}
TEXT_TAG = "tag:yaml.org,2002:str"


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the line where it begins and how many values are in it."""

    value: JSON
    line: int
    size: int = 1
    items: "tuple[Node, ...]" = ()


class YAMLText:
    """Reads one document; faults go to the log and end the reading."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._anchors: dict[str, Node] = {}
        self._aliases = 0
        self._total = 0

    def read(self, stream: BinaryIO) -> Node:
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            self._halt("file_too_large", f"YAML files may have {MAX_BYTES:,} bytes. Use JSONL.", 1)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self._halt("not_utf8", "holds bytes that are not UTF-8. Save it as UTF-8.", line)
        self._events = yaml.parse(text, Loader=yaml.CSafeLoader)
        try:
            return self._document()
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            problem = getattr(error, "problem", None) or "it cannot be read"
            line = mark.line + 1 if mark else 1
            self._halt("yaml_syntax", f"not valid YAML: {problem}. Correct it.", line)

    def _document(self) -> Node:
        root: Node | None = None
        for event in self._events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                self._halt("yaml_documents", "a second document begins. Keep one.", _line(event))
            if isinstance(event, NodeEvent):
                root = self._node(event, 1)
        return root or Node(None, 1)

    def _node(self, event: Event, depth: int) -> Node:
        if depth > MAX_DEPTH:
            text = f"nested deeper than {MAX_DEPTH} levels. Flatten it."
            self._halt("yaml_too_deep", text, _line(event))
        node = self._read(event, depth)
        anchor = getattr(event, "anchor", None)
        if anchor and not isinstance(event, AliasEvent):
            self._anchors[anchor] = node
        return node

    def _read(self, event: Event, depth: int) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._count(1, event)
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        self._refuse_tag(event, ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"))
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, depth)
        return self._mapping(event, depth)

    def _alias(self, event: AliasEvent) -> Node:
        self._aliases += 1
        node = self._anchors.get(event.anchor or "")
        if self._aliases > MAX_ALIASES:
            text = f"more than {MAX_ALIASES} aliases (*name). Write the values out."
            self._halt("yaml_aliases", text, _line(event))
        if node is None:
            # An alias inside of what it names is unknown here too: it would have no end.
            name = shown(event.anchor or "")[1:-1]
            text = f"the alias *{name} names nothing that is complete. Write the value out."
            self._halt("yaml_aliases", text, _line(event))
        self._count(node.size, event)
        return Node(node.value, _line(event), node.size, node.items)

    def _count(self, size: int, event: Event) -> None:
        self._total += size
        if self._total > MAX_VALUES:
            text = f"more than {MAX_VALUES:,} values, aliases counted in full. Use JSONL."
            self._halt("yaml_aliases" if self._aliases else "too_many_rows", text, _line(event))

    def _scalar(self, event: ScalarEvent) -> Node:
        self._refuse_tag(event, (TEXT_TAG,))
        if bad := refused(event.value):
            code = "nul_character" if bad == "\x00" else "lone_surrogate"
            self._halt(code, "holds a character that cannot be stored. Remove it.", _line(event))
        plain = event.implicit[0] and event.style in (None, "")
        value: JSON = _plain(event.value) if plain and event.tag != TEXT_TAG else event.value
        return Node(value, _line(event))

    def _sequence(self, event: Event, depth: int) -> Node:
        items: list[Node] = []
        while isinstance(inner := next(self._events), NodeEvent):
            items.append(self._node(inner, depth + 1))
        values: list[JSON] = [item.value for item in items]
        size = 1 + sum(item.size for item in items)
        return Node(values, _line(event), size, tuple(items))

    def _mapping(self, event: Event, depth: int) -> Node:
        values: dict[str, JSON] = {}
        items: list[Node] = []
        while isinstance(inner := next(self._events), NodeEvent):
            key = self._key(self._node(inner, depth + 1), values)
            item = self._node(next(self._events), depth + 1)
            values[key] = item.value
            items.append(item)
        size = 1 + sum(item.size + 1 for item in items)
        return Node(values, _line(event), size, tuple(items))

    def _key(self, node: Node, known: dict[str, JSON]) -> str:
        key = node.value
        if isinstance(key, bool | int | float) or key is None:
            text = "a key is no text. Put quotation marks around it."
            self._halt("yaml_key", text, node.line)
        if not isinstance(key, str) or key == "<<":
            self._halt("yaml_key", "a key must be a text; merging (<<) is not done.", node.line)
        if key in known:
            text = f"the key {shown(key, 40)} appears twice. Remove one of them."
            self._halt("duplicate_key", text, node.line)
        return key

    def _refuse_tag(self, event: Event, known: tuple[str, ...]) -> None:
        tag = getattr(event, "tag", None)
        if tag is not None and tag not in (*known, "!"):
            text = f"the tag {shown(tag, 60)} is not read. Write plain values."
            self._halt("yaml_tag", text, _line(event))

    def _halt(self, code: str, text: str, line: int) -> NoReturn:
        self._log.error(code, text, line=line)
        raise HaltError


def _plain(text: str) -> JSON:
    if text in WORDS:
        return WORDS[text]
    match = NUMBER.fullmatch(text)
    if match is None or len(text) > MAX_DIGITS:
        return text
    if match.group(1) is None and match.group(2) is None:
        return int(text)
    number = float(text)
    if math.isinf(number):
        return text
    return number if repr(number) == text else ExactFloat(text)


def _line(event: Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
