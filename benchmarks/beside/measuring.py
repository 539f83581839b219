"""Seconds of the processor and memory of one computation, in a forked process of its own.

On a machine that others use, seconds by the clock say little; those of the processor, of all
threads of the process together, say what is asked of it.
"""

import gc
import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Work = Callable[[], npt.ArrayLike]
# Repeated for so long, at least so often; what takes longer than this is run once.
SECONDS = 0.5
LEAST = 3
TOO_LONG = 2.0


@dataclass(frozen=True)
class Public:
    """Another implementation of the same figure.

    Attributes
    ----------
    name : str
        The package and its function.
    work : callable or None
        None where the package is not installed.
    times : float
        It does only one part in so many of the work (resamples, pairs), since it would take
        minutes: its time is multiplied.
    tolerance : float
        Largest absolute difference of any of its numbers from ours.
    """

    name: str
    work: Work | None
    times: float = 1
    tolerance: float = 1e-9


def public(
    name: str, package: Any, work: Work, times: float = 1, tolerance: float = 1e-9
) -> Public:
    """Another implementation, without work where its package is not installed."""
    return Public(name, None if package is None else work, times, tolerance)


@dataclass(frozen=True)
class Case:
    """One figure from one input.

    Attributes
    ----------
    name, given : str
        What is computed, and from what: the same for both sides but where `given` says so.
    ours : callable
    others : sequence of Public
        None of them where no public implementation is known.
    """

    name: str
    given: str
    ours: Work
    others: Sequence[Public] = field(default_factory=tuple)


@dataclass(frozen=True)
class Measured:
    """Median seconds of the processor, MB at the peak over what was held before, the numbers."""

    seconds: float
    megabytes: float
    values: Any


def measured(work: Work) -> Measured:
    """Run in a fork: what it leaves behind does not speak for the next one."""
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(work, there))
    child.start()
    there.close()
    try:
        found = here.recv()
    except EOFError:
        raise RuntimeError("the measured process ended without an answer") from None
    finally:
        child.join()
    if isinstance(found, str):
        raise RuntimeError(found)
    return Measured(*found)


def _in_child(work: Work, there: Any) -> None:
    try:
        there.send(_measure(work))
    except Exception as error:  # told to the parent, whatever it is
        there.send(f"{type(error).__name__}: {error}")


def _measure(work: Work) -> tuple[float, float, Any]:
    gc.collect()
    # The kernel forgets the highest mark, so that what follows makes it.
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    started = time.process_time()
    values = np.atleast_1d(np.asarray(work(), dtype=float))
    once = time.process_time() - started
    peak = _status("VmHWM") - before
    seconds = once if once > TOO_LONG else _median(work, once)
    return seconds, max(0.0, peak / 1024), values


def _median(work: Work, once: float) -> float:
    """Of many runs; short ones are timed many at a time."""
    at_once = max(1, int(0.01 / max(once, 1e-6)))
    times: list[float] = []
    while len(times) < LEAST or sum(times) * at_once < SECONDS:
        started = time.process_time()
        for _ in range(at_once):
            work()
        times.append((time.process_time() - started) / at_once)
    return float(np.median(times))


def _status(name: str) -> int:
    """Kilobytes, as the kernel counts them."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise RuntimeError(f"the kernel does not tell {name}")
