"""A prompt and two outputs, ready for the page: both sides go through the same door."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from annotate.blinding import BlindPair
from annotate.parsing import Message, compact, conversation
from annotate.showing.blocks import Block, Formatted, Nothing, Span, paragraphs
from annotate.showing.differing import differences
from annotate.showing.formatted import formatted
from annotate.showing.hidden import has_hidden, name_hidden
from annotate.showing.structured import Members, called, parse, structured

# Who speaks, in words that name no maker; what is not listed is a message.
SPEAKERS = {
    "user": "User",
    "human": "User",
    "assistant": "Assistant",
    "ai": "Assistant",
    "model": "Assistant",
    "bot": "Assistant",
    "tool": "Tool result",
    "function": "Tool result",
}
CONTEXT = {"system", "developer"}
# Characters; about four lines of a phone.
LONG_CONTEXT = 160


class View(StrEnum):
    """The ways to look at a pair."""

    PLAIN = "plain"
    MARKDOWN = "markdown"
    DIFF = "diff"
    HIDDEN = "hidden"

    @classmethod
    def of(cls, name: str | None) -> "View":
        """The view an address asks for; an unknown name is the plain one."""
        return cls(name) if name in {view.value for view in cls} else cls.PLAIN


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the prompt; `speaker` is empty where the prompt is a single text."""

    speaker: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class ShownPair:
    """All that the page shows of an item."""

    turns: list[Turn]
    given: list[Turn]
    left: list[Block]
    right: list[Block]
    has_hidden: bool
    # Whether the context is so long that it would push the outputs out of a small screen.
    given_is_long: bool


def show_pair(pair: BlindPair, view: View = View.PLAIN) -> ShownPair:
    turns, given = show_turns(pair.prompt, view)
    left, right = _outputs(pair.left, pair.right, view)
    hidden = has_hidden(pair.prompt, pair.left, pair.right)
    return ShownPair(turns, given, left, right, hidden, _is_long(pair.prompt))


def _is_long(prompt: str) -> bool:
    messages = conversation(prompt) or []
    given = (len(one.content) for one in messages if one.role.lower() in CONTEXT)
    return sum(given) > LONG_CONTEXT


def show_turns(prompt: str, view: View = View.PLAIN) -> tuple[list[Turn], list[Turn]]:
    """The messages of a prompt, and apart from them what was given to both systems."""
    messages = conversation(prompt)
    if messages is None:
        return [Turn("", _text(prompt, view))], []
    # Read again for the calls: this reading keeps numbers and names as they were written.
    written = parse(prompt) or [None] * len(messages)
    turns, given = [], []
    for message, value in zip(messages, written, strict=True):
        role = message.role.lower()
        blocks = _message(message, value, view)
        if role in CONTEXT:
            given.append(Turn("", blocks))
        else:
            turns.append(Turn(SPEAKERS.get(role, "Message"), blocks))
    return turns, given


def _message(message: Message, written: Any, view: View) -> list[Block]:
    """What a message says, then what it calls; the result of a tool as outputs are shown."""
    is_result = SPEAKERS.get(message.role.lower()) == "Tool result"
    shown = _output if is_result and message.content.strip() else _text
    if not message.calls:
        return shown(message.content, view)
    readable = isinstance(written, Members) and view is not View.HIDDEN
    calls = called(written) if readable else []
    return [*shown(message.content, view), *(calls or _output(compact(message.calls), view))]


def _outputs(left: str, right: str, view: View) -> tuple[list[Block], list[Block]]:
    if view is View.DIFF:
        return differences(_output(left, View.PLAIN), _output(right, View.PLAIN))
    return _output(left, view), _output(right, view)


def _output(text: str, view: View) -> list[Block]:
    if not text.strip():
        return [Nothing(), *_text(text, view)]
    if view is View.HIDDEN:
        return _text(text, view)
    return structured(text) or _text(text, view)


def _text(text: str, view: View) -> list[Block]:
    if view is View.HIDDEN:
        return paragraphs(name_hidden(text))
    if view is View.MARKDOWN and (html := formatted(text)) is not None:
        return [Formatted(html)]
    return paragraphs([Span(text)])
