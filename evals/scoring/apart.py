"""Scoring in a process of its own, with an end: what came of it, or why it had to be stopped."""

import atexit
import os
import pickle
import signal
import subprocess
import sys
import threading
from pathlib import Path

from evals.metrics import Expected, Output, Result, Scorer, Unscored
from evals.scoring.child import CPU_SECONDS, READY

SCRIPT = Path(__file__).with_name("child.py")
ROOT = SCRIPT.parents[2]
TOO_LONG = (signal.SIGPROF, signal.SIGALRM)


class NoChildError(RuntimeError):
    """The process that should score does not start: nothing is known about the output."""


class ScorerFailedError(RuntimeError):
    """The scorer raised an error of its own."""


class Child:
    """One process, asked by one thread at a time and started again when it was ended."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def ask(self, scorer: Scorer, output: Output, expected: Expected) -> Result:
        question = pickle.dumps(
            (scorer.kind.name, dict(scorer.signature.parameters), output, expected)
        )
        with self._lock:
            process = self._running()
            try:
                told = _ask(process, question)
            except (OSError, EOFError, pickle.UnpicklingError):
                return Unscored(_end(self._forget()))
            except BaseException:
                # Asked, and not read: the next question would get this answer.
                self._forget()
                raise
        if isinstance(told, Exception):
            raise ScorerFailedError(str(told))
        return told

    def close(self) -> None:
        with self._lock:
            if self._process is not None:
                self._forget()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = _start()
        return self._process

    def _forget(self) -> int:
        """End the process; the answer is its exit code."""
        process = self._process
        assert process is not None
        self._process = None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                _close(pipe)
        try:
            return process.wait(1)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()


def _close(pipe: object) -> None:
    try:
        pipe.close()  # type: ignore[attr-defined]
    except OSError:
        return


def _start() -> subprocess.Popen[bytes]:
    # No secret of this process goes along. -P: its own folder is not where modules are looked for.
    process = subprocess.Popen(  # noqa: S603 - this interpreter, a script of this package
        [sys.executable, "-P", str(SCRIPT)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"},
    )
    assert process.stdout is not None
    if process.stdout.readline() != READY:
        process.kill()
        process.communicate()
        raise NoChildError("The process that scores apart does not start.")
    return process


def _ask(process: subprocess.Popen[bytes], question: bytes) -> Result | Exception:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(question)
    process.stdin.flush()
    told: Result | Exception = pickle.load(process.stdout)  # noqa: S301 - written by child.py
    return told


def _end(code: int) -> str:
    if -code in TOO_LONG:
        return f"scoring was stopped after {CPU_SECONDS} s of computing"
    return f"the process that scored ended by itself ({_named(code)}), probably for lack of memory"


def _named(code: int) -> str:
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


CHILD = Child()
atexit.register(CHILD.close)
# A forked process would write into the pipes of its parent's child.
os.register_at_fork(after_in_child=lambda: CHILD.__init__())  # type: ignore[misc]
