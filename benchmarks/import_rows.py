"""How fast a batch comes in: `manage.py import_batch` beside a bare COPY of the same rows.

    python -m benchmarks.import_rows [--rows 100000] [--overlap 3]

Works in a database of its own, which is removed at the end.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.scratch import scratch_database

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("points", "stay", "valid", "for", "some", "months", "after", "your", "last", "purchase")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--overlap", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, scratch_database("import"):
        path = Path(folder) / "rows.jsonl"
        write_rows(path, options.rows)
        measure(path, options.rows, options.overlap)


def write_rows(path: Path, count: int) -> None:
    """About 1 kB a row: a prompt, two outputs, an id and a category."""
    draw = random.Random(1)
    with path.open("w", encoding="utf-8") as stream:
        for number in range(count):
            prompt, first, second = (
                " ".join(draw.choices(WORDS, k=size)) + "." for size in (24, 66, 66)
            )
            row = {
                "id": f"q-{number}",
                "category": f"c{number % 7}",
                "prompt": f"{prompt} ({number})?",
                "output_a": first,
                "output_b": second,
            }
            stream.write(json.dumps(row) + "\n")


def measure(path: Path, count: int, overlap: int) -> None:
    names = ("--baseline", "old", "--candidate", "new", "--slug", "bench")
    manage("create_study", "Bench", *names, "--overlap", str(overlap))
    idle, _, idle_memory = manage("check", "--tag", "models")
    check, _, check_memory = manage("import_batch", "bench", str(path), "--check", "--json")
    whole, answer, memory = manage("import_batch", "bench", str(path), "--json")
    assert json.loads(answer)["items"] == count
    bare = bare_copy(path)
    tasks = make_tasks_again()
    size = path.stat().st_size
    print(f"{count:,} rows, {size / count:.0f} bytes each, {size / 2**20:.0f} MiB")
    print(f"{'':44} {'seconds':>8} {'rows/s':>9} {'peak MiB':>9}")
    line("bare COPY of parsed rows, no index, no check", bare, count, 0)
    line("manage.py import_batch --check", check, count, check_memory)
    line("manage.py import_batch", whole, count, memory)
    line("  of that: start of Python and Django", idle, 0, idle_memory)
    line(f"  of that: {overlap * count:,} tasks", tasks, 0, 0)


def line(label: str, seconds: float, count: int, peak: int) -> None:
    rate = f"{count / seconds:,.0f}" if count else ""
    shown = f"{peak / 1024:.0f}" if peak else ""
    print(f"{label:44} {seconds:8.2f} {rate:>9} {shown:>9}")


def address() -> str:
    # Django is set up by now, and not before.
    from django.db import connection  # noqa: PLC0415

    params = connection.get_connection_params()
    known = ("host", "port", "user", "password")
    query = urlencode({name: params[name] for name in known if params.get(name)})
    return f"postgresql:///{connection.settings_dict['NAME']}?{query}"


def manage(*arguments: str) -> tuple[float, str, int]:
    """Seconds, answer and peak memory (KiB) of one command."""
    before = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": address()},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        answer = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"manage.py {' '.join(arguments)} failed: {answer}")
    return time.perf_counter() - before, answer, usage.ru_maxrss


def bare_copy(path: Path) -> float:
    """The same texts, parsed before the clock starts, into a table without index or constraint."""
    from django.db import connection  # noqa: PLC0415

    with path.open("rb") as stream:
        rows = [list(json.loads(one).values()) for one in stream]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id text, category text, prompt text, a text, b text)")
        before = time.perf_counter()
        with cursor.copy("COPY bare FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return time.perf_counter() - before


def make_tasks_again() -> float:
    from django.db import connection  # noqa: PLC0415

    from annotate.models import Batch  # noqa: PLC0415
    from annotate.slots import make_tasks  # noqa: PLC0415

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM annotate_task")
    before = time.perf_counter()
    make_tasks(Batch.objects.get())
    return time.perf_counter() - before


if __name__ == "__main__":
    main()
