"""One tiny request to see whether an endpoint answers. What it answers is not told."""

import time
from dataclasses import dataclass, replace

from django.core.cache import cache

from annotate.models import User
from evals.endpoints.connecting import connection_of
from evals.models import Endpoint
from evals.openai_client import Answer, CallError, ErrorKind, Request, ask

QUESTION = ({"role": "user", "content": "Answer with the one word: yes"},)
MAX_SECONDS = 15
TRIES, WINDOW_SECONDS = 10, 60

# Fixed sentences: a page that repeats what any address answers is a window into the network.
FAULTS: dict[ErrorKind, str] = {
    "refused_address": "This address may not be called. It must be public and begin with "
    "https://, or be listed by the operator in TOUCHSTONE_PRIVATE_ENDPOINTS.",
    "unreachable": "No connection could be made: the name is unknown, nothing answers at that "
    "port, or its certificate is not for that name.",
    "timeout": "There was a connection, but no complete answer in time.",
    "rate_limited": "It answers, and asks for fewer requests (429). Try again later.",
    "unauthorised": "It answers, and does not accept the key (401 or 403).",
    "bad_request": "It answers, and refuses the request (4xx). Check model and parameters, and "
    "whether the address ends where /chat/completions begins.",
    "server_error": "It answers with an error of its own (5xx).",
    "redirected": "It answers with a redirect. Redirects are not followed: write the address "
    "that answers itself.",
    "too_large": "It answers with more than 10 MB.",
    "not_json": "Something answers, but not with a chat completion. Check the address.",
    "cut_off": "The connection ended before the answer did.",
    "no_choice": "It answers with a chat completion without any choice.",
    "no_key": "There is no key to send: the variable is not set or not allowed, or the stored "
    "key is for another address or cannot be decrypted.",
}


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of the request, in words of ours alone."""

    answered: bool
    words: str


class TooManyTrialsError(Exception):
    """This admin has tried often enough for now."""


def try_endpoint(endpoint: Endpoint, admin: User) -> Trial:
    """Ask once, without retry.

    Raises
    ------
    TooManyTrialsError
        After ten requests of one admin within a minute.
    """
    _take_turn(admin)
    try:
        connection = connection_of(endpoint)
        seconds = min(MAX_SECONDS, connection.timeout_seconds)
        request = Request(QUESTION, parameters=endpoint.parameters)
        return _told(ask(replace(connection, timeout_seconds=seconds), request))
    except CallError as error:
        return Trial(False, FAULTS[error.kind])


def _take_turn(admin: User) -> None:
    window = int(time.time() // WINDOW_SECONDS)
    for turn in range(TRIES):
        # `add` is atomic: of two requests one gets the turn.
        if cache.add(f"endpoint-trial:{admin.pk}:{window}:{turn}", 1, 2 * WINDOW_SECONDS):
            return
    raise TooManyTrialsError(
        f"{TRIES} requests within a minute are enough. Wait a minute, then try again."
    )


def _told(answer: Answer) -> Trial:
    facts = [f"It answered in {answer.latency_ms:,.0f} ms"]
    if answer.first_token_ms is not None:
        facts.append(f"its first token came after {answer.first_token_ms:,.0f} ms")
    facts.append("tokens are counted" if answer.completion_tokens else "tokens are not counted")
    if answer.logprobs:
        facts.append("log-probabilities come along")
    return Trial(True, "; ".join(facts) + ".")
