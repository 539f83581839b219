"""Answers of OpenAI's endpoints: chat completions, responses, and completions."""

from dataclasses import dataclass, field, replace

from annotate.parsing.contract import JSON
from evals.formats.chat import content_text, conversation, tool_call, tool_calls_of, tools_of
from evals.formats.records import Message, TokenLogprob, Tokens, ToolCall
from evals.formats.values import a_count, a_dict, a_list, a_number, a_text

INCOMPLETE = {"max_output_tokens": "length", "content_filter": "content_filter"}


class BodyError(Exception):
    """The body is of an endpoint that generates no text."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer inside a body."""

    text: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None
    refusal: str | None = None
    tokens: Tokens = field(default_factory=Tokens)
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """The prompt that a request's body holds."""

    messages: tuple[Message, ...] = ()
    tools: tuple[dict[str, JSON], ...] = ()


def answers_of_body(body: dict[str, JSON]) -> list[Answer]:
    """Every choice of a body, tokens and model on each of them."""
    if "choices" in body:
        answers = [_choice(a_dict(one)) for one in a_list(body["choices"])]
    elif "output" in body:
        answers = [_response(body)]
    else:
        kind = a_text(body.get("object")) or "without choices or output"
        raise BodyError(f"the body ({kind}) holds no generated answer. Leave such lines out.")
    tokens, model = tokens_of(body.get("usage")), a_text(body.get("model"))
    if len(answers) > 1:
        # Usage counts all choices together and belongs to none of them.
        tokens = replace(tokens, completion=None)
    return [replace(answer, tokens=tokens, model=model) for answer in answers]


def tokens_of(value: JSON) -> Tokens:
    """Usage under the names of chat completions, of responses, and of promptfoo."""
    usage = a_dict(value)
    return Tokens(
        _first_count(usage, ("prompt_tokens", "input_tokens", "prompt")),
        _first_count(usage, ("completion_tokens", "output_tokens", "completion")),
    )


def _first_count(usage: dict[str, JSON], names: tuple[str, ...]) -> int | None:
    counts = [a_count(usage.get(name)) for name in names]
    return next((count for count in counts if count is not None), None)


def _choice(choice: dict[str, JSON]) -> Answer:
    reason = a_text(choice.get("finish_reason"))
    if "message" not in choice:
        text = choice.get("text")
        return Answer(text if isinstance(text, str) else None, finish_reason=reason)
    return replace(
        answer_of_message(a_dict(choice["message"])),
        finish_reason=reason,
        logprobs=logprobs_of(a_dict(choice.get("logprobs")).get("content")),
    )


def answer_of_message(message: dict[str, JSON]) -> Answer:
    """Words, or the refusal in their place, and calls. Content is null where tools are called."""
    text, refusal = content_text(message.get("content")), a_text(message.get("refusal"))
    return Answer(text or refusal or text, tool_calls_of(message), refusal=refusal)


def logprobs_of(value: JSON) -> tuple[TokenLogprob, ...] | None:
    """Token by token as the file has them; None if there are none or one of them is no number."""
    found: list[TokenLogprob] = []
    for one in a_list(value):
        number = a_number(a_dict(one).get("logprob"))
        if number is None:
            return None
        token = str(a_dict(one).get("token", ""))
        found.append(TokenLogprob(token, number, _bytes(a_dict(one).get("bytes"))))
    return tuple(found) or None


def _bytes(value: JSON) -> tuple[int, ...] | None:
    counts = [a_count(one) for one in a_list(value)]
    known = tuple(one for one in counts if one is not None and one < 256)
    return known if known and len(known) == len(counts) else None


def _response(body: dict[str, JSON]) -> Answer:
    """A body of /v1/responses: messages, calls and thoughts as items of one list."""
    words: list[str] = []
    calls: list[ToolCall] = []
    logprobs: list[TokenLogprob] = []
    refusals: list[str] = []
    for item in (a_dict(one) for one in a_list(body["output"])):
        if item.get("type") == "function_call":
            calls.append(tool_call(item))
        elif item.get("type") == "message":
            words.append(content_text(item.get("content")) or "")
            parts = [a_dict(part) for part in a_list(item.get("content"))]
            for part in parts:
                refusals.extend(told for told in [a_text(part.get("refusal"))] if told)
                logprobs.extend(logprobs_of(part.get("logprobs")) or ())
    return Answer(
        "".join(words) if words else None,
        tuple(calls),
        _response_end(body, bool(calls)),
        tuple(logprobs) or None,
        "".join(refusals) or None,
    )


def _response_end(body: dict[str, JSON], called: bool) -> str | None:
    if body.get("status") == "incomplete":
        reason = a_text(a_dict(body.get("incomplete_details")).get("reason")) or "incomplete"
        return INCOMPLETE.get(reason, reason)
    if body.get("status") == "completed":
        return "tool_calls" if called else "stop"
    return a_text(body.get("status"))


def error_text(value: JSON) -> str | None:
    """What an error says: a text, or an object with code and message. Empty ones are none."""
    if isinstance(value, str):
        return value or None
    error = a_dict(value)
    told = [str(error[name]) for name in ("code", "message") if error.get(name)]
    return ": ".join(told) or None


def request_of_body(body: dict[str, JSON]) -> Request:
    """Raises ShapeError where the prompt is none that could be sent."""
    tools = tools_of(body.get("tools") or body.get("functions"))
    if "messages" in body:
        return Request(conversation(body["messages"]), tools)
    if "input" in body:
        return Request(_response_input(body), tools)
    prompt = body.get("prompt")
    given = a_list(prompt)
    return Request(conversation(given[0] if len(given) == 1 else prompt), tools)


def _response_input(body: dict[str, JSON]) -> tuple[Message, ...]:
    given = body["input"]
    if isinstance(given, list):
        given = [_response_item(a_dict(item)) for item in given]
    messages = conversation(given)
    instructions = a_text(body.get("instructions"))
    return ({"role": "system", "content": instructions}, *messages) if instructions else messages


def _response_item(item: dict[str, JSON]) -> JSON:
    """An input item as a chat message."""
    if item.get("type") == "function_call":
        inner: JSON = {"name": item.get("name"), "arguments": item.get("arguments")}
        call: JSON = {"id": item.get("call_id"), "type": "function", "function": inner}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if item.get("type") == "function_call_output":
        told = item.get("output")
        return {"role": "tool", "tool_call_id": item.get("call_id"), "content": told}
    return {name: value for name, value in item.items() if name != "type"}
