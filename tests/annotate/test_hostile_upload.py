"""Files that must be refused or survive, through the form and through the command."""

import hashlib
import json
import os
from dataclasses import fields
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.models import Batch, Item, Study, Task, Upload, UploadChunk
from annotate.parsing import Limits
from tests.factories import make_study

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("TOUCHSTONE_SHARED", ROOT.parent / "shared")).resolve() / "hostile"
INDEX = FOLDER / "index.json"
FIELDS = {
    "id": "item_id",
    "category": "category",
    "prompt": "prompt",
    "output_a": "baseline_output",
    "output_b": "candidate_output",
    "reference": "reference",
}
BOUNDARY = "-touchstone-test-boundary-"

Case = dict[str, Any]


def index() -> dict[str, Any]:
    return json.loads(INDEX.read_text()) if INDEX.is_file() else {"files": [], "policy": {}}


def cases() -> list[Any]:
    found = [pytest.param(case, id=case["file"]) for case in index()["files"]]
    missing = pytest.mark.skip(reason=f"{INDEX} is missing: set TOUCHSTONE_SHARED to run this")
    return found or [pytest.param({}, marks=missing, id="missing")]


@pytest.fixture
def empty(settings: LazySettings) -> Study:
    known = {field.name for field in fields(Limits)}
    policy = {name: value for name, value in index()["policy"].items() if name in known}
    settings.UPLOAD_LIMITS = settings.UPLOAD_LIMITS | policy
    return make_study("Hostile", overlap=1)


def counts() -> list[int]:
    tables = (Batch, Item, Task, Upload, UploadChunk, ProcrastinateJob)
    return [table._default_manager.count() for table in tables]


def post_as_browsers_do(client: Client, study: Study, case: Case) -> Any:
    """The name goes out as the index has it: Django's test client would tidy it up."""
    name = case["upload_as"]
    for character, escape in (('"', "%22"), ("\r", "%0D"), ("\n", "%0A")):
        name = name.replace(character, escape)
    kind = case.get("content_type") or "application/octet-stream"
    head = (
        f"--{BOUNDARY}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    )
    body = head.encode() + (FOLDER / case["file"]).read_bytes() + f"\r\n--{BOUNDARY}--\r\n".encode()
    return client.post(
        reverse("batch_new", args=[study.slug]),
        body,
        content_type=f"multipart/form-data; boundary={BOUNDARY}",
    )


def run_command(study: Study, case: Case, folder: Path) -> tuple[int, dict[str, Any], str]:
    """Exit code, answer and what stderr says."""
    name = case["upload_as"].replace("/", "_")
    name = name if len(name.encode()) < 250 else "long" + Path(case["file"]).suffix
    path = folder / name
    path.write_bytes((FOLDER / case["file"]).read_bytes())
    out, err = StringIO(), StringIO()
    code = 0
    try:
        call_command("import_batch", study.slug, str(path), json=True, stdout=out, stderr=err)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, json.loads(out.getvalue()), err.getvalue()


def is_unread(case: Case, codes: set[str]) -> bool:
    """Formats that the product does not read may be refused as such, whatever is in them."""
    return case["upload_as"].endswith(".parquet") and codes == {"unsupported_extension"}


def assert_reported(expected: list[Case], found: list[Case]) -> None:
    for fault in expected:
        named = {name: value for name, value in fault.items() if value is not None}
        assert any(named.items() <= one.items() for one in found), (named, found[:5])


def assert_stored(case: Case, batch: Batch) -> None:
    expected = case["expected"]
    assert batch.items.count() == batch.item_count == expected["rows_stored"]
    for row in case.get("verbatim", []):
        item = batch.items.get(position=row["row"])
        for name, text in row.items():
            if name in FIELDS and text is not None:
                stored = getattr(item, FIELDS[name])
                assert len(stored) == text["chars"], (row["row"], name)
                assert hashlib.sha256(stored.encode()).hexdigest() == text["sha256"]


@pytest.mark.parametrize("case", cases())
def test_file_through_the_form(case: Case, empty: Study, adam_client: Client) -> None:
    outcome = case["expected"]["outcome"]
    before = counts()

    response = post_as_browsers_do(adam_client, empty, case)

    assert response.status_code in (303, 422)
    if response.status_code == 422:
        errors = response.context["preview"].errors
        codes = {error.code for error in errors}
        assert counts() == before
        assert outcome != "accept" or is_unread(case, codes), errors[:5]
        if not is_unread(case, codes):
            expected = [
                {name: value for name, value in fault.items() if name != "row"}
                for fault in case["expected"]["errors"]
            ]
            found = [{"code": e.code, "line": e.line, "column": e.column} for e in errors]
            assert_reported(expected, found)
        return
    assert outcome != "reject"
    upload = Upload.objects.get()
    assert all(len(name) <= 120 for name in upload.file_names)
    address = reverse("upload", args=[empty.slug, upload.pk])
    assert adam_client.get(address).status_code == 200
    accepted = adam_client.post(reverse("accept", args=[empty.slug, upload.pk]))
    batch = Batch.objects.get()
    assert accepted.status_code == 303
    assert adam_client.get(reverse("batch", args=[empty.slug, 1])).status_code == 200
    if outcome == "accept":
        assert_stored(case, batch)
        codes = {warning["code"] for warning in batch.warnings}
        assert set(case["expected"]["warnings"]) <= codes


@pytest.mark.parametrize("case", cases())
def test_file_through_the_command(case: Case, empty: Study, tmp_path: Path) -> None:
    expected = case["expected"]
    before = counts()

    code, answer, said = run_command(empty, case, tmp_path)

    assert (code, answer["accepted"]) in ((0, True), (1, False))
    assert "Traceback" not in said
    codes = {error["code"] for error in answer["errors"]}
    if code == 1:
        assert counts() == before
        assert len(said.strip().splitlines()) == 1
        assert expected["outcome"] != "accept" or is_unread(case, codes), answer["errors"][:5]
        if not is_unread(case, codes):
            assert_reported(expected["errors"], answer["errors"])
        return
    assert expected["outcome"] != "reject"
    batch = Batch.objects.get(pk=answer["batch"])
    if expected["outcome"] == "accept":
        assert answer["rows"] == answer["items"] == expected["rows_stored"]
        assert_stored(case, batch)
        assert set(expected["warnings"]) <= {one["code"] for one in answer["warnings"]}
