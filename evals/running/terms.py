"""What an endpoint was when a run began, and what a call on those terms may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from evals.models import Endpoint
from evals.openai_client import Answer

MILLION = Decimal(1_000_000)
SMALLEST = Decimal("0.000001")
# Of one call: what columns hold is not passed by a limit of tokens that means nothing.
MOST = Decimal(100_000)
# Where a service writes the limit of one answer, the newer name first.
OUTPUT_LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")
# What a chat template adds around the messages.
TEMPLATE_TOKENS = 16
# Of English text: for a forecast, never for a limit.
BYTES_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Terms:
    """The part of an endpoint's settings that a run keeps; there is no key among them."""

    model: str
    parameters: Mapping[str, Any]
    base_url: str
    concurrency: int
    requests_per_minute: int | None
    timeout_seconds: int
    max_tries: int
    streaming: bool
    input_price: Decimal | None
    output_price: Decimal | None

    @property
    def output_limit(self) -> int | None:
        """The most tokens that one call may generate; None where the parameters set no limit."""
        limits = (self.parameters.get(name) for name in OUTPUT_LIMITS)
        return next((limit for limit in limits if isinstance(limit, int) and limit > 0), None)

    def price_of(self, prompt_tokens: int, completion_tokens: int) -> Decimal | None:
        if self.input_price is None or self.output_price is None:
            return None
        cost = self.input_price * prompt_tokens + self.output_price * completion_tokens
        # Up, so that what is stored is never less than what was meant.
        return min(cost / MILLION, MOST).quantize(SMALLEST, ROUND_UP)

    def bound(self, prompt_bytes: int) -> Decimal:
        """The most that one call can cost: a token is at least a byte of what is sent.

        0 where there are no prices or no limit of the answer: then no limit of cost is accepted.
        """
        return self.price_of(prompt_bytes + TEMPLATE_TOKENS, self.output_limit or 0) or Decimal(0)

    def cost_of(self, answer: Answer) -> Decimal | None:
        """What an answer cost; None where the service does not say what it counted."""
        if answer.prompt_tokens is None or answer.completion_tokens is None:
            return None
        return self.price_of(answer.prompt_tokens, answer.completion_tokens)


def settings_of(endpoint: Endpoint) -> dict[str, Any]:
    """An endpoint as it is now, as JSON to be kept with a run. It holds no key."""
    return {
        "name": endpoint.name,
        "kind": endpoint.kind,
        "base_url": endpoint.base_url,
        "model": endpoint.model,
        "parameters": endpoint.parameters,
        "concurrency": endpoint.concurrency,
        "requests_per_minute": endpoint.requests_per_minute,
        "timeout_seconds": endpoint.timeout_seconds,
        "max_tries": endpoint.max_tries,
        "streaming": endpoint.streaming,
        "input_price": _text(endpoint.input_price),
        "output_price": _text(endpoint.output_price),
    }


def terms_of(settings: Mapping[str, Any]) -> Terms:
    """The terms that `settings_of` kept."""
    return Terms(
        model=settings["model"],
        parameters=settings["parameters"],
        base_url=settings["base_url"],
        concurrency=settings["concurrency"],
        requests_per_minute=settings["requests_per_minute"],
        timeout_seconds=settings["timeout_seconds"],
        max_tries=settings["max_tries"],
        streaming=settings["streaming"],
        input_price=_number(settings["input_price"]),
        output_price=_number(settings["output_price"]),
    )


def _text(price: Decimal | None) -> str | None:
    return None if price is None else str(price)


def _number(price: str | None) -> Decimal | None:
    return None if price is None else Decimal(price)
