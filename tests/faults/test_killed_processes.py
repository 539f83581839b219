"""Processes are killed while people judge: nothing acknowledged is lost, nothing is half."""

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest

from config.cluster import Server
from tests.faults.installation import Installation, Work, children_of
from tests.faults.steadfast import Progress, Said, Steadfast
from tests.faults.truth import amiss, stored

pytestmark = pytest.mark.race

WEB_KILLS = int(os.environ.get("FAULT_WEB_KILLS", "5"))
DATABASE_KILLS = int(os.environ.get("FAULT_DATABASE_KILLS", "3"))
SEED = int(os.environ.get("FAULT_SEED", "12"))
PEOPLE = 6
# Between two kills this many answers are acknowledged at most, and as many more at the end.
MOST_BETWEEN = 40


@contextmanager
def people_at_work(work: Work, port: int) -> Iterator[tuple[Progress, list[Steadfast]]]:
    """Everybody judges, each in a thread, while the block goes on; they finish what they began."""
    progress = Progress()
    annotators = work.annotators(port, progress)
    faults: list[BaseException] = []

    def judge(annotator: Steadfast, chance: random.Random) -> None:
        try:
            annotator.work(work.study, chance)
        except BaseException as fault:
            faults.append(fault)
        finally:
            annotator.close()

    threads = [
        threading.Thread(target=judge, args=(annotator, random.Random(SEED + number)))
        for number, annotator in enumerate(annotators)
    ]
    for thread in threads:
        thread.start()
    try:
        yield progress, annotators
    finally:
        progress.over = True
        for thread in threads:
            thread.join()
    assert faults == []


def kill_while_people_judge(
    running: Installation, work: Work, kills: int, kill: Callable[[random.Random], None]
) -> list[Steadfast]:
    chance = random.Random(SEED)
    with people_at_work(work, running.port) as (progress, annotators):
        for _ in range(kills):
            progress.wait_for(chance.randint(1, MOST_BETWEEN))
            kill(chance)
        progress.wait_for(MOST_BETWEEN)
    return annotators


def ledger_of(annotators: list[Steadfast]) -> dict[str, Said]:
    ledgers = [annotator.ledger for annotator in annotators]
    together = {key: said for ledger in ledgers for key, said in ledger.items()}
    assert len(together) == sum(map(len, ledgers))
    return together


def statuses_of(annotators: list[Steadfast]) -> Counter[int]:
    return sum((Counter(annotator.status) for annotator in annotators), Counter())


def test_web_workers_killed_at_random_lose_halve_and_double_nothing(
    running: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    items = MOST_BETWEEN * (WEB_KILLS + 2)
    work = running.furnish("web", items=items, overlap=PEOPLE, people=PEOPLE)

    def kill_a_worker(chance: random.Random) -> None:
        # It may have gone by itself since it was listed: then that was no kill.
        while True:
            with suppress(ProcessLookupError, IndexError):
                os.kill(chance.choice(running.web_workers()), signal.SIGKILL)
                return

    annotators = kill_while_people_judge(running, work, WEB_KILLS, kill_a_worker)

    ledger, statuses = ledger_of(annotators), statuses_of(annotators)
    broken = sum(annotator.broken for annotator in annotators)
    with capsys.disabled():
        print(f"\n{WEB_KILLS} workers killed, {len(ledger)} acknowledged, {broken} broken off")
    assert broken > 0
    assert set(statuses) == {200}
    assert stored(running.ask, work.study) == ledger
    assert amiss(running.ask, work.study) == {}
    assert running.process.poll() is None


def test_database_killed_at_random_loses_halves_and_doubles_nothing(
    running: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    items = MOST_BETWEEN * (DATABASE_KILLS + 2)
    work = running.furnish("database", items=items, overlap=PEOPLE, people=PEOPLE)

    def kill_the_server(chance: random.Random) -> None:
        server: Server | None = None
        while server is None:
            server = running.cluster.server()
        # Alone, or with all that work for it: then nobody ends what was begun.
        others = children_of(server.pid) if chance.random() < 0.5 else []
        for pid in (server.pid, *others):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    annotators = kill_while_people_judge(running, work, DATABASE_KILLS, kill_the_server)

    ledger, statuses = ledger_of(annotators), statuses_of(annotators)
    with capsys.disabled():
        print(f"\n{DATABASE_KILLS} servers killed, {len(ledger)} acknowledged, {dict(statuses)}")
    # A failure is called one: neither "signed out" nor "not found" nor "answered before".
    assert set(statuses) <= {200, 500, 503}
    assert stored(running.ask, work.study) == ledger
    assert amiss(running.ask, work.study) == {}
    assert running.process.poll() is None, running.words()
