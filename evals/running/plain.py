"""Answers as rows: everything kept, and nothing in it that PostgreSQL could not hold."""

import math
from typing import Any

from annotate.reports import storable
from evals.openai_client import Answer, Logprob

# What services themselves write for a token that could not have been more unlikely.
UNLIKELIEST = -9999.0
MOST_TOKENS = 2**31 - 1


def clean(text: str) -> str:
    """`text` without NUL and lone surrogates, each shown as the replacement character."""
    return storable(text)


def latency(milliseconds: float | None) -> float | None:
    """A time that was measured; None for what is none."""
    if milliseconds is None or not math.isfinite(milliseconds) or milliseconds < 0:
        return None
    return milliseconds


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The columns of a generation that say what was answered."""
    calls = [
        {"name": clean(call.name), "arguments": clean(call.arguments), "id": clean(call.id)}
        for call in answer.tool_calls
    ]
    return {
        "text": None if answer.text is None else clean(answer.text),
        "tool_calls": calls or None,
        "refusal": None if answer.refusal is None else clean(answer.refusal),
        "finish_reason": clean(answer.finish_reason)[:40],
        "logprobs": None if answer.logprobs is None else [_logprob(one) for one in answer.logprobs],
        "prompt_tokens": _tokens(answer.prompt_tokens),
        "completion_tokens": _tokens(answer.completion_tokens),
        "latency_ms": latency(answer.latency_ms),
        "first_token_ms": latency(answer.first_token_ms),
        "model": clean(answer.model)[:200],
    }


def _logprob(one: Logprob) -> list[Any]:
    known = math.isfinite(one.logprob)
    value = one.logprob if known else UNLIKELIEST
    return [clean(one.token), value, None if one.bytes is None else list(one.bytes)]


def _tokens(count: int | None) -> int | None:
    return None if count is None or not 0 <= count <= MOST_TOKENS else count
