"""Rows as the plain values that scorers see: what a case expects, and what a system answered."""

from typing import Any

from evals.formats import Expected as ExpectedRecord
from evals.formats import ScorerSpec
from evals.formats.expectations import expected_of as read_expected
from evals.formats.expectations import scorer_of, usual_scorer
from evals.formats.records import CUT_OFF
from evals.metrics import Expected, Output, TokenLogprob, ToolCall
from evals.metrics.calls import CallShapeError, made_call
from evals.models import Case, Generation
from evals.suites import expected_for

NO_NAME = "(a call without a name)"


def expected_of(case: Case) -> Expected:
    """What `case` expects, with the tools that were offered."""
    return expected_for(_told(case), case.tools)


def scorer_named_by(case: Case) -> ScorerSpec | None:
    """The scorer that decides whether `case` is passed: its own, or the usual one."""
    return scorer_of(case.scorer, None) or usual_scorer(_told(case))


def _told(case: Case) -> ExpectedRecord:
    return read_expected(case.expected or {})


def output_of(generation: Generation) -> Output:
    """What came back for a case. A way of saying "cut off" is told as "length"."""
    reason = generation.finish_reason or None
    return Output(
        text=generation.text,
        tool_calls=_calls(generation.tool_calls),
        finish_reason="length" if reason in CUT_OFF else reason,
        error=generation.error or None,
        logprobs=_logprobs(generation.logprobs),
        refusal=generation.refusal,
    )


def _calls(stored: Any) -> tuple[ToolCall, ...] | None:
    return None if stored is None else tuple(_call(one) for one in stored)


def _call(raw: object) -> ToolCall:
    """A call that is none is kept: it was made, and is right nowhere."""
    try:
        return made_call(raw)
    except CallShapeError as error:
        return ToolCall(NO_NAME, str(error))


def _logprobs(stored: Any) -> tuple[TokenLogprob, ...] | None:
    if stored is None:
        return None
    return tuple(
        TokenLogprob(token, logprob, None if spelled is None else tuple(spelled))
        for token, logprob, spelled in stored
    )
