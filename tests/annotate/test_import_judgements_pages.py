"""The pages of judgements made elsewhere: looked at first, then imported, whole or not at all."""

import re
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotate.models import Assignment, Judgement, JudgementFile, JudgementImport, Study, User
from tests.factories import make_batch, make_study

pytestmark = pytest.mark.django_db

GOOD = (
    "item_id,annotator,preference,remark\nq-1,dan,candidate,x\nq-2,dan,both_bad,y\n"
    "q-1,alice@example.org,-2,z\n"
)


@pytest.fixture
def may(alice: User) -> Study:
    study = make_study("May", slug="may", annotators=[alice])
    make_batch(study, 3)
    return study


def upload(client: Client, text: str, name: str = "said.csv", **fields: Any) -> Any:
    content = text.encode() if isinstance(text, str) else text
    data = {"file": SimpleUploadedFile(name, content), **fields}
    return client.post(reverse("judgements_new", args=["may"]), data)


def words(answer: Any) -> str:
    text = re.sub(r"<[^>]+>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", text)


def waiting() -> JudgementFile:
    return JudgementFile.objects.get()


def address(name: str) -> str:
    return reverse(name, args=["may", waiting().pk])


def columns(page: Any, **changed: str) -> dict[str, list[str]]:
    """The fields of the column table as the page sends them, with other meanings for some."""
    html = page.content.decode()
    keys = re.findall(r'name="column" value="([^"]*)"', html)
    was = re.findall(r'name="was" value="([^"]*)"', html)
    names = [key.replace("&quot;", "").strip('"') for key in keys]
    means = [changed.get(name, old) for name, old in zip(names, was, strict=True)]
    return {"column": [f'"{name}"' for name in names], "was": was, "means": means, "left": [""]}


def test_a_file_is_shown_first_and_imported_on_request(may: Study, adam_client: Client) -> None:
    answer = upload(adam_client, GOOD)
    page = adam_client.get(answer["Location"])

    assert answer.status_code == 303
    text = words(page)
    assert "3 judgements of 2 items can come in" in text
    assert "CSV, 3 rows: a table with a row for each judgement" in text
    assert "dan has no account here 0 0 1 1 2" in text
    assert "alice@example.org has an account here 1 0 0 0 1" in text
    assert "Not recognised and left out: &#x27;remark&#x27;" in text
    assert "candidate baseline (-2)" not in text
    assert "baseline (-2)" in text
    assert Judgement.objects.count() == 0

    done = adam_client.post(address("judgement_accept"), follow=True)

    assert "3 judgements imported, and marked so everywhere." in words(done)
    assert "3 judgements made elsewhere, in 1 file" in words(done)
    assert (Judgement.objects.count(), JudgementFile.objects.count()) == (3, 0)
    assert JudgementImport.objects.get().imported_by == User.objects.get(email="adam@example.org")


def test_faults_stand_in_a_table_and_import_is_refused(may: Study, adam_client: Client) -> None:
    upload(adam_client, "item_id,annotator,preference\nq-1,dan,sure\nq-9,dan,tie\n")
    page = adam_client.get(address("judgement_file"))
    refused = adam_client.post(address("judgement_accept"))

    text = words(page)
    assert "Fix 2 lines, then the file can come in" in text
    assert "2 errors" in text
    assert "2 preference &#x27;sure&#x27;. Write baseline, tie, candidate or both_bad" in text
    assert "3 item_id No item of the study has the id &#x27;q-9&#x27;" in text
    assert refused.status_code == 422
    assert Judgement.objects.count() == 0


def test_a_file_whose_only_fault_are_items_of_elsewhere_says_so(
    may: Study, adam_client: Client
) -> None:
    upload(adam_client, "item_id,annotator,preference\nq-8,dan,tie\nq-9,dan,tie\n")

    text = words(adam_client.get(address("judgement_file")))

    assert "Some judgements are of items that the study does not have" in text


def test_what_the_page_needs_to_know_is_asked_there_in_its_own_words(
    may: Study, adam_client: Client
) -> None:
    upload(adam_client, "item_id,annotator,preference\nq-1,dan,left\n")
    asked = adam_client.get(address("judgement_file"))
    told = adam_client.post(address("judgement_file"), {"left": "candidate"}, follow=True)

    assert "Say what stood on the left, then the file can come in" in words(asked)
    assert "--left" not in words(asked)
    assert "1 judgement of 1 item can come in" in words(told)


def test_columns_are_chosen_on_the_page(may: Study, adam_client: Client) -> None:
    upload(adam_client, "item_id,wer,preference\nq-1,dan,tie\n")
    page = adam_client.get(address("judgement_file"))
    told = adam_client.post(address("judgement_file"), columns(page, wer="annotator"), follow=True)

    assert "Say which column is which" in words(page)
    assert "1 judgement of 1 item can come in" in words(told)


def test_another_way_of_reading_is_looked_at_before_it_is_imported(
    may: Study, adam_client: Client
) -> None:
    upload(adam_client, "item_id,annotator,preference\nq-1,dan,left\n", left="candidate")
    page = adam_client.post(address("judgement_accept"), {"left": "baseline"}, follow=True)

    assert "Read again as you chose. Look once more, then import." in words(page)
    assert Judgement.objects.count() == 0
    adam_client.post(address("judgement_accept"), {"left": "baseline"})
    assert Judgement.objects.get().preference == -1


def test_a_study_with_its_items_comes_in_from_the_page(may: Study, adam_client: Client) -> None:
    text = "item_id,prompt,output_a,output_b,annotator,preference\nx,Why?,a,b,dan,tie\n"
    upload(adam_client, text, with_items="on")

    assert "A batch of 1 item is made first." in words(adam_client.get(address("judgement_file")))
    done = adam_client.post(address("judgement_accept"), follow=True)
    assert "with the items of batch 2" in words(done)


def test_a_file_is_thrown_away(may: Study, adam_client: Client) -> None:
    upload(adam_client, GOOD)
    done = adam_client.post(address("judgement_discard"), follow=True)

    assert "said.csv was thrown away. Nothing was imported." in words(done)
    assert JudgementFile.objects.count() == 0


def test_yes_said_twice_imports_once(may: Study, adam_client: Client) -> None:
    upload(adam_client, GOOD)
    accept = address("judgement_accept")

    assert adam_client.post(accept).status_code == 303
    assert adam_client.post(accept).status_code == 404
    assert (Judgement.objects.count(), JudgementImport.objects.count()) == (3, 1)


def test_a_file_beyond_the_limit_of_the_page(
    may: Study, adam_client: Client, settings: LazySettings
) -> None:
    settings.UPLOAD_LIMITS = settings.UPLOAD_LIMITS | {"max_file_bytes": 20}
    answer = upload(adam_client, GOOD)

    assert answer.status_code == 422
    assert "Larger than 20 bytes, the limit of this page." in words(answer)
    assert JudgementFile.objects.count() == 0


def test_text_of_a_file_is_text_on_the_page(may: Study, adam_client: Client) -> None:
    upload(adam_client, "item_id,annotator,preference\nq-1,<script>alert(1)</script>,tie\n")
    page = adam_client.get(address("judgement_file")).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_lead_reads_what_came_in_and_uploads_nothing(
    may: Study, adam_client: Client, lena_client: Client
) -> None:
    upload(adam_client, GOOD)
    adam_client.post(address("judgement_accept"))
    page = words(lena_client.get(reverse("judgements", args=["may"])))

    assert "3 judgements made elsewhere, in 1 file" in page
    assert "Upload judgements" not in page
    assert lena_client.get(reverse("judgements_new", args=["may"])).status_code == 404


def test_an_admin_who_judges_in_the_study_sees_none_of_it(
    may: Study, adam: User, adam_client: Client
) -> None:
    upload(adam_client, GOOD)
    file = address("judgement_file")
    Assignment.objects.create(study=may, annotator=adam)

    for path in (
        file,
        reverse("judgements", args=["may"]),
        reverse("judgements_new", args=["may"]),
    ):
        assert adam_client.get(path).status_code == 403
