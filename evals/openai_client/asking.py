"""One question to a model service: its answer, or the exact error. Retries are the caller's."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from evals.openai_client.addresses import AddressError, target_of
from evals.openai_client.contract import Answer, CallError, Connection, Request
from evals.openai_client.failures import failure_in, failure_of
from evals.openai_client.library import load, openai
from evals.openai_client.network import Clock, Net
from evals.openai_client.reading import Reader, read_json
from evals.openai_client.streams import join
from evals.openai_client.texts import one_line
from evals.openai_client.transport import Transport

# Written by us, so no parameter may say them.
RESERVED = frozenset({"model", "messages", "tools", "stream", "stream_options", "n"})

# Services that refuse to tell the usage of a stream; they are asked without it from then on.
_without_usage: set[tuple[str, str]] = set()
_lock = threading.Lock()


def ask(connection: Connection, request: Request, *, net: Net | None = None) -> Answer:
    """Put one question to the service.

    Raises
    ------
    CallError
        With its kind, in one line, without the key.
    """
    load()
    clock = Clock(connection.timeout_seconds)
    try:
        return _ask(connection, request, clock, net or Net())
    except CallError as error:
        failed = error
    # Outside of the handler: the first error may quote the key, and would be kept as the context.
    raise CallError(
        failed.kind,
        one_line(str(failed), connection.key),
        status=failed.status,
        retry_after=failed.retry_after,
        latency_ms=clock.elapsed_ms,
        request_id=one_line(failed.request_id, connection.key, 200),
    )


def _ask(connection: Connection, request: Request, clock: Clock, net: Net) -> Answer:
    usage = connection.streaming and not _refuses_usage(connection)
    body = _written(connection, request, usage=usage)
    try:
        return _answered(connection, body, clock, net)
    except CallError as error:
        if not (usage and error.kind == "bad_request" and "stream_options" in str(error)):
            raise
    with _lock:
        _without_usage.add((connection.base_url, connection.model))
    body = _written(connection, request, usage=False)
    return _answered(connection, body, clock, net)


def _refuses_usage(connection: Connection) -> bool:
    with _lock:
        return (connection.base_url, connection.model) in _without_usage


def _written(connection: Connection, request: Request, *, usage: bool) -> bytes:
    """The body, byte for byte: what a suite holds is asked as the suite holds it."""
    held = sorted(RESERVED & request.parameters.keys())
    if held:
        raise CallError("bad_request", f"The parameter {held[0]} cannot be set: leave it off.")
    body: dict[str, Any] = {
        **request.parameters,
        "model": connection.model,
        "messages": list(request.messages),
    }
    if request.tools:
        body["tools"] = list(request.tools)
    if connection.streaming:
        body["stream"] = True
    if usage:
        body["stream_options"] = {"include_usage": True}
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError):
        raise CallError("bad_request", "The request cannot be written as JSON.") from None


def _answered(connection: Connection, body: bytes, clock: Clock, net: Net) -> Answer:
    with _client(connection, clock, net) as client, _failures():
        response = client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=body,
            options={"headers": {"Content-Type": "application/json"}},
            stream=connection.streaming,
            stream_cls=openai.Stream[object],
        )
        assert isinstance(response, httpx2.Response)
        request_id = response.headers.get("x-request-id", "")
        if connection.streaming and not _is_whole(response):
            stream = openai.Stream[object](cast_to=object, response=response, client=client)
            joined = join(stream, lambda: clock.elapsed_ms)
            data: object = joined.as_data()
            first_token_ms = joined.first_token_ms
        else:
            data, first_token_ms = _checked(read_json(response.read()), request_id), None
        return Reader().answer(data, clock.elapsed_ms, first_token_ms, request_id)


def _is_whole(response: httpx2.Response) -> bool:
    """Whether a service that was asked for a stream answered in one piece all the same."""
    return "json" in response.headers.get("content-type", "").lower()


def _checked(data: object, request_id: str) -> object:
    """Some services tell errors with the status of success."""
    if isinstance(data, Mapping) and data.get("error") and not data.get("choices"):
        raise failure_in(data["error"], request_id)
    return data


@contextmanager
def _client(connection: Connection, clock: Clock, net: Net) -> "Iterator[openai.OpenAI]":
    """The library, on our transport. Nothing is left for it to take from the environment."""
    try:
        target = target_of(connection.base_url)
    except AddressError as error:
        raise CallError("refused_address", str(error)) from None
    if connection.key is not None and not _fits_a_header(connection.key):
        raise CallError("no_key", "The key holds characters that no header may have.")
    transport = Transport(target, connection.key, connection.opening, clock, net)
    with httpx2.Client(
        transport=transport, trust_env=False, follow_redirects=False, timeout=None
    ) as http:
        yield openai.OpenAI(
            api_key="written-by-the-transport",
            admin_api_key="",
            organization="",
            project="",
            webhook_secret="",
            base_url=connection.base_url,
            max_retries=0,
            timeout=None,
            http_client=http,
        )


def _fits_a_header(key: str) -> bool:
    return key.isascii() and key.isprintable() and key == key.strip()


@contextmanager
def _failures() -> Iterator[None]:
    """The library's errors as ours."""
    try:
        yield
    except openai.APIError as error:
        raise failure_of(error) from None
    except (ValueError, RecursionError):
        # Only pieces of a stream are decoded by the library.
        raise CallError("not_json", "A piece of the stream is not JSON.") from None
