"""Pages of suites: what leads read, and how admins bring suites in."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from annotate.models import Study
from evals.formats import SHIPPED
from evals.models import Case, Staged, StagedChunk, Suite
from evals.suites import add_shipped, import_suite
from tests.evals.factories import make_run, make_suite
from tests.evals.suite_inputs import BFCL, BFCL_ANSWERS, CASES, FINE_TUNING, cases, lines

pytestmark = pytest.mark.django_db

HOSTILE = [
    {
        "id": "<i>id</i>",
        "prompt": "<script>alert(1)</script>",
        "expected": ["<b>bold</b>"],
        "category": "<img src=x onerror=alert(1)>",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "<u>tool</u>",
                    "description": "<a href=x>",
                    "parameters": {"type": "object", "title": "<p>"},
                },
            }
        ],
        "<k>": "<v>",
    }
]


def upload(client: Client, records: list[Any] | bytes, **fields: Any) -> Any:
    content = records if isinstance(records, bytes) else lines(records).encode()
    file = SimpleUploadedFile(fields.pop("file_name", "talk.jsonl"), content)
    return client.post(reverse("suite_new"), {"file": file, **fields})


def staged_path(name: str) -> str:
    return reverse(name, args=[Staged.objects.get().pk])


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_an_upload_is_shown_before_it_comes_in(adam_client: Client) -> None:
    answer = upload(adam_client, CASES, name="talk", title="Small talk")
    page = adam_client.get(answer["Location"])

    assert answer.status_code == 302
    assert not Suite.objects.exists()
    body = text_of(page)
    assert "<h1>3 cases can come in</h1>" in body
    assert "A suite of cases" in body
    assert "What is 6 times 7?" in body
    assert "get_weather(\n  city = &quot;Oslo&quot;\n)" in body
    assert page.context["preview"].splits == [("general", "1"), ("target", "2")]
    assert 'value="talk"' in body
    assert 'value="Small talk"' in body


def test_a_yes_imports_it_once_however_often_it_is_said(adam_client: Client) -> None:
    upload(adam_client, CASES, name="talk")
    accept = staged_path("suite_accept")

    answers = [adam_client.post(accept, {"name": "talk", "title": "Small talk"}) for _ in range(2)]

    suite = Suite.objects.get()
    assert [answer["Location"] for answer in answers] == [reverse("suite", args=[suite.pk])] * 2
    assert (suite.name, suite.title, suite.case_count) == ("talk", "Small talk", 3)
    assert suite.imported_by is not None
    assert suite.imported_by.name == "Adam"
    assert not StagedChunk.objects.exists()
    led_on = adam_client.get(staged_path("suite_preview"))
    assert led_on["Location"] == reverse("suite", args=[suite.pk])


def test_a_no_leaves_nothing(adam_client: Client) -> None:
    upload(adam_client, CASES)

    adam_client.post(staged_path("suite_discard"))

    assert not Staged.objects.exists()
    assert not StagedChunk.objects.exists()
    assert not Suite.objects.exists()


def test_after_a_yes_a_no_throws_nothing_away(adam_client: Client) -> None:
    upload(adam_client, CASES, name="talk")
    discard = staged_path("suite_discard")
    adam_client.post(staged_path("suite_accept"), {"name": "talk"})

    adam_client.post(discard)

    assert Suite.objects.count() == 1


def test_a_faulty_file_is_not_kept_and_all_its_faults_are_told(adam_client: Client) -> None:
    answer = upload(
        adam_client,
        [{"prompt": "Hi", "scorer": "rouge"}, {"prompt": ""}, {"prompt": "Ho", "expected": "x"}],
        name="talk",
    )

    body = text_of(answer)
    assert answer.status_code == 422
    assert "<h1>Fix two lines, then the suite can come in</h1>" in body
    assert "No scorer is called &#x27;rouge&#x27;." in body
    assert "The prompt is empty. Write it." in body
    assert 'value="talk"' in body
    assert not Staged.objects.exists()


def test_what_is_no_suite_is_said_so(adam_client: Client) -> None:
    outputs = upload(adam_client, [{"prompt": "Hi", "output": "Ho", "model": "m"}])
    nothing = upload(adam_client, b"\x00\x01\x02", file_name="x.bin")
    empty = upload(adam_client, b"")

    assert [one.status_code for one in (outputs, nothing, empty)] == [422] * 3
    assert "<h1>This is no suite</h1>" in text_of(outputs)
    assert "holds outputs, not cases" in text_of(outputs)
    assert not Staged.objects.exists()


def test_two_files_that_belong_together_come_in_together(adam_client: Client) -> None:
    answers = SimpleUploadedFile("simple.answers.jsonl", lines(BFCL_ANSWERS).encode())

    answer = upload(adam_client, BFCL, file_name="simple.jsonl", file2=answers)

    assert answer.status_code == 302
    assert Staged.objects.get().options["name"] == "simple"
    adam_client.post(staged_path("suite_accept"), {})
    assert Suite.objects.get().file_names == ["simple.jsonl", "simple.answers.jsonl"]


def test_another_reading_can_be_chosen_and_is_shown_before_it_comes_in(
    adam_client: Client,
) -> None:
    upload(adam_client, FINE_TUNING)
    body = text_of(adam_client.get(staged_path("suite_preview")))
    assert "It may be suite instead" in body

    answer = adam_client.post(staged_path("suite_accept"), {"name": "talk", "format": "suite"})

    assert not Suite.objects.exists()
    page = adam_client.get(answer["Location"])
    assert "Read again as you chose." in text_of(page)
    assert [turn.label for turn in page.context["preview"].examples[0].turns] == [
        "User",
        "Assistant",
    ]
    adam_client.post(staged_path("suite_accept"), {"name": "talk", "format": "suite"})
    assert Case.objects.get().expected == {}


def test_a_reading_that_does_not_fit_is_told_and_the_files_are_kept(adam_client: Client) -> None:
    upload(adam_client, CASES, name="talk")

    answer = adam_client.post(staged_path("suite_preview"), {"name": "talk", "format": "bfcl"})

    assert answer.status_code == 422
    assert "Import is available when no line has an error." in text_of(answer)
    again = adam_client.post(staged_path("suite_preview"), {"name": "talk", "format": ""})
    assert again.status_code == 302
    assert Staged.objects.get().report["accepted"]


def test_what_is_there_already_is_said_before_anybody_imports_it(adam_client: Client) -> None:
    known = import_suite(cases(), name="talk").suite
    upload(adam_client, CASES, name="talk")

    body = text_of(adam_client.get(staged_path("suite_preview")))

    assert known is not None
    assert "<h1>These cases are version 1 of talk already</h1>" in body
    assert reverse("suite", args=[known.pk]) in body
    adam_client.post(staged_path("suite_preview"), {"name": "other"})
    assert "<h1>3 cases can come in</h1>" in text_of(adam_client.get(staged_path("suite_preview")))


def test_a_next_version_is_announced(adam_client: Client) -> None:
    import_suite(cases(), name="talk")
    upload(adam_client, CASES[:1], name="talk")

    body = text_of(adam_client.get(staged_path("suite_preview")))

    assert "It will be version 2 of talk" in body


@pytest.mark.parametrize("name", ["a b", "../x", "x" * 81])
def test_a_name_that_cannot_be_is_refused_in_its_field(adam_client: Client, name: str) -> None:
    answer = upload(adam_client, CASES, name=name)

    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
    assert not Staged.objects.exists()


def test_a_file_beyond_the_limit_of_the_page_is_refused_with_the_way_out(
    adam_client: Client, settings: LazySettings
) -> None:
    settings.UPLOAD_LIMITS = settings.UPLOAD_LIMITS | {"max_file_bytes": 200}

    answer = upload(adam_client, [{"prompt": "x" * 300, "expected": "y"}])

    assert answer.status_code == 422
    assert "<h1>This file is too large for a page</h1>" in text_of(answer)
    assert "manage.py import_suite FILE" in text_of(answer)


def test_hostile_texts_are_shown_and_never_run(adam_client: Client) -> None:
    upload(adam_client, HOSTILE, name="talk")
    preview = text_of(adam_client.get(staged_path("suite_preview")))
    adam_client.post(staged_path("suite_accept"), {"name": "talk"})
    shown = text_of(adam_client.get(reverse("suite", args=[Suite.objects.get().pk])))

    for body in (preview, shown):
        for tag in ("<script>alert", "<b>bold", "<img src=x", "<i>id", "<u>tool", "<a href=x>",
                    "<k>", "<v>"):  # fmt: skip
            assert tag not in body
            assert tag.replace("<", "&lt;").split(">")[0] in body


def test_leads_see_which_suites_there_are(lena_client: Client, study: Study) -> None:
    suite = make_suite("capitals")
    make_suite("capitals", 4)
    make_run(study, suite)

    page = lena_client.get(reverse("suites"))

    (card,) = page.context["cards"]
    assert (card.suite.version, card.versions, card.categories, card.cases) == (2, 2, 3, "4")
    assert card.last_run_at is not None
    assert "Upload a suite" not in text_of(page)


def test_a_suite_is_shown_as_it_is_asked(lena_client: Client) -> None:
    suite = add_shipped("tool_calling").suite
    assert suite is not None

    page = lena_client.get(reverse("suite", args=[suite.pk]))

    assert "<h1>30 cases in 3 categories</h1>" in text_of(page)
    assert suite.digest in text_of(page)
    assert len(page.context["cases"]) == 20
    second = lena_client.get(reverse("suite", args=[suite.pk]), {"page": "2"})
    assert [case.position for case in second.context["cases"]] == list(range(21, 31))
    assert "Delete version" not in text_of(page)


@pytest.mark.parametrize("page", ["0", "x", "99999999999999999999", "-1", ""])
def test_a_page_that_is_none_is_one_that_is(lena_client: Client, page: str) -> None:
    suite = make_suite()

    assert lena_client.get(reverse("suite", args=[suite.pk]), {"page": page}).status_code == 200


def test_shipped_suites_are_added_by_one_click_and_then_listed_no_more(
    adam_client: Client,
) -> None:
    body = text_of(adam_client.get(reverse("suites")))
    assert all(escape(one.words) in body for one in SHIPPED)

    for _ in range(2):
        answer = adam_client.post(reverse("suite_shipped"), {"name": "tool_calling"})

    assert answer["Location"] == reverse("suite", args=[Suite.objects.get().pk])
    page = adam_client.get(reverse("suites"))
    assert "tool_calling" not in [one.name for one in page.context["shipped"]]
    assert len(page.context["shipped"]) == len(SHIPPED) - 1
    unknown = adam_client.post(reverse("suite_shipped"), {"name": "nothing"})
    assert unknown.status_code == 422


def test_an_admin_deletes_what_nobody_ran_and_nothing_else(
    adam_client: Client, study: Study
) -> None:
    unused, used = make_suite("unused"), make_suite("used")
    make_run(study, used)
    page = adam_client.get(reverse("suite", args=[used.pk]))
    assert "Delete version" not in text_of(page)

    gone = adam_client.post(reverse("suite_delete", args=[unused.pk]))
    kept = adam_client.post(reverse("suite_delete", args=[used.pk]))

    assert gone["Location"] == reverse("suites")
    assert kept.status_code == 409
    assert "was run" in text_of(kept)
    assert list(Suite.objects.all()) == [used]


def test_the_list_asks_the_database_as_often_for_three_suites_as_for_one(
    adam_client: Client,
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            adam_client.get(reverse("suites"))
        return len(seen)

    make_suite("one")
    few = queries()
    make_suite("two")
    make_suite("three")

    assert queries() == few


def test_a_stranger_s_kind_of_staged_files_is_not_there(adam_client: Client, study: Study) -> None:
    outputs = Staged.objects.create(kind="outputs", study=study)

    for name in ("suite_accept", "suite_discard"):
        assert adam_client.post(reverse(name, args=[outputs.pk])).status_code == 404
    assert adam_client.get(reverse("suite_preview", args=[outputs.pk])).status_code == 404


def test_the_report_kept_with_the_files_is_plain_json(adam_client: Client) -> None:
    upload(adam_client, [{"prompt": "x" * 100_000, "expected": "y"}])

    report = Staged.objects.get().report

    assert len(json.dumps(report)) < 10_000
