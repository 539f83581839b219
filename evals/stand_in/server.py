"""Chat completions over HTTP, on a free port of this machine alone."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evals.stand_in.answering import MODELS, Reply, Token, reply

MAX_REQUEST_BYTES = 32 * 2**20


class _RefusedError(Exception):
    """A request that gets no answer, with the status that says so."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # All workers may come at once.
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up early has their reasons: nothing is printed."""


@contextmanager
def serving() -> Iterator[str]:
    """Serve while entered; what is given is the base URL."""
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield _url(server)
    finally:
        server.shutdown()
        server.server_close()


def _url(server: _Server) -> str:
    return f"http://127.0.0.1:{server.server_address[1]}/v1"


_lock = threading.Lock()
_shared: dict[int, _Server] = {}


def shared_url() -> str:
    """The base URL of the one server of this process, started when it is first asked for."""
    with _lock:
        # A forked child has inherited the socket, but not the thread that answers.
        server = _shared.get(os.getpid())
        if server is None:
            server = _shared[os.getpid()] = _Server(("127.0.0.1", 0), _Handler)
            threading.Thread(target=server.serve_forever, args=(0.5,), daemon=True).start()
        return _url(server)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "touchstone-stand-in"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged: runs have their own record."""

    def do_GET(self) -> None:
        if self.path == "/v1/models":
            models = [{"id": model, "object": "model"} for model in MODELS]
            self._send(200, {"object": "list", "data": models})
        else:
            self._refuse(_RefusedError(404, "There is nothing here."))

    def do_POST(self) -> None:
        try:
            body = self._body()
            answer = _answered(body)
        except _RefusedError as refused:
            self._refuse(refused)
            return
        if body.get("stream"):
            self._stream(body, answer)
        else:
            time.sleep(answer.seconds)
            self._send(200, _whole(body, answer))

    def _body(self) -> dict[str, Any]:
        if self.path != "/v1/chat/completions":
            raise _RefusedError(404, "There is nothing here.")
        size = int(self.headers.get("Content-Length") or 0)
        if size > MAX_REQUEST_BYTES:
            self.close_connection = True
            raise _RefusedError(413, "The request is too large.")
        try:
            body = json.loads(self.rfile.read(size))
        except (ValueError, RecursionError):
            raise _RefusedError(400, "The request is not JSON.") from None
        if not isinstance(body, dict):
            raise _RefusedError(400, "The request is no object.")
        return body

    def _refuse(self, refused: _RefusedError) -> None:
        error = {"message": str(refused), "type": "invalid_request_error", "code": None}
        self._send(refused.status, {"error": error})

    def _send(self, status: int, data: object) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, body: dict[str, Any], answer: Reply) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        pieces = list(_pieces(body, answer))
        # A third of the time goes by before the first word.
        time.sleep(answer.seconds / 3)
        for piece in pieces:
            time.sleep(answer.seconds * 2 / 3 / len(pieces))
            self.wfile.write(b"data: " + json.dumps(piece).encode() + b"\n\n")
        self.wfile.write(b"data: [DONE]\n\n")


def _answered(body: dict[str, Any]) -> Reply:
    model, messages = body.get("model"), body.get("messages")
    if model not in MODELS:
        raise _RefusedError(404, f"There is no such model. Models: {', '.join(MODELS)}.")
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise _RefusedError(400, "messages is no list of messages.")
    limit = body.get("max_completion_tokens", body.get("max_tokens"))
    return reply(str(model), messages, limit if isinstance(limit, int) else None)


def _base(body: dict[str, Any], kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-stand-in", "object": kind, "created": 0, "model": body["model"]}


def _usage(answer: Reply) -> dict[str, int]:
    return {
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "total_tokens": answer.prompt_tokens + answer.completion_tokens,
    }


def _call(call: tuple[str, str, str], **more: int) -> dict[str, Any]:
    call_id, name, arguments = call
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function, **more}


def _logprobs(body: dict[str, Any], tokens: tuple[Token, ...]) -> dict[str, Any] | None:
    if not (body.get("logprobs") and tokens):
        return None
    return {
        "content": [
            {
                "token": token.text,
                "logprob": token.logprob,
                "bytes": list(token.text.encode()),
                "top_logprobs": [],
            }
            for token in tokens
        ]
    }


def _whole(body: dict[str, Any], answer: Reply) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": answer.text, "refusal": None}
    if answer.calls:
        message["tool_calls"] = [_call(call) for call in answer.calls]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": _logprobs(body, answer.tokens),
        "finish_reason": answer.finish_reason,
    }
    return {**_base(body, "chat.completion"), "choices": [choice], "usage": _usage(answer)}


def _pieces(body: dict[str, Any], answer: Reply) -> Iterator[dict[str, Any]]:
    base = _base(body, "chat.completion.chunk")

    def piece(delta: dict[str, Any], **more: Any) -> dict[str, Any]:
        return {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}

    yield piece({"role": "assistant"})
    for token in answer.tokens:
        yield piece({"content": token.text}, logprobs=_logprobs(body, (token,)))
    for index, call in enumerate(answer.calls):
        yield piece({"tool_calls": [_call((call[0], call[1], ""), index=index)]})
        half = len(call[2]) // 2
        for part in (call[2][:half], call[2][half:]):
            yield piece({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
    yield piece({}, finish_reason=answer.finish_reason)
    if (body.get("stream_options") or {}).get("include_usage"):
        yield {**base, "choices": [], "usage": _usage(answer)}
