"""An annotator who sends the same form until it is acknowledged, and writes down what was."""

import random
import socket
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from urllib.parse import urlencode

from benchmarks.over_http import Annotator, OpenTask

# The rubric of the studies in these tests: each judgement has two ratings.
CRITERIA = (("accuracy", "comparative"), ("tone", "score"))
GIVE_UP_SECONDS = 90.0
Answer = tuple[int, dict[str, str], str]


@dataclass(frozen=True, slots=True)
class Said:
    """What was said in one form, and how many ratings belong to it."""

    choice: int
    comment: str
    ratings: int = len(CRITERIA)


class Progress:
    """How many judgements all have had acknowledged, for whoever waits for the next moment."""

    def __init__(self) -> None:
        self.count = 0
        self.over = False
        self._changed = threading.Condition()

    def add(self) -> None:
        with self._changed:
            self.count += 1
            self._changed.notify_all()

    def wait_for(self, more: int, seconds: float = 60.0) -> None:
        with self._changed:
            wanted = self.count + more
            assert self._changed.wait_for(lambda: self.count >= wanted, seconds), (
                f"Only {self.count} of {wanted} were acknowledged within {seconds:.0f} s."
            )


@dataclass
class Steadfast(Annotator):
    """Takes a broken connection and a failure of the server for what they are: no answer."""

    ledger: dict[str, Said] = field(default_factory=dict)
    broken: int = 0
    progress: Progress = field(default_factory=Progress)

    def send(self, method: str, path: str, **fields: str) -> Answer:
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while True:
            answer = self.try_once(method, path, **fields)
            if answer is not None and answer[0] < 500:
                return answer
            assert time.monotonic() < deadline, f"No answer to {method} {path}: {self.status}"
            time.sleep(0.05)

    def try_once(self, method: str, path: str, **fields: str) -> Answer | None:
        """One try; None where no whole answer came."""
        try:
            answer = super().send(method, path, **fields)
        except (OSError, HTTPException):
            answer = None
        # A head that was cut looks to http.client like a short head.
        if answer is None or "content-length" not in answer[1]:
            self.broken += 1
            self.connection.close()
            return None
        return answer

    def say(self, task: OpenTask, said: Said) -> OpenTask | None:
        """Judge until it is acknowledged; the next task."""
        status, following = self.judge(task, **form(said))
        assert status == 200, f"{status} for the form of {task.address}"
        self.note(task, said)
        return following

    def send_part(self, task: OpenTask, said: Said, missing: int) -> bytes:
        """Send a form as browsers do, its token first, without its last bytes; what comes back."""
        fields = {"csrfmiddlewaretoken": self.csrf} | task.hidden | form(said)
        body = urlencode(fields).encode()
        head = (
            f"POST {task.address} HTTP/1.1\r\nHost: {self.host}\r\n"
            f"Cookie: session={self.session}; csrf={self.csrf}\r\nHX-Request: true\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        with socket.create_connection((self.host, self.port), timeout=30) as connection:
            connection.sendall(head.encode() + body[:-missing])
            connection.shutdown(socket.SHUT_WR)
            # Until the server has done with it.
            answer = b""
            while data := connection.recv(65536):
                answer += data
        return answer

    def note(self, task: OpenTask, said: Said) -> None:
        key = task.hidden["submission_key"]
        assert self.ledger.setdefault(key, said) == said
        self.progress.add()

    def work(self, study: str, chance: random.Random) -> None:
        """Judge the study until there is nothing left or the time is over."""
        task = self.begin(study)
        while task is not None and not self.progress.over:
            task = self.say(task, something(chance))


def something(chance: random.Random) -> Said:
    return Said(chance.choice((-1, 0, 1)), f"Because of {chance.getrandbits(64):016x}.")


def form(said: Said) -> dict[str, str]:
    return {
        "overall": str(said.choice),
        "criterion:accuracy": str(said.choice),
        "criterion:tone:left": "4",
        "criterion:tone:right": "2",
        # Last, as on the page: what is cut off a request is cut off here.
        "comment": said.comment,
    }
