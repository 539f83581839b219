"""Keep child processes running until told to stop, and leave none behind."""

import contextlib
import http.client
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config.server_account import LINUX, PR_SET_PDEATHSIG, prctl

STOP_SECONDS = 20.0
READY_SECONDS = 60.0
# A child that ended this often in this time will not get better by starting it again.
MOST_ENDS = 3
ENDS_SECONDS = 30.0


class ChildFailedError(Exception):
    """A child does not stay up; the text says which, in one line."""


@dataclass
class Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes]
    ends: list[float] = field(default_factory=list)


class Supervisor:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.children: list[Child] = []
        self.told_to_stop = False
        self._wakeup, notify = os.pipe()
        for end in (self._wakeup, notify):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(notify, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        # A shell has SIGINT ignored for what it puts in the background: whoever sends it anyway
        # means it. SIGHUP that `nohup` had ignored stays ignored.
        for request in (signal.SIGINT, signal.SIGTERM):
            signal.signal(request, self._stop_soon)
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            signal.signal(signal.SIGHUP, self._stop_soon)

    def add(self, name: str, command: list[str]) -> None:
        self.children.append(Child(name, command, self._spawn(command)))

    def run(self, *, on_ready: Callable[[], None], place: tuple[str, int]) -> int:
        """Until a signal: 0. Raises ChildFailedError when a child cannot be kept up."""
        try:
            self._wait_for_answer(place)
            if not self.told_to_stop:
                on_ready()
            while not self.told_to_stop:
                self._pause(1.0)
                self._revive()
        finally:
            self.stop()
        return 0

    def stop(self) -> None:
        """Ask all children to end; after a while, or at a second signal, make them."""
        self.told_to_stop = False
        for child in self.children:
            if child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        while self._living() and time.monotonic() < deadline and not self.told_to_stop:
            self._pause(0.1)
        for child in self.children:
            # The whole group, for a killed gunicorn would leave its workers.
            _signal_group(child, signal.SIGKILL)
            child.process.wait()

    def _spawn(self, command: list[str]) -> subprocess.Popen[bytes]:
        """In a group of its own: Ctrl-C reaches this process alone, which then stops all."""
        parent = os.getpid()
        return subprocess.Popen(  # noqa: S603
            command,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            process_group=0,
            preexec_fn=lambda: die_with_parent(parent),
        )

    def _wait_for_answer(self, place: tuple[str, int]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not self.told_to_stop and not _answers(place):
            if time.monotonic() > deadline:
                raise ChildFailedError(
                    f"The {self.children[0].name} gave no answer within {READY_SECONDS:.0f} s."
                )
            self._pause(0.1)
            self._revive()

    def _revive(self) -> None:
        for child in self.children:
            if child.process.poll() is None or self.told_to_stop:
                continue
            now = time.monotonic()
            child.ends = [end for end in child.ends if now - end < ENDS_SECONDS] + [now]
            if len(child.ends) >= MOST_ENDS:
                raise ChildFailedError(
                    f"The {child.name} ended {MOST_ENDS} times within {ENDS_SECONDS:.0f} s "
                    f"(last with status {child.process.returncode}); its words are above. Stopped."
                )
            sys.stderr.write(f"The {child.name} ended; it is started again.\n")
            # Workers of a killed gunicorn would hold the port for a while yet.
            _signal_group(child, signal.SIGTERM)
            child.process = self._spawn(child.command)

    def _living(self) -> bool:
        return any(child.process.poll() is None for child in self.children)

    def _pause(self, seconds: float) -> None:
        """Wait, but no longer than until the next signal."""
        if select.select([self._wakeup], [], [], seconds)[0]:
            os.read(self._wakeup, 512)

    def _stop_soon(self, number: int, frame: FrameType | None) -> None:
        self.told_to_stop = True


def _signal_group(child: Child, request: signal.Signals) -> None:
    # macOS answers EPERM for a group that has only a zombie left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.process.pid, request)


def die_with_parent(parent: int | None = None) -> None:
    """From now on, SIGTERM comes when the parent dies, by whatever hand."""
    expected = os.getppid() if parent is None else parent
    if LINUX:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != expected:
        os._exit(1)


def _answers(place: tuple[str, int]) -> bool:
    """Any answer will do: a refused Host header shows as well that the app is up."""
    host, port = place
    asked = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(asked, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status < 600
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
