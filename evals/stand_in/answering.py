"""One answer of a stand-in: what it says, how long that takes, and how sure it is."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

from evals.stand_in.judging import judgement, pair_in
from evals.stand_in.knowledge import BASELINE, CANDIDATE, Said, drawn, key_of, known_cases

JUDGE = "stand-in-judge"
MODELS = (BASELINE, CANDIDATE, JUDGE)
SLOWNESS = {BASELINE: 1.0, CANDIDATE: 1.2, JUDGE: 1.0}
# Seconds: the middle, the spread of the logarithm, and how often an answer takes much longer.
MIDDLE, SPREAD, TAIL, TAIL_FACTOR = 0.022, 0.3, 0.04, 2.2
PER_TOKEN = 0.0002
_TOKEN = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    logprob: float


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, ready to be sent in one piece or in many."""

    text: str | None
    calls: tuple[tuple[str, str, str], ...]
    tokens: tuple[Token, ...]
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    seconds: float


def reply(
    model: str, messages: Sequence[Mapping[str, Any]], max_tokens: int | None = None
) -> Reply:
    """The same for the same model and messages, each time."""
    key = key_of(messages)
    said = _said(model, key, messages)
    tokens = [
        Token(text, _logprob(model, key, place, text))
        for place, text in enumerate(_TOKEN.findall(said.text or ""))
    ]
    calls = tuple(
        (f"call_{key[:6]}{place}", call.name, json.dumps(call.arguments, ensure_ascii=False))
        for place, call in enumerate(said.calls, start=1)
    )
    reason = "tool_calls" if calls else "stop"
    if max_tokens is not None and len(tokens) > max_tokens:
        tokens, calls, reason = tokens[:max_tokens], (), "length"
    written = len(tokens) + sum(_token_count(call[2]) + 4 for call in calls)
    return Reply(
        text=None if said.text is None else "".join(token.text for token in tokens),
        calls=calls,
        tokens=tuple(tokens),
        finish_reason=reason,
        prompt_tokens=_token_count(json.dumps(list(messages), ensure_ascii=False)),
        completion_tokens=max(written, 1),
        seconds=_seconds(model, key, written),
    )


def _said(model: str, key: str, messages: Sequence[Mapping[str, Any]]) -> Said:
    last = str(messages[-1].get("content") or "") if messages else ""
    if model == JUDGE:
        pair = pair_in(last)
        return Said(judgement(pair) if pair else "I judge pairs of answers, and see none here.")
    known = known_cases().get(key)
    return known.answers[model] if known else _unknown(model)


def _unknown(model: str) -> Said:
    """No pretence: a question from elsewhere is told that nobody has thought about it."""
    if model == BASELINE:
        return Said("This is a stand-in. It knows the suites that come with Touchstone alone.")
    return Said("A stand-in answers here: beyond the suites of Touchstone it knows nothing.")


def _token_count(text: str) -> int:
    return math.ceil(len(text) / 4)


def _logprob(model: str, key: str, place: int, text: str) -> float:
    """Most tokens are nearly certain, some are not; the candidate is a little surer."""
    unsure = drawn("logprob", model, key, str(place), text) ** 4
    return round(-(0.01 + 2.2 * unsure) * (0.8 if model == CANDIDATE else 1.0), 6)


def _seconds(model: str, key: str, tokens: int) -> float:
    """A log-normal middle with a tail; a hard question is slow for both models."""
    shared, own = drawn("slow", key), drawn("slow", key, model)
    normal = NormalDist().inv_cdf(min(max(0.7 * shared + 0.3 * own, 1e-3), 1 - 1e-3))
    tail = TAIL_FACTOR if drawn("tail", key, model) < TAIL else 1.0
    base = MIDDLE * math.exp(SPREAD * normal) * tail + PER_TOKEN * tokens
    return base * SLOWNESS[model]
