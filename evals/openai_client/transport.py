"""One call over one connection of its own: to a checked address, in time, within bounds.

Everything that leaves or arrives passes here, whatever the library above would do: no proxy, no
redirect, no header but those written below, no byte past the limit, no second after the deadline.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpcore2
import httpx2

from evals.openai_client.addresses import Opening, Target
from evals.openai_client.bodies import LimitedBody
from evals.openai_client.contract import CallError
from evals.openai_client.network import CheckedBackend, Clock, Net

KEPT = frozenset({b"accept", b"content-type", b"host"})
GONE = ("disconnected", "without sending", "closed", "eof")


class Transport(httpx2.BaseTransport):
    """Carries one request. Errors leave it as `CallError`, with their exact kind."""

    def __init__(
        self, target: Target, key: str | None, opening: Opening, clock: Clock, net: Net
    ) -> None:
        self._target = target
        self._key = key
        self._clock = clock
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted() if target.scheme == "https" else None,
            max_connections=1,
            max_keepalive_connections=0,
            network_backend=CheckedBackend(target, opening, clock, net),
        )

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        with told(self._clock):
            answered = self._pool.handle_request(self._outgoing(request))
        headers = httpx2.Headers(answered.headers)
        if 300 <= answered.status < 400:
            answered.close()
            raise CallError(
                "redirected",
                f"The service answered {answered.status}, a redirect. Redirects are not followed: "
                "write the address that answers itself.",
                status=answered.status,
            )
        body = LimitedBody(
            _pieces(answered, self._clock), answered.status, headers.pop("content-encoding", "")
        )
        return httpx2.Response(answered.status, headers=headers, stream=body, request=request)

    def _outgoing(self, request: httpx2.Request) -> httpcore2.Request:
        """What leaves is listed here: nothing that a library reads from the environment."""
        content = request.read()
        headers = [(name, value) for name, value in request.headers.raw if name.lower() in KEPT]
        headers += [
            (b"Content-Length", str(len(content)).encode()),
            (b"Accept-Encoding", b"identity"),
            (b"Connection", b"close"),
            (b"User-Agent", b"touchstone"),
        ]
        if self._key:
            headers.append((b"Authorization", b"Bearer " + self._key.encode("ascii")))
        url = httpcore2.URL(
            scheme=self._target.scheme,
            host=self._target.host,
            port=self._target.port,
            target=request.url.raw_path,
        )
        return httpcore2.Request(request.method, url, headers=headers, content=content)

    def close(self) -> None:
        self._pool.close()


@cache
def trusted() -> ssl.SSLContext:
    """The system's authorities, or those of SSL_CERT_FILE: loading them takes a while."""
    return ssl.create_default_context()


@contextmanager
def told(clock: Clock) -> Iterator[None]:
    """Say what became of the connection in the words of `ErrorKind`."""
    try:
        yield
    except httpcore2.ConnectTimeout:
        raise CallError("unreachable", "No TLS connection was made in time.") from None
    except httpcore2.ConnectError as error:
        raise CallError("unreachable", f"No TLS connection could be made: {error}") from None
    except httpcore2.TimeoutException:
        raise clock.overdue() from None
    except httpcore2.NetworkError:
        raise CallError("cut_off", "The connection was reset before the answer ended.") from None
    except httpcore2.ProtocolError as error:
        if any(word in str(error).lower() for word in GONE):
            raise CallError("cut_off", "The connection ended inside the answer.") from None
        raise CallError("not_json", f"What answered does not speak HTTP: {error}") from None


def _pieces(answered: httpcore2.Response, clock: Clock) -> Iterator[bytes]:
    try:
        with told(clock):
            yield from answered.iter_stream()
    finally:
        answered.close()
