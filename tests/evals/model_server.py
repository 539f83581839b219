"""A service that speaks chat completions over real sockets, and fails in every way on request.

    with ModelServer() as server:
        connection = server.connection()           # or: make_endpoint(base_url=server.url)
        ask(connection, Request([{"role": "user", "content": "Hi [[case:7]] [[fault:429-once]]"}]))
        assert server.count("7") == 1

What happens is chosen by `[[fault:NAME]]` in the last message, by `server.fault` for messages
without one, or by `server.choose`, a function of the call. A name with `-once` holds for the
first call of its case alone; from then on the case is answered well. FAULTS lists the names.
An endpoint of the database needs TOUCHSTONE_PRIVATE_ENDPOINTS=127.0.0.1 in the environment.
"""

import json
import re
import socket
import ssl
import struct
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from evals.openai_client import Connection, opening_of
from tests.evals.completions import completion, last_text, pieces_of, tool_call

CASE = re.compile(r"\[\[case:([^\]]+)\]\]")
FAULT = re.compile(r"\[\[fault:([^\]]+)\]\]")
MEGABYTE = b" " * 2**20


@dataclass(frozen=True, slots=True)
class Called:
    """One request that arrived. `case` is what [[case:…]] says, else the last message."""

    case: str
    fault: str
    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float


@dataclass(slots=True)
class ModelServer:
    """Listens on a free port of 127.0.0.1 while it is entered."""

    fault: str = ""
    choose: Callable[[Called], str] | None = None
    reply: Callable[[Called], dict[str, Any]] | None = None
    retry_after: str = "0.05"
    redirect_to: str = ""
    drip_seconds: float = 0.1
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    # Connections that were accepted, whether or not a request came over them.
    connections: int = 0
    calls: list[Called] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    server: ThreadingHTTPServer = field(init=False)

    def __enter__(self) -> Self:
        self.server = _server_of(self)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def connection(self, *, timeout_seconds: float = 5, **more: Any) -> Connection:
        given = {"opening": opening_of("127.0.0.1"), "model": "fern-2", **more}
        return Connection(self.url, timeout_seconds=timeout_seconds, **given)

    def count(self, case: str | None = None) -> int:
        """Calls that arrived: of one case, or all."""
        with self.lock:
            return sum(case is None or call.case == case for call in self.calls)

    def arrived(self, path: str, headers: dict[str, str], body: dict[str, Any]) -> Called:
        said = last_text(body)
        case, fault = CASE.search(said), FAULT.search(said)
        call = Called(
            case[1] if case else said, fault[1] if fault else self.fault, path, headers, body,
            time.monotonic(),
        )  # fmt: skip
        with self.lock:
            self.calls.append(call)
            earlier = sum(one.case == call.case for one in self.calls) - 1
        chosen = self.choose(call) if self.choose else call.fault
        if chosen.endswith("-once"):
            chosen = "" if earlier else chosen.removesuffix("-once")
        return Called(call.case, chosen, path, headers, body, call.at)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many clients may come at once.
    request_queue_size = 256
    owner: ModelServer

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        with self.owner.lock:
            self.owner.connections += 1
        if self.owner.tls is not None:
            # The handshake is done by the thread that answers.
            connection = self.owner.tls.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
        return connection, address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what the tests are about."""


def answer_of(call: Called) -> dict[str, Any]:
    """What a case is answered where nothing fails: its own name, so that answers tell apart."""
    if call.body.get("tools"):
        name = call.body["tools"][0]["function"]["name"]
        return completion(None, tool_calls=[tool_call(name, json.dumps({"case": call.case}))])
    answer = completion(f"Answer to {call.case}")
    if call.body.get("logprobs"):
        tokens = [{"token": "An", "logprob": -0.25, "bytes": [65, 110], "top_logprobs": []}]
        answer["choices"][0]["logprobs"] = {"content": tokens, "refusal": None}
    return answer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ModelServer

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        self.owner.arrived(self.path, dict(self.headers.items()), {})
        self.send(200, b"{}")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        call = self.owner.arrived(self.path, dict(self.headers.items()), json.loads(raw or b"{}"))
        self.close_connection = True
        name = call.fault.split("-")[0] if call.fault[:3].isdigit() else call.fault
        FAULTS.get(name, status)(self, call)

    def send(self, code: int, body: bytes, **headers: str) -> None:
        self.send_response(code)
        given = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
        for header, value in given.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def send_chunks(self, kind: str, pieces: Iterator[bytes], **headers: str) -> None:
        self.send_response(200)
        given = {"Content_Type": kind, "Transfer_Encoding": "chunked", **headers}
        for header, value in given.items():
            self.send_header(header.replace("_", "-"), value)
        self.end_headers()
        for piece in pieces:
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


class _ServerOfAll(_Server):
    """Listens on all addresses, of IPv4 and of IPv6."""

    address_family = socket.AF_INET6

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()


def _server_of(owner: ModelServer) -> _Server:
    handler = type("Handler", (_Handler,), {"owner": owner})
    server = (_ServerOfAll if ":" in owner.host else _Server)((owner.host, 0), handler)
    server.owner = owner
    return server


def events(call: Called, answer: dict[str, Any]) -> Iterator[bytes]:
    usage = bool((call.body.get("stream_options") or {}).get("include_usage"))
    for piece in pieces_of(answer, usage=usage):
        yield b"data: " + json.dumps(piece).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


def fine(handler: _Handler, call: Called) -> None:
    answer = (handler.owner.reply or answer_of)(call)
    error = answer.get("error") if isinstance(answer, dict) else None
    if error:
        handler.send(error.get("code", 200), json.dumps(answer).encode())
    elif call.body.get("stream"):
        handler.send_chunks("text/event-stream", events(call, answer), x_request_id="req-1")
    else:
        handler.send(200, json.dumps(answer).encode(), x_request_id="req-1")


def status(handler: _Handler, call: Called) -> None:
    """429, 500, 401 and the like, with the message that services send."""
    code = int(call.fault[:3])
    error = {"message": f"This is error {code} of the model server.", "type": "error", "code": None}
    more = {"Retry_After": handler.owner.retry_after} if code in (429, 503) else {}
    if 300 <= code < 400:
        more = {"Location": handler.owner.redirect_to}
    handler.send(code, json.dumps({"error": error}).encode(), **more)


def hang(handler: _Handler, call: Called) -> None:
    """Accepted, and never answered."""
    while not handler.owner.closing.wait(0.05):
        if hung_up(handler.connection):
            return


def hung_up(connection: socket.socket) -> bool:
    try:
        return connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def drip(handler: _Handler, call: Called) -> None:
    """One byte at a time: no single read ever takes long."""
    answer = json.dumps(answer_of(call)).encode().ljust(4000)
    kind = "text/event-stream" if call.body.get("stream") else "application/json"
    handler.send_chunks(kind, _slowly(handler, answer))


def slow_headers(handler: _Handler, call: Called) -> None:
    for byte in _slowly(handler, b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 4000):
        handler.wfile.write(byte)
        handler.wfile.flush()


def _slowly(handler: _Handler, data: bytes) -> Iterator[bytes]:
    for place in range(len(data)):
        if handler.owner.closing.wait(handler.owner.drip_seconds) or hung_up(handler.connection):
            return
        yield data[place : place + 1]


def malformed(handler: _Handler, call: Called) -> None:
    if call.body.get("stream"):
        handler.send_chunks("text/event-stream", iter([b'data: {"choices": [\n\n']))
    else:
        handler.send(200, b'{"choices": [{"message": ')


def truncated(handler: _Handler, call: Called) -> None:
    """More is promised than is sent."""
    body = json.dumps(answer_of(call)).encode()
    handler.send(200, body[: len(body) // 2], Content_Length=str(len(body)))


def huge(handler: _Handler, call: Called) -> None:
    """A gigabyte, made as it is sent."""
    start = b"data: " if call.body.get("stream") else b"{"
    kind = "text/event-stream" if call.body.get("stream") else "application/json"
    handler.send_chunks(kind, iter([start, *[MEGABYTE] * 1024]))


def bomb(handler: _Handler, call: Called) -> None:
    """A gigabyte in a megabyte."""
    packed = zlib.compressobj(wbits=31)
    pieces = (packed.compress(MEGABYTE) for _ in range(1024))
    handler.send_chunks(
        "application/json", (piece for piece in pieces if piece), Content_Encoding="gzip"
    )


def nul(handler: _Handler, call: Called) -> None:
    """Text that no database takes: NUL, and half of a surrogate pair."""
    body = json.dumps(completion(f"NUL\0 and half \ud83d of {call.case}"))
    if call.body.get("stream"):
        answer = completion(f"NUL\0 and half \ud83d of {call.case}")
        handler.send_chunks("text/event-stream", events(call, answer))
    else:
        handler.send(200, body.encode())


def reset(handler: _Handler, call: Called) -> None:
    """The connection is reset, not closed."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def no_choice(handler: _Handler, call: Called) -> None:
    answer = {**completion(), "choices": []}
    if call.body.get("stream"):
        lines = [b"data: " + json.dumps(answer).encode() + b"\n\n", b"data: [DONE]\n\n"]
        handler.send_chunks("text/event-stream", iter(lines))
    else:
        handler.send(200, json.dumps(answer).encode())


def cut_stream(handler: _Handler, call: Called) -> None:
    """A stream that ends, well-formed, in the middle of the answer."""
    lines = list(events(call, answer_of(call)))
    handler.send_chunks("text/event-stream", iter(lines[:2]))


def not_http(handler: _Handler, call: Called) -> None:
    handler.wfile.write(b"220 mail.example ESMTP\r\n\r\n")


FAULTS: dict[str, Callable[[_Handler, Called], None]] = {
    "": fine,
    "fine": fine,
    "429": status,
    "500": status,
    "hang": hang,
    "drip": drip,
    "slow-headers": slow_headers,
    "malformed": malformed,
    "truncated": truncated,
    "huge": huge,
    "bomb": bomb,
    "nul": nul,
    "reset": reset,
    "no-choice": no_choice,
    "cut-stream": cut_stream,
    "not-http": not_http,
}
