"""A process that scores what might take for ever, and is ended by the kernel when it does.

Run as a script: it imports scorers alone, no web and no database, and gets no secret. A validator
in Rust hears no thread and no exception of Python, so timers of the kernel end the process as a
whole; they do so too when whoever asked has gone.
"""

import pickle
import resource
import signal
import sys
from typing import Any

from evals.metrics import Result, scorer_for

CPU_SECONDS = 5
# Waiting for a turn on a busy machine is not the scorer's fault.
WALL_SECONDS = 120
MEMORY_BYTES = 4 * 2**30
READY = b"ready\n"


def answer(question: Any) -> Result | Exception:
    name, parameters, output, expected = question
    try:
        return scorer_for(name, parameters)(output, expected)
    except Exception as error:
        return RuntimeError(f"{type(error).__name__}: {error}")


def set_timers(cpu: float, wall: float) -> None:
    signal.setitimer(signal.ITIMER_PROF, cpu)
    signal.setitimer(signal.ITIMER_REAL, wall)


def main() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    limit = MEMORY_BYTES if most == resource.RLIM_INFINITY else min(MEMORY_BYTES, most)
    resource.setrlimit(resource.RLIMIT_AS, (limit, most))
    questions, answers = sys.stdin.buffer, sys.stdout.buffer
    answers.write(READY)
    answers.flush()
    while True:
        try:
            question = pickle.load(questions)  # noqa: S301 - only its own parent writes here
        except EOFError:
            return
        set_timers(CPU_SECONDS, WALL_SECONDS)
        told = answer(question)
        set_timers(0, 0)
        pickle.dump(told, answers)
        answers.flush()


if __name__ == "__main__":
    main()
