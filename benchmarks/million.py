"""Every page of a lead at a million judgements: python -m benchmarks.million

    python -m benchmarks.million [--judgements 1000000] [--annotators 200] [--top 3] [--cold]

A study of five points with five criteria (one of them scored for each side), three judgements
of each item: a few annotators do most of the work, a few categories hold most of the items, a
fifth of the answers are ties; one judgement in fifty was corrected, one item in two hundred was
skipped by somebody, one task in five hundred came too late to count. All of it is made inside
PostgreSQL.

Printed: how long each page takes over HTTP when nothing whatever has been counted yet (with
--cold: until it answers how far it is, and until it can be opened), when a worker has counted
ahead and nobody has opened the page, when one judgement has been corrected since, and when
nothing has changed; the slowest statements after the correction, and the most memory that the
web process ever held; at a hundredth of the judgements first, then at all of them.
"""

import argparse
import os
import random
import re
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

from benchmarks.million_rows import CRITERIA, fill, make_study
from benchmarks.over_http import Annotator
from benchmarks.scratch import scratch_database
from benchmarks.serving import serve_here, session_of

PAGES = (
    "study", "progress", "preference", "agreement", "agreement_parts", "agreement_pairs",
    "confusion", "annotators", "disputed", "decision", "planning", "metrics",
)  # fmt: skip
AGAIN = 5
# With which a page that says how far the counting is asks again.
PAGE_HEADER = "Counting-Page"


@dataclass(eq=False)
class Watch:
    """Statements of all threads: (seconds, text); and what they took of the processor.

    On a machine that others use, seconds say little: the processor's time says what is asked.
    """

    seen: list[tuple[float, str]] = field(default_factory=list)
    busy: float = 0.0

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        server = context["connection"].connection.info.backend_pid
        started, busy = time.perf_counter(), processor_time(server)
        try:
            return execute(sql, params, many, context)
        finally:
            self.seen.append((time.perf_counter() - started, " ".join(sql.split())))
            self.busy += processor_time(server) - busy


def processor_time(process: int) -> float:
    """Seconds of the processor that a process of this machine has used, to a hundredth."""
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--judgements", type=int, default=1_000_000)
    asked.add_argument("--annotators", type=int, default=200)
    asked.add_argument("--top", type=int, default=1, help="Slowest statements shown of a page.")
    asked.add_argument("--cold", action="store_true", help="Also with nothing counted yet.")
    asked.add_argument("--whole", action="store_true", help="Show statements whole.")
    given = asked.parse_args()
    with scratch_database("million"):
        study, people = make_study(given.annotators)
        done = 0
        for judgements in (given.judgements // 100, given.judgements):
            items = judgements // 3
            started = time.perf_counter()
            fill(study, people, done, items)
            done = items
            seconds = time.perf_counter() - started
            print(f"\n{items * 3:,} judgements of {items:,} items by {len(people)} annotators")
            print(f"made in {seconds:.0f} s; load {os.getloadavg()[0]:.1f}", flush=True)
            measure(study, people, given)


def measure(study: Any, people: list[Any], given: argparse.Namespace) -> None:
    from django.core.cache import cache  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    from evals.models import CountedPart  # noqa: PLC0415
    from evals.reporting.ahead import count_ahead  # noqa: PLC0415

    lead = session_of(_lead())
    pair = {"one": str(people[0]), "other": str(people[1])}
    with watched() as watch, serve_here() as (host, port), ExitStack() as closing:
        browser = Annotator(host, port, lead)
        # The server closes when nobody is connected.
        closing.callback(browser.close)
        # What is imported and compiled at the first request of a process is not counted.
        browser.send("GET", reverse("planning", args=[study.slug]))
        addresses = {name: reverse(name, args=[study.slug]) for name in PAGES}
        addresses["confusion"] += "?" + "&".join(f"{key}={value}" for key, value in pair.items())
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in PAGES}
        slowest: dict[str, list[tuple[float, str]]] = {}
        for name, address in addresses.items() if given.cold else ():
            cache.clear()
            CountedPart.objects.all().delete()
            found[name] += opening(browser, watch, address)
        cache.clear()
        CountedPart.objects.all().delete()
        started = time.perf_counter()
        count_ahead(study, "blind", 0.95)
        print(f"counted ahead in {time.perf_counter() - started:.1f} s", flush=True)
        for name, address in addresses.items():
            found[name].append(page(browser, watch, address))
        for name, address in addresses.items():
            # What was corrected for the page before has been counted by the worker.
            count_ahead(study, "blind", 0.95)
            correct(study)
            watch.seen.clear()
            found[name].append(page(browser, watch, address))
            slowest[name] = sorted(watch.seen, reverse=True)
            again = [page(browser, watch, address) for _ in range(AGAIN)]
            found[name].append(_medians(again))
    titles = [
        *(["nothing counted", "till it opens"] if given.cold else []),
        "counted ahead",
        "one more",
        "at rest",
    ]
    print(f"{'':18}" + "".join(f"{title:>24}" for title in titles) + f"{'statements':>12}")
    for name in PAGES:
        times = "".join(f"{clock * 1000:>12,.0f} ms{busy * 1000:>6,.0f} ms p" for clock, busy in
                        found[name])  # fmt: skip
        print(f"{name:18}{times}{len(slowest[name]):>12}", flush=True)
        for seconds, sql in slowest[name][: given.top]:
            print(f"{'':18}{seconds * 1000:>7,.0f} ms  {sql if given.whole else of_interest(sql)}")
    print("p: of the processor, of the web process and of its database connections together")
    print(f"peak memory of the web process: {peak():,.0f} MiB; load {os.getloadavg()[0]:.1f}")


def correct(study: Any) -> None:
    """Somebody changes their mind about a judgement of long ago."""
    from annotate.judging import Answers, record_judgement, submission_key  # noqa: PLC0415
    from annotate.models import Task  # noqa: PLC0415

    tasks = Task.objects.filter(study=study, state="judged").select_related("annotator")
    task = tasks.order_by("judged_at")[random.randrange(50_000 if tasks[50_000:].exists() else 9)]
    assert task.annotator is not None
    comparisons = {f"c{number}": 1 for number in range(1, CRITERIA)}
    record_judgement(
        task.pk,
        task.annotator,
        submission_key(task),
        Answers(choice=1, comparisons=comparisons, scores={f"c{CRITERIA}": (4, 3)}),
    )


def _medians(times: list[tuple[float, float]]) -> tuple[float, float]:
    by_clock, busy = (statistics.median(column) for column in zip(*times, strict=True))
    return by_clock, busy


def page(browser: Annotator, watch: Watch, address: str) -> tuple[float, float]:
    """Seconds by the clock until it is open, and of the processor here and in the database."""
    return opening(browser, watch, address)[-1]


def opening(browser: Annotator, watch: Watch, address: str) -> list[tuple[float, float]]:
    """Of a page of which nothing is counted: until it says how far it is, and until it opens."""
    watch.busy = 0.0
    times: list[tuple[float, float]] = []
    started, here = time.perf_counter(), time.process_time()
    status, _, text = browser.send("GET", address)
    while True:
        busy = time.process_time() - here + watch.busy
        times.append((time.perf_counter() - started, busy))
        if status == 200:
            return [times[0], times[-1]]
        assert status == 202, (address, status)
        tries = re.search(f'"{PAGE_HEADER}": "([0-9]+)"', unescape(text))
        assert tries is not None
        status, _, text = browser.ask_again(address, {PAGE_HEADER: tries[1]})


def of_interest(sql: str) -> str:
    """The end of a statement: how it counts; all begin alike."""
    return sql[-110:]


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _lead() -> Any:
    from annotate.models import User  # noqa: PLC0415

    return User.objects.get_or_create(email="lead@example.org", role="lead", name="Lead")[0]


@contextmanager
def watched() -> Iterator[Watch]:
    """Time the statements of every connection that is opened inside."""
    from django.db.backends.signals import connection_created  # noqa: PLC0415

    watch = Watch()

    def look(connection: Any, **_: Any) -> None:
        if watch not in connection.execute_wrappers:
            connection.execute_wrappers.append(watch)

    connection_created.connect(look)
    try:
        yield watch
    finally:
        connection_created.disconnect(look)


if __name__ == "__main__":
    main()
