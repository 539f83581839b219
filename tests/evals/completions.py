"""Chat completions as services write them, whole and in pieces."""

import json
import re
from collections.abc import Iterator
from typing import Any


def last_text(body: dict[str, Any]) -> str:
    messages = body.get("messages") or [{}]
    content = messages[-1].get("content") or ""
    return content if isinstance(content, str) else json.dumps(content)


def completion(text: str | None = "Paris", **message: Any) -> dict[str, Any]:
    """A chat completion as services answer it."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "fern-2-2026",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, **message},
                "logprobs": None,
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            }
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    }


def tool_call(name: str, arguments: str, call_id: str = "call_1") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def pieces_of(answer: dict[str, Any], *, usage: bool) -> Iterator[dict[str, Any]]:
    """The same answer as the chunks of a stream."""
    base = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": answer["model"]}
    choice = answer["choices"][0]
    message = choice["message"]

    def piece(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}

    yield piece({"role": "assistant", "content": ""})
    for word in re.findall(r"\S+\s*", message["content"] or ""):
        yield piece({"content": word})
    for index, call in enumerate(message.get("tool_calls") or []):
        function = call["function"]
        yield piece(
            {"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]}
        )
        for start in range(0, len(function["arguments"]), 5):
            part = {"arguments": function["arguments"][start : start + 5]}
            yield piece({"tool_calls": [{"index": index, "function": part}]})
    if choice["logprobs"]:
        yield piece({}, logprobs=choice["logprobs"])
    yield piece({}, finish_reason=choice["finish_reason"])
    if usage:
        yield {**base, "choices": [], "usage": answer["usage"]}
