"""Calls to services that speak chat completions. The only room that imports openai."""

from evals.openai_client.contract import (
    WORTH_A_RETRY,
    Answer,
    Call,
    CallError,
    Connection,
    ErrorKind,
    Logprob,
    Request,
)

__all__ = [
    "WORTH_A_RETRY",
    "Answer",
    "Call",
    "CallError",
    "Connection",
    "ErrorKind",
    "Logprob",
    "Request",
]
