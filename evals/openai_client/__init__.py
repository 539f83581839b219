"""Calls to services that speak chat completions. The only room that imports openai."""

from evals.openai_client.addresses import (
    AddressError,
    Opening,
    Target,
    check_address,
    opening_of,
    target_of,
)
from evals.openai_client.asking import RESERVED, ask
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
from evals.openai_client.network import Net

__all__ = [
    "RESERVED",
    "WORTH_A_RETRY",
    "AddressError",
    "Answer",
    "Call",
    "CallError",
    "Connection",
    "ErrorKind",
    "Logprob",
    "Net",
    "Opening",
    "Request",
    "Target",
    "ask",
    "check_address",
    "opening_of",
    "target_of",
]
