"""A line that fails: a TCP proxy that cuts, resets or delays what passes through it."""

import contextlib
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

DRAIN_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Fault:
    """What becomes of one connection; without a word it is passed on whole."""

    # So many bytes of the answer arrive. The server has said its first byte by then,
    # and with it that its work is committed.
    answer_bytes: int | None = None
    # So many bytes of the request arrive; the server is let finish before the client is told.
    request_bytes: int | None = None
    delay: float = 0.0
    # RST instead of FIN.
    reset: bool = False


class Proxy:
    """Each connection takes the next of `faults`; when there are none left, all is well."""

    def __init__(self, target: tuple[str, int]) -> None:
        self.target = target
        self.faults: deque[Fault] = deque()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            # Wakes the thread that waits in accept().
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(DRAIN_SECONDS)

    def _start(self, target: object, *arguments: object) -> threading.Thread:
        thread = threading.Thread(target=target, args=arguments, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()
        return thread

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            fault = self.faults.popleft() if self.faults else Fault()
            self._start(self._carry, client, fault)

    def _carry(self, client: socket.socket, fault: Fault) -> None:
        with client, socket.create_connection(self.target) as server:
            time.sleep(fault.delay)
            there = self._start(_pump, client, server, fault.request_bytes)
            if fault.request_bytes is None:
                _pump(server, client, fault.answer_bytes)
            else:
                there.join(DRAIN_SECONDS)
                _drain(server)
            if fault.reset:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                with contextlib.suppress(OSError):
                    client.shutdown(socket.SHUT_RDWR)


def _pump(source: socket.socket, sink: socket.socket, limit: int | None) -> None:
    """Pass on what comes, up to `limit` bytes of it, and then the end."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if limit is not None and len(data) >= limit:
                sink.sendall(data[:limit])
                break
            sink.sendall(data)
            limit = None if limit is None else limit - len(data)
        sink.shutdown(socket.SHUT_WR)


def _drain(server: socket.socket) -> None:
    server.settimeout(DRAIN_SECONDS)
    with contextlib.suppress(OSError):
        while server.recv(65536):
            pass


@contextmanager
def proxy_before(host: str, port: int) -> Iterator[Proxy]:
    proxy = Proxy((host, port))
    try:
        yield proxy
    finally:
        proxy.close()
