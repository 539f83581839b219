"""A streamed answer, joined into what it would have been in one piece."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from evals.openai_client.contract import CallError
from evals.openai_client.reading import not_a_completion


@dataclass(slots=True)
class JoinedCall:
    """A tool call whose name and arguments come in pieces."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, call_id: object, function: Mapping[str, Any]) -> None:
        self.id = self.id or (call_id if isinstance(call_id, str) else "")
        name, arguments = function.get("name"), function.get("arguments")
        # Some services repeat the whole name with each piece, others send it in pieces.
        if isinstance(name, str) and name != self.name:
            self.name += name
        if isinstance(arguments, str):
            self.arguments.append(arguments)

    def as_data(self) -> dict[str, Any]:
        function = {"name": self.name, "arguments": "".join(self.arguments)}
        return {"id": self.id, "function": function}


@dataclass(slots=True)
class Joined:
    """The pieces of the first choice, and what stands beside it."""

    clock: Callable[[], float]
    texts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    calls: dict[object, JoinedCall] = field(default_factory=dict)
    legacy: JoinedCall | None = None
    logprobs: list[object] | None = None
    model: object = None
    usage: object = None
    finish_reason: object = None
    has_choice: bool = False
    first_token_ms: float | None = None

    def add(self, chunk: object) -> None:
        if not isinstance(chunk, dict):
            not_a_completion("a piece of its stream is no object")
        self.model = self.model or chunk.get("model")
        self.usage = chunk.get("usage") or self.usage
        for choice in _list(chunk.get("choices")):
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                self._add_choice(choice)

    def _add_choice(self, choice: Mapping[str, Any]) -> None:
        self.has_choice = True
        self.finish_reason = choice.get("finish_reason") or self.finish_reason
        told = choice.get("logprobs")
        if isinstance(told, dict) and isinstance(told.get("content"), list):
            self.logprobs = self.logprobs or []
            self.logprobs.extend(told["content"])
        delta = choice.get("delta")
        if isinstance(delta, dict) and self._add_delta(delta) and self.first_token_ms is None:
            self.first_token_ms = self.clock()

    def _add_delta(self, delta: Mapping[str, Any]) -> bool:
        """Whether the piece held anything of the answer: the first often names the role alone."""
        held = False
        for key, pieces in (("content", self.texts), ("refusal", self.refusals)):
            if isinstance(delta.get(key), str):
                pieces.append(delta[key])
                held = held or bool(delta[key])
        for call in _list(delta.get("tool_calls")):
            if isinstance(call, dict):
                self._add_call(call)
                held = True
        if isinstance(delta.get("function_call"), dict):
            self.legacy = self.legacy or JoinedCall()
            self.legacy.add("", delta["function_call"])
            held = True
        return held

    def _add_call(self, call: Mapping[str, Any]) -> None:
        place = call.get("index")
        if not isinstance(place, int):
            # Without an index, a piece with an id begins a call and others go on with the last.
            place = call.get("id") or next(reversed(self.calls), 0)
        function = call.get("function")
        joined = self.calls.setdefault(place, JoinedCall())
        joined.add(call.get("id"), function if isinstance(function, dict) else {})

    def as_data(self) -> dict[str, Any]:
        """The answer in the shape of one that was not streamed.

        Raises
        ------
        CallError
            When the stream ended too early: every answer ends with the reason why it ends.
        """
        if not self.has_choice:
            raise CallError("no_choice", "The stream ended without any choice.")
        if not self.finish_reason:
            raise CallError("cut_off", "The stream ended before the answer did: no finish_reason.")
        text = "".join(self.texts)
        message: dict[str, Any] = {
            # Streams begin with empty text, whatever follows.
            "content": text if text or not (self.calls or self.refusals or self.legacy) else None,
            "refusal": "".join(self.refusals) or None,
            "tool_calls": [call.as_data() for call in self.calls.values()],
        }
        if self.legacy is not None:
            message["function_call"] = self.legacy.as_data()["function"]
        choice = {"message": message, "finish_reason": self.finish_reason}
        if self.logprobs is not None:
            choice["logprobs"] = {"content": self.logprobs}
        return {"choices": [choice], "model": self.model, "usage": self.usage}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def join(chunks: Iterable[object], clock: Callable[[], float]) -> Joined:
    """`clock` tells the milliseconds since the request was sent."""
    joined = Joined(clock)
    for chunk in chunks:
        joined.add(chunk)
    return joined
