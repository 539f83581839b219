"""Uploading a batch on the page: looked at first, then imported, whole or not at all."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from annotate.models import Batch, Item, State, Study, Task, Upload, UploadChunk, User
from tests.conftest import client_of
from tests.factories import make_study

pytestmark = pytest.mark.django_db

GOOD = b"id,prompt,output_a,output_b,category\nq1,Why?,Because.,So.,x\nq2,How?,Thus.,Well.,y\n"
FAULTY = b"id,prompt,output_a,output_b\nq1,Why?,Because.,So.\nq1,How?,,Well.\n"
FOREIGN = b"key,question,fern,moss\nq1,Why?,Because.,So.\n"


@pytest.fixture
def empty(adam: User) -> Study:
    return make_study("Upload", overlap=3)


def file_of(content: bytes, name: str = "pairs.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def send(client: Client, study: Study, content: bytes, name: str = "pairs.csv", **data: Any) -> Any:
    address = reverse("batch_new", args=[study.slug])
    return client.post(address, {"file": file_of(content, name), **data})


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub("<[^>]+>", " ", response.content.decode())))


def counts() -> dict[str, int]:
    tables = (Batch, Item, Task, Upload, UploadChunk, ProcrastinateJob)
    return {table.__name__: table._default_manager.count() for table in tables}


def address_of(upload: Upload, name: str = "upload") -> str:
    return reverse(name, args=[upload.study.slug, upload.pk])


def columns_of(mapping: dict[str, str]) -> dict[str, Any]:
    return {
        "column": [json.dumps(name) for name in mapping],
        "was": ["" for _ in mapping],
        "means": list(mapping.values()),
    }


def test_a_good_file_is_shown_first_and_imported_on_request(
    empty: Study, adam: User, adam_client: Client
) -> None:
    response = send(adam_client, empty, GOOD, name="july.csv")

    upload = Upload.objects.get()
    assert response.status_code == 303
    assert response.headers["Location"] == address_of(upload)
    assert (upload.state, upload.chunks.count(), Item.objects.count()) == ("checked", 1, 0)
    page = adam_client.get(address_of(upload))
    assert page.status_code == 200
    for words in ("2 items can come in", "Import 2 items", "july.csv", "Because.", "Why?"):
        assert words in text_of(page)

    accepted = adam_client.post(address_of(upload, "accept"))

    batch = Batch.objects.get()
    assert accepted.status_code == 303
    assert accepted.headers["Location"] == reverse("batch", args=[empty.slug, 1])
    assert (batch.name, batch.item_count, batch.imported_by) == ("july", 2, adam)
    assert list(batch.items.order_by("position").values_list("item_id", "candidate_output")) == [
        ("q1", "So."),
        ("q2", "Well."),
    ]
    assert Task.objects.filter(study=empty, state="free").count() == 6
    assert UploadChunk.objects.count() == 0
    upload.refresh_from_db()
    assert (upload.state, upload.batch) == ("imported", batch)


def test_accepting_twice_imports_once_and_leads_to_the_same_batch(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, GOOD)
    upload = Upload.objects.get()

    first = adam_client.post(address_of(upload, "accept"))
    second = adam_client.post(address_of(upload, "accept"))

    assert (
        first.headers["Location"]
        == second.headers["Location"]
        == reverse("batch", args=[empty.slug, 1])
    )
    assert Batch.objects.count() == 1
    assert adam_client.get(address_of(upload)).headers["Location"] == first.headers["Location"]


def test_a_faulty_file_is_answered_with_every_fault_and_leaves_nothing(
    empty: Study, adam_client: Client
) -> None:
    before = counts()

    response = send(adam_client, empty, FAULTY)

    assert response.status_code == 422
    codes = re.findall(r'data-code="(\w+)"', response.content.decode())
    assert sorted(codes) == ["duplicate_id", "empty_value"]
    assert "Fix one line, then the file can come in" in text_of(response)
    assert counts() == before


def test_of_many_errors_the_first_hundred_are_listed_with_the_total(
    empty: Study, adam_client: Client
) -> None:
    content = b"prompt,output_a,output_b\n" + b"Why?,,So.\n" * 1234

    response = send(adam_client, empty, content)

    assert response.content.count(b"data-code=") == 100
    assert "Fix 1,234 errors" in text_of(response)
    assert "The first 100 of 1,234 errors" in text_of(response)


def test_columns_with_names_of_their_own_are_chosen_and_kept_for_the_next_try(
    empty: Study, adam_client: Client
) -> None:
    chosen = {"question": "prompt", "fern": "candidate_output", "moss": "baseline_output"}

    refused = send(adam_client, empty, FOREIGN)
    missing = send(adam_client, empty, b"key,question,fern,moss\nq1,,a,b\n", **columns_of(chosen))
    response = send(adam_client, empty, FOREIGN, **columns_of(chosen))

    assert "Say which column is which" in text_of(refused)
    assert missing.status_code == 422
    assert re.findall(r'name="was" value="(.*?)"', missing.content.decode()) == [
        "metadata",
        "",
        "",
        "",
    ]
    assert response.status_code == 303
    adam_client.post(address_of(Upload.objects.get(), "accept"))
    item = Item.objects.get()
    assert (item.prompt, item.candidate_output, item.metadata) == (
        "Why?",
        "Because.",
        {"key": "q1"},
    )


def test_what_is_changed_on_the_page_is_checked_again_before_it_is_imported(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, GOOD)
    upload = Upload.objects.get()
    choices = {**columns_of({"category": "ignore"}), "swap": "on", "name": "Second look"}

    again = adam_client.post(address_of(upload, "accept"), choices)

    assert (again.status_code, again.headers["Location"]) == (303, address_of(upload))
    assert Item.objects.count() == 0
    assert "Look once more" in text_of(adam_client.get(again.headers["Location"]))

    adam_client.post(address_of(upload, "accept"), choices)

    batch = Batch.objects.get()
    assert (batch.name, batch.swapped, batch.columns["category"]) == ("Second look", True, "ignore")
    first = batch.items.get(position=1)
    assert (first.baseline_output, first.candidate_output, first.category) == (
        "So.",
        "Because.",
        "",
    )


def test_a_bad_mapping_of_a_kept_file_is_refused_and_can_be_mended(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, GOOD)
    upload = Upload.objects.get()

    bad = adam_client.post(address_of(upload), columns_of({"prompt": "ignore"}))
    refused = adam_client.post(address_of(upload, "accept"))

    assert (bad.status_code, refused.status_code) == (422, 422)
    assert "missing_column" in bad.content.decode()
    assert Item.objects.count() == 0
    mended = adam_client.post(address_of(upload), columns_of({"prompt": "prompt"}))
    assert mended.status_code == 303
    assert adam_client.post(address_of(upload, "accept")).headers["Location"].endswith("/batches/1")


def test_empty_outputs_come_in_only_when_allowed(empty: Study, adam_client: Client) -> None:
    content = b"prompt,output_a,output_b\nWhy?,,So.\n"

    refused = send(adam_client, empty, content)
    allowed = send(adam_client, empty, content, allow_empty="on")

    assert refused.status_code == 422
    assert "Allow empty outputs" in text_of(refused)
    assert allowed.status_code == 303
    assert "(empty)" in text_of(adam_client.get(allowed.headers["Location"]))


def test_two_files_are_joined(empty: Study, adam_client: Client) -> None:
    rows = [{"instruction": "Why?", "output": "Because."}]
    other = [{"instruction": "Why?", "output": "So."}]

    response = adam_client.post(
        reverse("batch_new", args=[empty.slug]),
        {
            "file": file_of(json.dumps(rows).encode(), "old.json"),
            "file2": file_of(json.dumps(other).encode(), "new.json"),
        },
    )
    adam_client.post(address_of(Upload.objects.get(), "accept"))

    assert response.status_code == 303
    item = Item.objects.get()
    assert (item.baseline_output, item.candidate_output) == ("Because.", "So.")
    assert Batch.objects.get().file_names == ["old.json", "new.json"]


def test_the_same_file_is_refused_in_words_unless_it_is_read_in_another_way(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, GOOD, name="first.csv")
    adam_client.post(address_of(Upload.objects.get(), "accept"))
    before = counts()

    again = send(adam_client, empty, GOOD, name="other name.csv")
    swapped = send(adam_client, empty, GOOD, swap="on")

    assert again.status_code == 422
    assert "This file is in the study already" in text_of(again)
    assert "is batch 1 (first) already" in text_of(again)
    assert swapped.status_code == 303
    assert counts() == before | {"Upload": 2, "UploadChunk": 1}


def test_two_uploads_of_one_file_become_one_batch(empty: Study, adam_client: Client) -> None:
    send(adam_client, empty, GOOD)
    send(adam_client, empty, GOOD)
    first, second = Upload.objects.all()

    adam_client.post(address_of(first, "accept"))
    refused = adam_client.post(address_of(second, "accept"))

    assert refused.status_code == 422
    assert "is batch 1" in text_of(refused)
    assert Batch.objects.count() == 1
    assert UploadChunk.objects.count() == 0


def test_a_closed_study_takes_nothing_in(empty: Study, adam_client: Client) -> None:
    send(adam_client, empty, GOOD)
    Study.objects.update(state=State.CLOSED)

    refused = adam_client.post(address_of(Upload.objects.get(), "accept"))
    new = send(adam_client, empty, GOOD + b"q3,a,b,c,d\n")

    assert (refused.status_code, new.status_code) == (422, 422)
    assert "is closed" in text_of(refused)
    assert "is closed" in text_of(new)
    assert Batch.objects.count() == 0


def test_an_upload_is_thrown_away_with_its_bytes(empty: Study, adam_client: Client) -> None:
    before = counts()
    send(adam_client, empty, GOOD)

    response = adam_client.post(address_of(Upload.objects.get(), "discard"))

    assert (response.status_code, response.headers["Location"]) == (
        303,
        reverse("batches", args=[empty.slug]),
    )
    assert counts() == before


def test_an_upload_whose_bytes_are_gone_is_not_imported(empty: Study, adam_client: Client) -> None:
    send(adam_client, empty, GOOD)
    upload = Upload.objects.get()
    UploadChunk.objects.all().delete()

    responses = [adam_client.post(address_of(upload, name)) for name in ("accept", "upload")]

    assert [response.status_code for response in responses] == [404, 409]
    assert Batch.objects.count() == 0


def test_hostile_texts_and_names_are_shown_as_text(empty: Study, adam_client: Client) -> None:
    bad = "<img src=x onerror=alert(1)>{{ settings.SECRET_KEY }}"
    content = f'prompt,output_a,output_b,"{bad}",category\n{bad},{bad}1,{bad}2,x,{bad}\n'

    send(adam_client, empty, content.encode(), name=f"{bad}.csv")
    upload = Upload.objects.get()
    pages = [adam_client.get(address_of(upload))]
    pages.append(adam_client.get(reverse("batches", args=[empty.slug])))
    pages.append(adam_client.post(address_of(upload, "accept"), follow=True))

    for page in pages:
        assert page.status_code == 200
        assert b"<img" not in page.content
        assert b"&lt;img src=x onerror=alert(1)&gt;{{ settings.SECRET_KEY }}" in page.content


def test_an_imported_upload_cannot_be_thrown_away(empty: Study, adam_client: Client) -> None:
    send(adam_client, empty, GOOD)
    upload = Upload.objects.get()
    adam_client.post(address_of(upload, "accept"))

    response = adam_client.post(address_of(upload, "discard"))

    assert response.status_code == 409
    assert Upload.objects.count() == 1


def test_reading_stops_at_the_limit(
    empty: Study, adam_client: Client, settings: LazySettings
) -> None:
    settings.UPLOAD_LIMITS = settings.UPLOAD_LIMITS | {"max_file_bytes": 300_000}
    before = counts()

    a_little = send(adam_client, empty, GOOD + b"x" * 300_000)
    # So much more than the limit that the rest is not even read.
    far_more = send(adam_client, empty, GOOD + b"x" * 3_000_000)

    for response in (a_little, far_more):
        assert response.status_code == 422
        assert "larger than 293" in text_of(response)
    assert counts() == before


def test_a_form_without_a_file_says_so(empty: Study, adam_client: Client) -> None:
    response = adam_client.post(reverse("batch_new", args=[empty.slug]), {"name": "x"})

    assert response.status_code == 422
    assert "This field is required" in text_of(response)


def test_without_a_token_the_form_is_refused_and_no_upload_is_kept(
    empty: Study, adam: User
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(adam)

    response = send(client, empty, GOOD)

    assert response.status_code == 403
    assert Upload.objects.count() == 0


def test_leads_read_batches_and_only_admins_upload(
    empty: Study, adam_client: Client, lena: User, alice: User
) -> None:
    send(adam_client, empty, GOOD)
    adam_client.post(address_of(Upload.objects.get(), "accept"))
    upload_pages = [reverse("batch_new", args=[empty.slug])]
    pages = [reverse("batches", args=[empty.slug]), reverse("batch", args=[empty.slug, 1])]

    def statuses(user: User, addresses: list[str]) -> list[int]:
        return [client_of(user).get(address).status_code for address in addresses]

    assert statuses(lena, pages) == [200, 200]
    assert statuses(lena, upload_pages) == [404]
    assert statuses(alice, pages + upload_pages) == [404, 404, 404]
    for client in (client_of(lena), client_of(alice)):
        assert send(client, empty, GOOD + b"q3,a,b,c,d\n").status_code == 404
        for step in ("upload", "accept", "discard"):
            assert client.post(address_of(Upload.objects.get(), step)).status_code == 404
    assert "Upload a batch" not in text_of(client_of(lena).get(pages[0]))


def test_the_batch_page_pages_its_items_and_says_how_the_file_was_read(
    empty: Study, adam_client: Client
) -> None:
    rows = "".join(f"q{n},Question {n}?,a{n},b{n}\n" for n in range(1, 121))
    send(adam_client, empty, b"id,prompt,output_a,output_b\n" + rows.encode())
    page = adam_client.post(address_of(Upload.objects.get(), "accept"), follow=True)

    second = adam_client.get(reverse("batch", args=[empty.slug, 1]) + "?page=2")

    assert "120 items imported." in text_of(page)
    assert "Question 50?" in text_of(page)
    assert "Question 51?" not in text_of(page)
    assert "51 to 100 of 120" in text_of(second)
    assert Batch.objects.get().digest in text_of(second)
    assert "output_a Output of the baseline" in text_of(second)


def test_pages_of_batches_ask_the_database_the_same_for_one_item_and_for_many(
    empty: Study, adam_client: Client, django_assert_num_queries: Any
) -> None:
    for number, count in enumerate((1, 40), start=1):
        rows = "".join(f"Question {n} of {number}?,a{n},b{n}\n" for n in range(count))
        send(adam_client, empty, b"prompt,output_a,output_b\n" + rows.encode())
        adam_client.post(address_of(Upload.objects.get(state="checked"), "accept"))
    adam_client.get(reverse("batch", args=[empty.slug, 1]))

    for number in (1, 2):
        with django_assert_num_queries(6):
            adam_client.get(reverse("batch", args=[empty.slug, number]))


def test_foreign_uploads_are_not_found(empty: Study, adam_client: Client) -> None:
    send(adam_client, empty, GOOD)
    other = make_study("Other")
    upload = Upload.objects.get()

    for name in ("upload", "accept", "discard"):
        assert adam_client.post(reverse(name, args=[other.slug, upload.pk])).status_code == 404
    assert Upload.objects.count() == 1


def test_semicolons_are_suggested_and_read_when_the_file_comes_again(
    empty: Study, adam_client: Client
) -> None:
    content = b"prompt;output_a;output_b\nWhy?;One, two.;Three.\n"

    refused = send(adam_client, empty, content)
    send(adam_client, empty, content, separator="semicolons")

    assert refused.status_code == 422
    assert "Say how the columns are separated" in text_of(refused)
    assert '<option value="semicolons" selected>' in refused.content.decode()
    upload = Upload.objects.get()
    assert "CSV separated by semicolons" in text_of(adam_client.get(address_of(upload)))
    adam_client.post(address_of(upload, "accept"))
    assert Item.objects.get().baseline_output == "One, two."
    assert Batch.objects.get().format == "csv, semicolons"


def test_warnings_show_the_rows_they_are_about(empty: Study, adam_client: Client) -> None:
    rows = [
        ("a", "Why?", "As Claude, I say so.", "Because."),
        ("b", "Why?", "Because of it.", "So it is."),
        ("c", "How?", "Same.", "Same."),
        ("d", "Who?", "", "She."),
        ("e", "When?", "No\u200bw.", "Then."),
    ]
    names = ("id", "prompt", "output_a", "output_b")
    content = "".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows)

    send(adam_client, empty, content.encode(), "x.jsonl", allow_empty="on")

    html = adam_client.get(address_of(Upload.objects.get())).content.decode()
    shown = {
        re.findall(r"<h3>(.*?)</h3>", part)[0]: unescape(re.sub("<[^>]+>", " ", part))
        for part in html.split("<li><div")[1:]
        if "<details" in part
    }
    assert {name: "Show the row" in part for name, part in shown.items()} == dict.fromkeys(
        [
            "Outputs name their maker",
            "Repeated prompts",
            "Identical outputs",
            "Empty outputs",
            "Invisible characters",
        ],
        True,
    )
    assert "As Claude, I say so." in shown["Outputs name their maker"]
    assert re.search(r"2\s+b\s+as on line 1", shown["Repeated prompts"])
    assert "Same." in shown["Identical outputs"]
    assert re.search(r"4\s+d\s+Prompt\s+Who\?\s+Baseline\s+\(empty\)", shown["Empty outputs"])
    assert "No[U+200B zero width space]w." in shown["Invisible characters"]


def test_of_many_rows_the_first_twenty_are_shown_with_their_number(
    empty: Study, adam_client: Client
) -> None:
    content = b"prompt,output_a,output_b\n" + b"".join(b"P%d?,x,x\n" % n for n in range(1234))

    send(adam_client, empty, content)

    page = adam_client.get(address_of(Upload.objects.get()))
    assert "Show the first 20 of 1,234 rows" in text_of(page)
    assert page.content.count(b"P19?") == 1
    assert b"P20?" not in page.content


def test_report_of_an_upload_from_before_rows_were_kept_is_shown(
    empty: Study, adam_client: Client
) -> None:
    send(adam_client, empty, b"prompt,output_a,output_b\nWhy?,x,x\n")
    upload = Upload.objects.get()
    assert upload.report is not None
    for warning in upload.report["warnings"]:
        del warning["rows"], warning["count"]
    upload.save()

    page = adam_client.get(address_of(upload))

    assert page.status_code == 200
    assert b"<details" not in page.content
