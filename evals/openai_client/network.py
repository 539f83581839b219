"""Connections to checked addresses, on which no wait outlives the call's deadline."""

import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from evals.openai_client.addresses import IP, AddressError, Opening, Target, check_address
from evals.openai_client.contract import CallError

CONNECT_SECONDS = 10.0
PIECE = 16 * 1024

Resolve = Callable[[str, int], Sequence[IP]]
Dial = Callable[[str, int, float], httpcore2.NetworkStream]


def resolve_name(host: str, port: int) -> list[IP]:
    """All addresses of a name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ipaddress.ip_address(entry[4][0]) for entry in found))


def dial_address(address: str, port: int, timeout: float) -> httpcore2.NetworkStream:
    return httpcore2.SyncBackend().connect_tcp(address, port, timeout=timeout)


@dataclass(frozen=True, slots=True)
class Net:
    """How names are looked up and connections made."""

    resolve: Resolve = resolve_name
    dial: Dial = dial_address


@dataclass(slots=True)
class Clock:
    """The time of one call: when it must have ended, and when its request was sent."""

    timeout_seconds: float
    started: float = field(default_factory=time.perf_counter)
    sent: float | None = None

    @property
    def left(self) -> float:
        """Seconds until the deadline.

        Raises
        ------
        CallError
            When none are left.
        """
        left = self.started + self.timeout_seconds - time.perf_counter()
        if left <= 0:
            raise self.overdue()
        return left

    @property
    def elapsed_ms(self) -> float:
        """Since the request was sent; before that, since the call began."""
        return 1000 * (time.perf_counter() - (self.sent or self.started))

    def overdue(self) -> CallError:
        return CallError("timeout", f"No complete answer within {self.timeout_seconds:g} s.")


class TimedStream(httpcore2.NetworkStream):
    """A connection on which each wait ends at the deadline of the call.

    A server that sends one byte a second starts every timeout of single reads anew.
    """

    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout=self._clock.left)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        if self._clock.sent is None:
            self._clock.sent = time.perf_counter()
        for start in range(0, len(buffer), PIECE):
            self._stream.write(buffer[start : start + PIECE], timeout=self._clock.left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        wait = min(CONNECT_SECONDS, self._clock.left)
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=wait)
        return TimedStream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class CheckedBackend(httpcore2.NetworkBackend):
    """Looks a name up once, checks every address, and connects to one that was checked.

    A name that is looked up a second time, for connecting, may lead elsewhere by then.
    """

    def __init__(self, target: Target, opening: Opening, clock: Clock, net: Net) -> None:
        self._target = target
        self._opening = opening
        self._clock = clock
        self._net = net

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._looked_up()
        for address in addresses:
            try:
                check_address(self._target, address, self._opening)
            except AddressError as error:
                raise CallError("refused_address", str(error)) from None
        return TimedStream(self._connected(addresses), self._clock)

    def _looked_up(self) -> Sequence[IP]:
        try:
            return [ipaddress.ip_address(self._target.host)]
        except ValueError:
            pass
        answers: queue.SimpleQueue[Sequence[IP] | Exception] = queue.SimpleQueue()
        # A resolver cannot be interrupted: its thread is left behind where it takes too long.
        threading.Thread(target=self._look_up, args=(answers,), daemon=True).start()
        try:
            found = answers.get(timeout=min(CONNECT_SECONDS, self._clock.left))
        except queue.Empty:
            raise CallError(
                "unreachable", f"Looking up {self._target.host} took too long."
            ) from None
        if isinstance(found, Exception) or not found:
            raise CallError("unreachable", f"The name {self._target.host} has no address.")
        return found

    def _look_up(self, answers: "queue.SimpleQueue[Sequence[IP] | Exception]") -> None:
        try:
            answers.put(self._net.resolve(self._target.host, self._target.port))
        except (OSError, ValueError) as error:
            answers.put(error)

    def _connected(self, addresses: Sequence[IP]) -> httpcore2.NetworkStream:
        told = "nothing answers there"
        for address in addresses:
            try:
                wait = min(CONNECT_SECONDS, self._clock.left)
                return self._net.dial(str(address), self._target.port, wait)
            except httpcore2.ConnectTimeout:
                told = "nothing answered in time"
            except httpcore2.ConnectError:
                told = "the connection was refused"
        where = f"{self._target.host}, port {self._target.port}"
        raise CallError("unreachable", f"No connection to {where}: {told}.")
