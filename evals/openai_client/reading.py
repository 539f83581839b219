"""The JSON of a chat completion, read with doubt: nothing in it has the type it should have."""

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from evals.openai_client.contract import Answer, Call, CallError, Logprob
from evals.openai_client.texts import replaced_count, storable

# What services themselves write for a token whose log-probability they do not tell.
UNKNOWN_LOGPROB = -9999.0
MAX_COUNT = 2**31 - 1
MAX_NAME = 200
MAX_REASON = 40
TEXT_PARTS = frozenset({"text", "output_text"})


def not_a_completion(fault: str) -> NoReturn:
    raise CallError("not_json", f"The answer is no chat completion: {fault}.")


def read_json(body: bytes) -> object:
    """Raises CallError `not_json` where the body cannot be decoded."""
    try:
        return json.loads(body)
    except UnicodeDecodeError:
        raise CallError("not_json", "The answer is not UTF-8.") from None
    except (ValueError, RecursionError) as error:
        raise CallError("not_json", f"The answer is not JSON: {_fault(error)}.") from None


def _fault(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at character {error.pos}"
    return "it is nested too deeply, or a number in it is too long"


class Reader:
    """Reads one answer, and counts what had to be replaced in it."""

    def __init__(self) -> None:
        self.replaced_count = 0

    def answer(
        self, data: object, latency_ms: float, first_token_ms: float | None, request_id: str
    ) -> Answer:
        if not isinstance(data, dict):
            not_a_completion("it is no object")
        choice = _first_choice(data)
        message = choice.get("message")
        if not isinstance(message, dict):
            not_a_completion("its choice holds no message")
        text, refusal = self._said(message)
        usage = _object(data.get("usage"))
        return Answer(
            text=text,
            tool_calls=tuple(self._calls(message)),
            refusal=refusal,
            finish_reason=self._word(choice.get("finish_reason"), MAX_REASON),
            model=self._word(data.get("model"), MAX_NAME),
            latency_ms=latency_ms,
            first_token_ms=first_token_ms,
            prompt_tokens=_count(usage.get("prompt_tokens")),
            completion_tokens=_count(usage.get("completion_tokens")),
            logprobs=self._logprobs(choice.get("logprobs")),
            request_id=self._word(request_id, MAX_NAME),
            replaced_count=self.replaced_count,
        )

    def _clean(self, text: str) -> str:
        clean = storable(text)
        self.replaced_count += replaced_count(text, clean)
        return clean

    def _word(self, value: object, limit: int) -> str:
        return self._clean(value)[:limit] if isinstance(value, str) else ""

    def _said(self, message: Mapping[str, Any]) -> tuple[str | None, str | None]:
        content, refusal = message.get("content"), message.get("refusal")
        if isinstance(content, list):
            content, parted = _joined_parts(content)
            refusal = refusal or parted
        if content is not None and not isinstance(content, str):
            not_a_completion("its content is neither text nor null")
        text = None if content is None else self._clean(content)
        return text, self._clean(refusal) if isinstance(refusal, str) and refusal else None

    def _calls(self, message: Mapping[str, Any]) -> list[Call]:
        listed = message.get("tool_calls") or []
        if not isinstance(listed, list):
            not_a_completion("its tool_calls are no list")
        calls = [self._call(entry) for entry in listed if entry is not None]
        legacy = message.get("function_call")
        if not calls and isinstance(legacy, dict):
            calls = [self._call({"function": legacy})]
        return calls

    def _call(self, entry: object) -> Call:
        call = _object(entry)
        function = _object(call.get("function") or call.get("custom"))
        name = function.get("name")
        if not isinstance(name, str):
            not_a_completion("one of its tool calls has no name")
        arguments = function.get("arguments", function.get("input"))
        if not isinstance(arguments, str):
            # Some services send the object itself; a call without arguments has none.
            arguments = "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
        return Call(self._clean(name), self._clean(arguments), self._word(call.get("id"), MAX_NAME))

    def _logprobs(self, value: object) -> tuple[Logprob, ...] | None:
        listed = _object(value).get("content")
        if not isinstance(listed, list):
            return None
        found = [entry for entry in listed if isinstance(entry, dict)]
        return tuple(
            Logprob(
                self._clean(str(entry.get("token", ""))),
                _logprob(entry.get("logprob")),
                _bytes(entry.get("bytes")),
            )
            for entry in found
        )


def _first_choice(data: Mapping[str, Any]) -> Mapping[str, Any]:
    choices = data.get("choices")
    if not isinstance(choices, list):
        not_a_completion("it holds no choices")
    if not choices:
        raise CallError("no_choice", "The answer holds no choice.")
    if not isinstance(choices[0], dict):
        not_a_completion("its choice is no object")
    return choices[0]


def _joined_parts(parts: list[object]) -> tuple[str | None, str | None]:
    """Text and refusal of content that is a list of parts."""
    found = [part for part in map(_object, parts) if part]
    texts = [part.get("text") for part in found if part.get("type") in TEXT_PARTS]
    refusals = [part.get("refusal") for part in found if part.get("type") == "refusal"]
    text = "".join(one for one in texts if isinstance(one, str)) if texts else None
    return text, "".join(one for one in refusals if isinstance(one, str)) or None


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _count(value: object) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_COUNT
    return int(value) if fits and isinstance(value, int) else None


def _logprob(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return UNKNOWN_LOGPROB
    try:
        number = float(value)
    except OverflowError:
        return UNKNOWN_LOGPROB
    return number if math.isfinite(number) else UNKNOWN_LOGPROB


def _bytes(value: object) -> tuple[int, ...] | None:
    if not isinstance(value, list):
        return None
    fits = all(isinstance(one, int) and 0 <= one < 256 for one in value)
    return tuple(int(one) for one in value) if fits else None
