"""Imports that meet each other, and imports that are killed: one batch or none, whole or not."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client
from django.urls import reverse
from psycopg import conninfo

from annotate import jobs
from annotate.intake import RefusedError, import_batch
from annotate.models import Batch, Item, Study, Task, Upload, User
from annotate.parsing import Options, Source
from tests.annotate.test_upload_jobs import LARGE, ROWS, send
from tests.conftest import client_of
from tests.factories import make_study

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
THREADS = 8
KILLED_ROWS = 20_000
KILLS = int(os.environ.get("RACE_KILLS", "4"))


def file_of(path: Path, rows: int) -> Source:
    with path.open("w") as stream:
        stream.write("prompt,output_a,output_b\n")
        stream.writelines(f"Question {n}?,{'a' * 200}{n},{'b' * 200}{n}\n" for n in range(rows))
    return Source(path.name, path.stat().st_size, lambda: path.open("rb"))


def at_once(work: Callable[[], object], threads: int = THREADS) -> list[object]:
    """What each of so many threads got, exceptions included, after starting together."""
    barrier = threading.Barrier(threads)
    results: list[object] = []

    def run() -> None:
        try:
            barrier.wait(30)
            results.append(work())
        except RefusedError as error:
            results.append(error)
        finally:
            connections.close_all()

    started = [threading.Thread(target=run) for _ in range(threads)]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join(60)
    return results


def test_eight_equal_imports_become_one_batch(tmp_path: Path) -> None:
    study = make_study("Race", overlap=3)
    source = file_of(tmp_path / "same.csv", 300)

    results = at_once(lambda: import_batch(study, [source], Options()))

    refused = [result for result in results if isinstance(result, RefusedError)]
    assert len(results) == THREADS
    assert {error.code for error in refused} == {"already_imported"}
    assert len(refused) == THREADS - 1
    assert (Batch.objects.count(), Item.objects.count(), Task.objects.count()) == (1, 300, 900)


def test_eight_imports_at_once_keep_numbers_and_sides_in_order(tmp_path: Path) -> None:
    study = make_study("Race", overlap=3)
    paths = iter([file_of(tmp_path / f"{n}.csv", 11 + n) for n in range(THREADS)])

    at_once(lambda: import_batch(study, [next(paths)], Options()))

    numbers = Batch.objects.order_by("number").values_list("number", flat=True)
    lefts = Task.objects.filter(candidate_side="left").count()
    assert list(numbers) == list(range(1, THREADS + 1))
    assert abs(2 * lefts - Task.objects.count()) <= 1


def test_eight_equal_uploads_accepted_at_once_become_one_batch(adam: User) -> None:
    study = make_study("Race", overlap=2)
    content = b"prompt,output_a,output_b\nWhy?,Because.,So.\n"
    client = client_of(adam)
    for _ in range(THREADS):
        send(client, study, content)
    waiting = iter(list(Upload.objects.all()))

    def accept() -> int:
        upload = next(waiting)
        mine = Client()
        mine.cookies = client.cookies
        return mine.post(reverse("accept", args=[study.slug, upload.pk])).status_code

    statuses = at_once(accept)

    assert sorted(map(str, statuses)) == ["303"] + ["422"] * (THREADS - 1)
    assert (Batch.objects.count(), Item.objects.count()) == (1, 1)


def environment() -> dict[str, str]:
    """For a process of its own that uses the database of this test."""
    params = connection.get_connection_params()
    known = ("host", "port", "user", "password")
    given = {name: params[name] for name in known if params.get(name)}
    address = conninfo.make_conninfo(dbname=connection.settings_dict["NAME"], **given)
    parts = conninfo.conninfo_to_dict(address)
    query = "&".join(f"{name}={value}" for name, value in parts.items() if name != "dbname")
    return os.environ | {"DATABASE_URL": f"postgresql:///{parts['dbname']}?{query}"}


def test_an_import_killed_at_any_moment_leaves_all_rows_or_none(tmp_path: Path) -> None:
    study = make_study("Killed", overlap=3)
    path = tmp_path / "large.csv"
    file_of(path, KILLED_ROWS)
    command = [sys.executable, "manage.py", "import_batch", study.slug, str(path)]
    start = time.monotonic()
    subprocess.run([*command, "--check"], cwd=ROOT, env=environment(), check=True)
    usual = 1.6 * (time.monotonic() - start)
    moments = random.Random(5)

    for _ in range(KILLS):
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        time.sleep(moments.uniform(0.2, 1) * usual)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        _wait_for_the_dead()

        found = (Batch.objects.count(), Item.objects.count(), Task.objects.count())
        assert found in ((0, 0, 0), (1, KILLED_ROWS, 3 * KILLED_ROWS))


def _wait_for_the_dead() -> None:
    """Until PostgreSQL has noticed that the client is gone."""
    deadline = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.1)


def test_a_worker_checks_and_imports_a_large_upload(adam: User) -> None:
    study = make_study("Worker", overlap=2)
    client = client_of(adam)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    send(client, study, LARGE)
    upload = Upload.objects.get()

    work_until_idle()
    upload.refresh_from_db()
    assert (upload.state, upload.progress) == ("checked", 1)
    client.post(reverse("accept", args=[study.slug, upload.pk]))
    work_until_idle()

    upload.refresh_from_db()
    assert (upload.state, Item.objects.count()) == ("imported", ROWS)
    assert study.batches.get().imported_by == adam


def work_until_idle() -> None:
    call_command("procrastinate", "worker", "--one-shot", "--concurrency=1")


def test_a_job_whose_worker_died_is_done_by_the_next_one(adam: User) -> None:
    study = make_study("Dead worker", overlap=2)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    send(client_of(adam), study, LARGE)
    with connection.cursor() as cursor:
        # Taken by a worker that is no more: procrastinate sees a job that is being done.
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing'")
    jobs.sweep_uploads(0)

    work_until_idle()

    assert Upload.objects.get().state == "checked"
    assert Study.objects.get().batches.count() == 0
