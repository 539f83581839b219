"""A case as it will be asked, for a page: plain texts, cut where they are very long."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from annotate.reports import storable
from evals.formats.chat import content_text, tool_calls_of

MOST_CHARS = 4_000
LABEL_CHARS = 120
SPEAKERS = {
    "system": "System",
    "developer": "Developer",
    "user": "User",
    "assistant": "Assistant",
    "tool": "Tool result",
    "function": "Tool result",
}


@dataclass(frozen=True, slots=True)
class Text:
    """A text with what it is; `code` has its spaces kept in even columns."""

    label: str
    text: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class ShownTool:
    name: str
    words: str
    parameters: str


@dataclass(frozen=True, slots=True)
class ShownCase:
    position: int
    case_id: str
    category: str
    split: str
    turns: Sequence[Text]
    tools: Sequence[ShownTool]
    expected: Sequence[Text]
    scorer: str
    parameters: str
    metadata: Sequence[Text]


def shown_case(position: int, data: Mapping[str, Any]) -> ShownCase:
    """`data` as CaseRecord.as_data() has it."""
    scorer = data["scorer"] or {}
    parameters = scorer.get("parameters") or {}
    return ShownCase(
        position=position,
        case_id=_cut(data["id"], LABEL_CHARS),
        category=_cut(data["category"], LABEL_CHARS),
        split=data["split"],
        turns=[_turn(message) for message in data["messages"]],
        tools=[_tool(tool) for tool in data["tools"]],
        expected=list(_expected(data["expected"])),
        scorer=scorer.get("name", ""),
        parameters=_cut(", ".join(f"{name} {_plain(one)}" for name, one in parameters.items())),
        metadata=[
            Text(_cut(name, LABEL_CHARS), _cut(_spelled(value)))
            for name, value in data["metadata"].items()
        ],
    )


def _turn(message: Mapping[str, Any]) -> Text:
    said = content_text(message.get("content"))
    content = message.get("content")
    parts = [said if said is not None else _spelled(content)] if content is not None else []
    parts += [f"{call.name}({call.raw})" for call in tool_calls_of(dict(message))]
    speaker = SPEAKERS.get(str(message.get("role")), "Message")
    return Text(speaker, _cut("\n".join(part for part in parts if part)))


def _tool(tool: Mapping[str, Any]) -> ShownTool:
    function = tool.get("function")
    inner = function if isinstance(function, Mapping) else tool
    parameters = inner.get("parameters")
    return ShownTool(
        _cut(str(inner.get("name") or tool.get("type") or ""), LABEL_CHARS),
        _cut(str(inner.get("description") or "")),
        _json(parameters) if parameters else "",
    )


def _expected(expected: Mapping[str, Any]) -> list[Text]:
    """One text for each thing that is expected; none where nothing is."""
    answers = expected.get("answers", [])
    label = "Answer" if len(answers) == 1 else f"Any of {len(answers)} answers"
    told = [Text(label, _cut(answer)) for answer in answers]
    calls = expected.get("tool_calls")
    if calls is not None and not calls:
        told.append(Text("Tool calls", "No call is right."))
    told += [Text("Tool call", _cut(_call(call)), code=True) for call in calls or []]
    if "schema" in expected:
        told.append(Text("JSON that fits this schema", _json(expected["schema"]), code=True))
    if "refuse" in expected:
        told.append(Text("Refusal", "A refusal." if expected["refuse"] else "No refusal."))
    return told


def _call(call: Mapping[str, Any]) -> str:
    lines = [f"  {name} = {_argument(value)}" for name, value in call["arguments"].items()]
    return "\n".join([f"{call['name']}(", *lines, ")"]) if lines else f"{call['name']}()"


def _argument(value: Any) -> str:
    accepted = value.get("any_of", [value]) if isinstance(value, Mapping) else [value]
    optional = isinstance(value, Mapping) and value.get("optional", False)
    words = " or ".join(_plain(one) for one in accepted)
    if not optional:
        return words
    return f"{words}, or left out" if words else "left out"


def _json(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, indent=2))


def _plain(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _spelled(value: Any) -> str:
    return value if isinstance(value, str) else _plain(value)


def _cut(text: str, limit: int = MOST_CHARS) -> str:
    text = storable(text)
    return text if len(text) <= limit else text[:limit] + " …"
