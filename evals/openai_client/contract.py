"""What is asked of a model service, and what comes back: an answer, or the exact error."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from evals.openai_client.addresses import Opening

# Every way a call can fail; stored with the generation and counted on the run's page.
ErrorKind = Literal[
    "refused_address",  # the address is not one that may be called
    "unreachable",  # no connection: name unknown, refused, TLS
    "timeout",  # connected, but no complete answer in time
    "rate_limited",  # 429
    "unauthorised",  # 401 or 403
    "bad_request",  # any other 4xx: the request itself was refused
    "server_error",  # 5xx
    "redirected",  # 3xx: never followed
    "too_large",  # more bytes than an answer may have
    "not_json",  # an answer, but not the JSON of a chat completion
    "cut_off",  # the connection ended inside the answer
    "no_choice",  # a well-formed answer without any choice
    "no_key",  # the key is missing or is for another origin
]
# What may go better at the next try.
WORTH_A_RETRY = frozenset({"unreachable", "timeout", "rate_limited", "server_error", "cut_off"})


@dataclass(frozen=True, slots=True)
class Connection:
    """How to reach a service. `key` is shown nowhere: not in `repr`, not in errors.

    Only public addresses are called, over HTTPS, and beside them what `opening` lists.
    """

    base_url: str
    model: str
    key: str | None = field(default=None, repr=False)
    timeout_seconds: float = 60
    streaming: bool = False
    opening: Opening = field(default_factory=Opening)


@dataclass(frozen=True, slots=True)
class Request:
    """One question. `parameters` are sent as they are, beside model and messages."""

    messages: Sequence[Mapping[str, Any]]
    tools: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call as the service wrote it: `arguments` is JSON text, valid or not."""

    name: str
    arguments: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Logprob:
    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered to one call.

    Attributes
    ----------
    latency_ms : float
        From sending to the last byte, of this call alone.
    first_token_ms : float or None
        From sending to the first piece of content; None unless streamed.
    replaced_count : int
        Characters that no database can hold (NUL, half of a surrogate pair): U+FFFD stands in
        their place.
    """

    text: str | None
    tool_calls: tuple[Call, ...]
    refusal: str | None
    finish_reason: str
    model: str
    latency_ms: float
    first_token_ms: float | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    logprobs: tuple[Logprob, ...] | None = None
    request_id: str = ""
    replaced_count: int = 0


class CallError(Exception):
    """A call brought no answer. The message is one line for people and holds no key.

    Attributes
    ----------
    kind : ErrorKind
    status : int or None
        Of HTTP, where there was an answer.
    retry_after : float or None
        Seconds that the service asked to wait for.
    latency_ms : float
        Until it was known to have failed.
    """

    def __init__(
        self,
        kind: ErrorKind,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        latency_ms: float = 0.0,
        request_id: str = "",
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.retry_after = retry_after
        self.latency_ms = latency_ms
        self.request_id = request_id

    @property
    def worth_a_retry(self) -> bool:
        return self.kind in WORTH_A_RETRY
