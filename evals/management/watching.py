"""How a command shows people at a terminal how far it is, and how it is told to stop."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from django.core.management.base import OutputWrapper

from evals.reporting.runs import duration
from evals.running import Progress

BAR = 24
SECONDS_BETWEEN = 10.0


class ProgressLine:
    """A bar that is written over and over at a terminal; elsewhere a line now and then."""

    def __init__(self, out: OutputWrapper) -> None:
        self._out = out
        self._runs: dict[int, Progress] = {}
        self._written_at = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        self._runs[progress.number] = progress
        if self._out.isatty():
            self._out.write(f"\r\033[K{self._line()}", ending="")
            self._out.flush()
        elif time.monotonic() - self._written_at >= SECONDS_BETWEEN:
            self._written_at = time.monotonic()
            self._out.write(self._line())

    def clear(self) -> None:
        self._runs.clear()
        if self._out.isatty():
            self._out.write("\r\033[K", ending="")

    def _line(self) -> str:
        done, total, errors = (
            sum(getattr(run, name) for run in self._runs.values())
            for name in ("done", "total", "errors")
        )
        filled = BAR * done // total if total else 0
        bar = f"[{'#' * filled}{'.' * (BAR - filled)}] " if self._out.isatty() else ""
        failed = f", {errors:,} errors" if errors else ""
        left = [run.seconds_left for run in self._runs.values() if run.seconds_left]
        time_left = f", {duration(max(left))} left" if left else ""
        return f"{bar}{done:,} of {total:,} answers{failed}{time_left}"


class Stop:
    """Whether somebody asked to stop: the first time what is in flight is waited for."""

    def __init__(self) -> None:
        self.asked = False

    def __call__(self) -> bool:
        return self.asked


@contextmanager
def stopping(out: OutputWrapper) -> Iterator[Stop]:
    """Ctrl-C and SIGTERM end the asking in good order; a second Ctrl-C ends it at once."""
    stop = Stop()

    def ask(number: int, frame: FrameType | None) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True
        out.write("\nStopping: what is in flight is waited for. Once more ends it at once.")

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
