"""How many calls a second a run makes of a service that answers at once.

    python -m benchmarks.run_throughput

One worker, one lane, with 1, 8 and 32 calls at a time. "queue" asks nothing over the network:
what is left is claiming, writing down, storing and scoring, which is all done before a call
leaves or after it is back, so none of it is in a latency. "HTTP" asks a server in a process of
its own.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.scratch import scratch_database

CASES = 600
AT_A_TIME = (1, 8, 32)
SERVER = """
import sys
from tests.evals.model_server import ModelServer
with ModelServer() as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@contextmanager
def model_server() -> Iterator[str]:
    with subprocess.Popen(
        [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.stdin.close()


def main() -> None:
    with scratch_database("runs"), model_server() as url:
        measure(url)


def measure(url: str) -> None:
    # The models exist once Django is set up.
    from evals import openai_client  # noqa: PLC0415
    from evals.models import Generation, Run  # noqa: PLC0415
    from evals.running import start_runs, work_on  # noqa: PLC0415
    from evals.running.lanes import Ask  # noqa: PLC0415
    from tests.evals.factories import make_endpoint  # noqa: PLC0415
    from tests.evals.running_inputs import (  # noqa: PLC0415
        answering,
        here,
        questions,
        suite_of,
    )
    from tests.factories import make_study  # noqa: PLC0415

    study, suite = make_study("Bench"), suite_of(questions(CASES))

    def run(name: str, at_a_time: int, ask: Ask) -> None:
        endpoint = make_endpoint(f"{name} {at_a_time}", base_url=url, concurrency=at_a_time)
        (started,) = start_runs(study, suite, {"candidate": endpoint})
        began, used = time.perf_counter(), time.process_time()
        work_on([started], ask=ask, connect=here)
        seconds, used = time.perf_counter() - began, time.process_time() - used
        assert Run.objects.get(pk=started.pk).state == "done"
        times = Generation.objects.filter(run=started).values_list("latency_ms", flat=True)
        found = sorted(time for time in times if time is not None)
        median = f", median latency {found[len(found) // 2]:.1f} ms" if name == "HTTP" else ""
        print(
            f"{name:>5}, {at_a_time:>2} at a time: {CASES / seconds:6.1f} calls/s, "
            f"{1000 * used / CASES:.1f} ms of this processor each{median}"
        )

    for at_a_time in AT_A_TIME:
        run("queue", at_a_time, answering())
    for at_a_time in AT_A_TIME:
        run("HTTP", at_a_time, openai_client.ask)


if __name__ == "__main__":
    main()
