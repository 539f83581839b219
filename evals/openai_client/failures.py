"""What a service said of its failure, as a `CallError` of the right kind."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from evals.openai_client.contract import CallError, ErrorKind
from evals.openai_client.library import openai

MAX_WAIT = 24 * 3600.0
KINDS: dict[int, ErrorKind] = {
    401: "unauthorised",
    403: "unauthorised",
    408: "timeout",
    429: "rate_limited",
}


def kind_of(status: int) -> ErrorKind:
    if status >= 500:
        return "server_error"
    return KINDS.get(status, "bad_request")


def failure_of(error: "openai.APIError") -> CallError:
    """Of an error status, or of an error that came inside a stream."""
    if not isinstance(error, openai.APIStatusError):
        return failure_in(error.body, "")
    headers = error.response.headers
    return CallError(
        kind_of(error.status_code),
        _sentence(error.status_code, said(error.body)),
        status=error.status_code,
        retry_after=retry_after(headers),
        request_id=error.request_id or "",
    )


def failure_in(error: object, request_id: str) -> CallError:
    """Of an error object that came with the status of success."""
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    kind: ErrorKind = kind_of(status) if status else "server_error"
    message = f"The service answered with an error{_told(said(error))}"
    return CallError(kind, message, status=status, request_id=request_id)


def said(body: object) -> str:
    """The message in the body of an error; services nest it differently."""
    for _ in range(3):
        if not isinstance(body, Mapping):
            break
        body = body.get("message") or body.get("error") or body.get("detail")
    return body if isinstance(body, str) else ""


def _sentence(status: int, message: str) -> str:
    return f"The service answered {status}{_told(message)}"


def _told(message: str) -> str:
    return f": {message.strip()}" if message.strip() else "."


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from a number of seconds or from a date."""
    exact = _seconds(headers.get("retry-after-ms", ""))
    if exact is not None:
        return exact / 1000
    written = headers.get("retry-after", "").strip()
    seconds = _seconds(written)
    return seconds if seconds is not None else _until(written)


def _seconds(written: str) -> float | None:
    try:
        seconds = float(written)
    except ValueError:
        return None
    return min(max(seconds, 0.0), MAX_WAIT) if math.isfinite(seconds) else None


def _until(written: str) -> float | None:
    try:
        moment = parsedate_to_datetime(written)
    except (TypeError, ValueError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((aware - datetime.now(UTC)).total_seconds(), 0.0), MAX_WAIT)
