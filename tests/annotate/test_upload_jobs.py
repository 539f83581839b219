"""Large uploads: read and imported by jobs, which may come twice, too late, or be killed."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.jobs import work_on
from annotate.models import Batch, Item, Study, Task, Upload, UploadChunk, User
from annotate.uploading import AT_ONCE_BYTES, MAX_TRIES, run_check, run_import, sweep
from tests.factories import make_study

pytestmark = pytest.mark.django_db

ROWS = 900
HTMX = {"HX-Request": "true"}


def lines(count: int = ROWS) -> Iterator[str]:
    yield "prompt,output_a,output_b\n"
    for number in range(count):
        yield f"Question {number}?,{'first ' * 900},{'second ' * 800}\n"


LARGE = "".join(lines()).encode()
assert len(LARGE) > AT_ONCE_BYTES


@pytest.fixture
def empty(adam: User) -> Study:
    return make_study("Upload", overlap=2)


@pytest.fixture
def large(empty: Study, adam_client: Client) -> Upload:
    send(adam_client, empty, LARGE)
    return Upload.objects.get()


def send(client: Client, study: Study, content: bytes) -> Any:
    address = reverse("batch_new", args=[study.slug])
    return client.post(address, {"file": SimpleUploadedFile("large.csv", content)})


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


def address_of(upload: Upload, name: str = "upload") -> str:
    return reverse(name, args=[upload.study.slug, upload.pk])


def queued() -> list[str]:
    waiting = ProcrastinateJob.objects.filter(status="todo").order_by("pk")
    return list(waiting.values_list("task_name", flat=True))


def test_a_large_file_is_kept_in_pieces_and_checked_by_a_job(
    large: Upload, adam_client: Client
) -> None:
    pieces = [bytes(piece) for piece in large.chunks.order_by("number").values_list("content")[0]]
    whole = b"".join(bytes(chunk.content) for chunk in large.chunks.order_by("number"))
    waiting = adam_client.get(address_of(large))

    assert (large.state, large.report, queued()) == ("checking", None, ["check_upload"])
    assert whole == LARGE
    assert max(map(len, pieces)) <= 2**20
    assert large.chunks.count() == -(-len(LARGE) // 2**20)
    assert "<progress" in waiting.content.decode()
    assert "Waiting for a worker" in text_of(waiting)

    work_on(str(large.pk), run_check)

    large.refresh_from_db()
    assert large.state == "checked"
    assert f"{ROWS} items can come in" in text_of(adam_client.get(address_of(large)))


def test_the_progress_region_asks_again_and_leaves_when_the_work_is_done(
    large: Upload, adam_client: Client
) -> None:
    Upload.objects.update(progress=0.5)

    region = adam_client.get(address_of(large), headers=HTMX)
    work_on(str(large.pk), run_check)
    done = adam_client.get(address_of(large), headers=HTMX)

    assert region.content.strip().startswith(b'<div id="upload-progress"')
    assert 'hx-trigger="every 1s"' in region.content.decode()
    assert "4.7 MiB of 9.5 MiB read" in text_of(region)
    assert done.headers["HX-Redirect"] == address_of(large)


def test_a_large_upload_is_imported_by_a_job(large: Upload, adam_client: Client) -> None:
    work_on(str(large.pk), run_check)

    response = adam_client.post(address_of(large, "accept"))

    assert (response.status_code, response.headers["Location"]) == (303, address_of(large))
    assert Item.objects.count() == 0
    assert "being imported" in text_of(adam_client.get(address_of(large)))
    assert queued() == ["check_upload", "import_upload"]

    work_on(str(large.pk), run_import)

    batch = Batch.objects.get()
    assert (batch.item_count, Item.objects.count(), Task.objects.count()) == (ROWS, ROWS, 2 * ROWS)
    assert UploadChunk.objects.count() == 0
    assert adam_client.get(address_of(large)).headers["Location"] == reverse(
        "batch", args=[batch.study.slug, 1]
    )


def test_jobs_that_come_twice_or_too_late_change_nothing(
    large: Upload, adam_client: Client
) -> None:
    work_on(str(large.pk), run_check)
    work_on(str(large.pk), run_check)
    work_on(str(large.pk), run_import)  # nobody accepted it
    assert Batch.objects.count() == 0

    adam_client.post(address_of(large, "accept"))
    adam_client.post(address_of(large, "accept"))
    work_on(str(large.pk), run_import)
    work_on(str(large.pk), run_import)
    work_on(str(large.pk), run_check)
    work_on(str(uuid4()), run_check)

    assert (Batch.objects.count(), Item.objects.count()) == (1, ROWS)


def test_the_report_of_a_large_faulty_file_is_kept_and_its_bytes_are_not(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, LARGE + b"Question?,,empty\n")
    upload = Upload.objects.get()

    work_on(str(upload.pk), run_check)

    page = adam_client.get(address_of(upload))
    assert UploadChunk.objects.count() == 0
    assert "Fix one line, then the file can come in" in text_of(page)
    assert str(ROWS + 2) in text_of(page)
    assert adam_client.post(address_of(upload, "accept")).status_code == 422
    assert adam_client.post(address_of(upload), {"swap": "on"}).status_code == 409
    assert Batch.objects.count() == 0


def test_other_choices_for_a_large_upload_are_checked_by_a_job_again(
    large: Upload, adam_client: Client
) -> None:
    work_on(str(large.pk), run_check)

    response = adam_client.post(address_of(large), {"swap": "on"})

    assert (response.status_code, response.headers["Location"]) == (303, address_of(large))
    large.refresh_from_db()
    assert (large.state, large.swap) == ("checking", True)
    work_on(str(large.pk), run_check)
    large.refresh_from_db()
    assert large.report is not None
    assert large.report["examples"][0]["baseline_output"].startswith("second")


def test_a_large_upload_can_be_thrown_away_while_it_waits(
    large: Upload, adam_client: Client
) -> None:
    adam_client.post(address_of(large, "discard"))

    work_on(str(large.pk), run_check)

    assert (Upload.objects.count(), UploadChunk.objects.count()) == (0, 0)


def test_an_upload_under_import_cannot_be_thrown_away(large: Upload, adam_client: Client) -> None:
    work_on(str(large.pk), run_check)
    adam_client.post(address_of(large, "accept"))

    assert adam_client.post(address_of(large, "discard")).status_code == 409
    assert Upload.objects.count() == 1


def forget_the_queue() -> None:
    """As if a worker had taken the jobs and died."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed'")


def test_the_sweep_starts_anew_what_a_dead_worker_left(large: Upload, adam_client: Client) -> None:
    sweep()
    assert queued() == ["check_upload"]  # it waits already

    forget_the_queue()
    sweep()
    assert queued() == ["check_upload"]
    work_on(str(large.pk), run_check)
    adam_client.post(address_of(large, "accept"))
    forget_the_queue()
    sweep()

    assert queued() == ["import_upload"]
    work_on(str(large.pk), run_import)
    sweep()
    assert Batch.objects.count() == 1
    assert queued() == ["import_upload"]


def test_the_sweep_gives_up_what_breaks_off_again_and_again(
    large: Upload, adam_client: Client
) -> None:
    for _ in range(MAX_TRIES + 1):
        forget_the_queue()
        sweep()

    large.refresh_from_db()
    assert (large.state, large.chunks.count(), queued()) == ("checked", 0, [])
    assert "broke off each time" in text_of(adam_client.get(address_of(large)))


def test_the_sweep_forgets_uploads_that_nobody_came_back_to(
    large: Upload, adam_client: Client
) -> None:
    work_on(str(large.pk), run_check)
    sweep()
    assert Upload.objects.count() == 1

    Upload.objects.update(created_at=Now() - timedelta(days=8))
    sweep()

    assert (Upload.objects.count(), UploadChunk.objects.count()) == (0, 0)
