"""Every page of a lead at a million judgements: python -m benchmarks.million

    python -m benchmarks.million [--judgements 1000000] [--annotators 200] [--top 3] [--keep]

A study of five points with five criteria (one of them scored for each side), three judgements
of each item: a few annotators do most of the work, a few categories hold most of the items, a
fifth of the answers are ties; one judgement in fifty was corrected, one item in two hundred was
skipped by somebody, one task in five hundred came too late to count. All of it is made inside
PostgreSQL.

Printed: how long each page takes over HTTP when nothing has been kept and when nothing has
changed since, its statements, the slowest of these, and the most memory that the web process
ever held; at a hundredth of the judgements first, then at all of them.
"""

import argparse
import os
import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.million_rows import fill, make_study
from benchmarks.over_http import Annotator
from benchmarks.scratch import scratch_database
from benchmarks.serving import serve_here, session_of

PAGES = (
    "study", "progress", "preference", "agreement", "agreement_parts", "agreement_pairs",
    "confusion", "annotators", "disputed", "decision", "planning",
)  # fmt: skip
AGAIN = 5


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
            measure(study, people, given.top, whole=given.whole)


def measure(study: Any, people: list[Any], top: int, *, whole: bool) -> None:
    from django.core.cache import cache  # noqa: PLC0415
    from django.urls import reverse  # noqa: PLC0415

    lead = session_of(_lead())
    pair = {"one": str(people[0]), "other": str(people[1])}
    with watched() as watch, serve_here() as (host, port), ExitStack() as closing:
        browser = Annotator(host, port, lead)
        # The server closes when nobody is connected.
        closing.callback(browser.close)
        # What is imported and compiled at the first request of a process is not counted.
        browser.send("GET", reverse("planning", args=[study.slug]))
        print(
            f"{'':18}{'first':>10}{'processor':>10}{'again':>10}{'processor':>10}{'statements':>12}"
        )
        for name in PAGES:
            address = reverse(name, args=[study.slug])
            if name == "confusion":
                address += "?" + "&".join(f"{key}={value}" for key, value in pair.items())
            cache.clear()
            watch.seen.clear()
            first = [page(browser, watch, address)]
            seen = sorted(watch.seen, reverse=True)
            again = [page(browser, watch, address) for _ in range(AGAIN)]
            print(f"{name:18}{in_words(first)}{in_words(again)}{len(seen):>12}", flush=True)
            for seconds, sql in seen[:top]:
                print(f"{'':18}{seconds * 1000:>7,.0f} ms  {sql if whole else of_interest(sql)}")
    print(f"peak memory of the web process: {peak():,.0f} MiB; load {os.getloadavg()[0]:.1f}")


def page(browser: Annotator, watch: Watch, address: str) -> tuple[float, float]:
    """Seconds by the clock, and of the processor here and in the database."""
    watch.busy = 0.0
    started, here = time.perf_counter(), time.process_time()
    status, headers, _ = browser.send("GET", address)
    assert status == 200, (address, status, headers.get("location"))
    return time.perf_counter() - started, time.process_time() - here + watch.busy


def in_words(times: list[tuple[float, float]]) -> str:
    by_clock, busy = (statistics.median(column) for column in zip(*times, strict=True))
    return f"{by_clock * 1000:>7,.0f} ms{busy * 1000:>7,.0f} ms"


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
