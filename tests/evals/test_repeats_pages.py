"""Repeats on the lead's pages: their own numbers, and no other number changed by them."""

import json
import re
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotate.claiming import NothingToClaimError, claim_task
from annotate.exporting import export_lines
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Assignment, Judgement, Study, Task, User
from evals import queries
from evals.deciding import evidence_of, weigh
from evals.queries.since import judgements_digest
from evals.reporting.report import report
from tests.conftest import client_of
from tests.factories import make_batch, make_study, make_user

pytestmark = pytest.mark.django_db

ITEMS = 24
CRITERIA = [("correctness", "comparative"), ("style", "score")]
PAGES = (
    "study",
    "progress",
    "annotators",
    "preference",
    "agreement",
    "agreement_parts",
    "agreement_pairs",
    "disputed",
    "decision",
    "metrics",
    "assignments",
    "rubric",
)
FIGURES = ("outcomes", "win-rates", "watched")
# What pages say of repeats stands apart from everything else.
OWN = re.compile(
    r'<section class="section" id="repeats">.*?</section>'
    r"|<tr><th scope=\"row\">Left kept.*?</tr>\n|<p class=\"sub gap\">The left side was.*?</p>\n",
    re.DOTALL,
)
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"|_csrf=[^;]+')


def judge(study: Study, person: User, *, choice: int) -> Task:
    task = claim_task(study, person)
    said = Answers(
        choice=choice, comparisons={"correctness": choice // 2}, scores={"style": (4, 2)},
        active_ms=0,
    )  # fmt: skip
    record_judgement(task.pk, person, submission_key(task), said)
    return task


def judged_study(people: list[User]) -> Study:
    """Everything is judged, and half of it waits to be asked again."""
    study = make_study(
        annotators=people, overlap=2, scale=5, repeat_share=Decimal("0.5"), criteria=CRITERIA
    )
    make_batch(study, ITEMS)
    for number in range(ITEMS):
        for place, person in enumerate(people):
            judge(study, person, choice=(number + place) % 5 - 2)
        Task.objects.filter(state="waiting").update(due_after=10**6)
    Task.objects.filter(state="judged").update(judged_at=timezone.now() - timedelta(days=30))
    return study


def ask_again(study: Study, person: User, *, choice: int) -> int:
    """All that waits comes, and is answered so."""
    Task.objects.filter(state="waiting", annotator=person).update(due_after=0)
    count = 0
    while True:
        try:
            task = judge(study, person, choice=choice)
        except NothingToClaimError:
            return count
        assert task.repeats_id is not None
        count += 1


@pytest.fixture
def people(db: None) -> list[User]:
    return [make_user("Alice"), make_user("Bob")]


def everything(study: Study, client: Client) -> dict[str, str]:
    """Every page without what it says of repeats, the report, and what a decision rests on."""
    names = [reverse(name, args=[study.slug]) for name in PAGES]
    names += [reverse("figure", args=[study.slug, key]) for key in FIGURES]
    names += [f"{reverse('disputed', args=[study.slug])}?page=1", "/", reverse("studies")]
    pages = {}
    for address in names:
        answer = client.get(address)
        assert answer.status_code == 200, address
        pages[address] = TOKEN.sub("", OWN.sub("", answer.content.decode()))
    told = report(study)
    told.pop("repeats")
    with queries.snapshot():
        evidence = evidence_of(weigh(study))
        pages["digest"] = judgements_digest(study, None) + judgements_digest(study, "blind")
    pages["report"] = json.dumps(told, sort_keys=True)
    pages["evidence"] = repr(evidence)
    return pages


def test_repeats_change_no_number_anywhere_else(people: list[User], lena: User) -> None:
    study = judged_study(people)
    client = client_of(lena)
    before = everything(study, client)

    repeated = sum(ask_again(study, person, choice=-2) for person in people)
    assert repeated >= ITEMS - 2

    after = everything(study, client)
    for name, text in before.items():
        assert after[name] == text, name
    assert Judgement.objects.filter(study=study).count() == 2 * ITEMS + repeated


def test_what_repeats_would_change_is_seen_by_the_comparison(
    people: list[User], lena: User
) -> None:
    study = judged_study(people)
    before = everything(study, client_of(lena))
    task = Task.objects.filter(state="judged", judgements__preference=0).first()
    assert task is not None
    assert task.annotator is not None

    # A tie becomes a choice, whichever side it is on.
    said = Answers(choice=2 if task.candidate_side == "left" else -2, comment="changed")
    record_judgement(task.pk, task.annotator, submission_key(task), said)

    after = everything(study, client_of(lena))
    assert {"report", "evidence", "digest"} <= {
        name for name in before if before[name] != after[name]
    }


def test_each_annotator_has_shares_of_repeats(people: list[User], lena_client: Client) -> None:
    study = judged_study(people)
    counts = [ask_again(study, person, choice=-2) for person in people]

    found = report(study)["repeats"]

    assert [one["annotator"] for one in found["annotators"]] == [
        "alice@example.org",
        "bob@example.org",
    ]
    assert [one["n"] for one in found["annotators"]] == counts
    assert (found["n"], found["share"]) == (sum(counts), 0.5)
    for person, one in zip(people, found["annotators"], strict=True):
        expected = recounted(study, person)
        assert one["same_answer"]["value"] == expected["same"] / one["n"]
        assert one["same_point"]["value"] == expected["exact"] / one["n"]
        assert (one["kept_left"], one["kept_right"]) == (expected["left"], 0)
        assert one["kept_side"]["n"] == one["n"]
    assert found["left_of_kept"]["value"] == 1.0
    page = lena_client.get(reverse("annotators", args=[study.slug])).content.decode()
    section = page.partition('id="repeats"')[2]
    assert "Same point of the scale" in section
    assert "Everybody" in section
    assert "a lean to the left" in section
    assert "Left kept" in lena_client.get(reverse("preference", args=[study.slug])).content.decode()


def recounted(study: Study, person: User) -> dict[str, int]:
    """The same from the rows, one by one."""
    counts = dict.fromkeys(("same", "exact", "left"), 0)
    for task in Task.objects.filter(study=study, annotator=person, state="repeated"):
        now = Judgement.objects.get(task=task, version=task.version)
        original = task.repeats
        assert original is not None
        then = Judgement.objects.get(task=original, version=original.version)
        assert then.candidate_side != now.candidate_side
        signs = [(one.preference > 0) - (one.preference < 0) for one in (then, now)]
        counts["same"] += signs[0] == signs[1]
        counts["exact"] += then.preference == now.preference
        counts["left"] += (then.choice or 0) < 0 and (now.choice or 0) < 0
    return counts


def test_the_version_that_counts_is_compared(people: list[User]) -> None:
    study = judged_study(people)
    alice = people[0]
    ask_again(study, alice, choice=0)
    for task in Task.objects.filter(annotator=alice, state="repeated"):
        original = task.repeats
        assert original is not None
        again = Answers(choice=0, comparisons={}, scores={}, comment="a tie after all")
        record_judgement(original.pk, alice, submission_key(original), again)

    assert report(study)["repeats"]["annotators"][0]["same_answer"]["value"] == 1.0


def test_without_repeats_the_report_says_why(people: list[User], lena_client: Client) -> None:
    study = make_study(annotators=people, repeat_share=Decimal("0.1"))
    make_batch(study, 2)

    found = report(study)["repeats"]
    imported = report(study, only="imported")["repeats"]

    assert (found["n"], found["annotators"]) == (0, [])
    for key in ("same_answer", "same_point", "kept_side", "left_of_kept"):
        assert found[key] == {
            "value": None,
            "reason": "nobody has answered an item a second time",
            "n": 0,
        }
        assert "elsewhere" in imported[key]["reason"]
    assert "second time" in annotators_page(lena_client, study)
    Study.objects.update(repeat_share=0)
    assert "repeats" not in report(Study.objects.get())
    assert "Asked again" not in annotators_page(lena_client, study)


def annotators_page(client: Client, study: Study) -> str:
    return str(client.get(reverse("annotators", args=[study.slug])).content.decode())


def test_the_page_of_an_item_marks_a_repeat_and_hides_what_waits(
    people: list[User], lena_client: Client
) -> None:
    study = judged_study(people)
    waiting = Task.objects.filter(state="waiting", annotator=people[0]).first()
    assert waiting is not None
    address = reverse("item", args=[study.slug, waiting.item.public_id])
    before = lena_client.get(address).content.decode()
    ask_again(study, people[0], choice=1)
    after = lena_client.get(address).content.decode()

    assert "asked again" not in before
    assert after.count("asked again, sides exchanged: not counted") == 1
    heading = re.compile(r"<h1>.*?</h1>", re.DOTALL)
    assert heading.findall(before) == heading.findall(after)


def test_exports_mark_repeats_and_come_back_without_them(people: list[User], tmp_path: Any) -> None:
    study = judged_study(people)
    repeated = ask_again(study, people[0], choice=1)
    rows = {kind: exported(study, kind) for kind in ("judgements", "ratings")}

    for kind, times in (("judgements", 1), ("ratings", 2)):
        marked = [row for row in rows[kind] if row["repeat"]]
        assert len(marked) == repeated * times
        assert len(rows[kind]) - len(marked) == 2 * ITEMS * times
    file = tmp_path / "said.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows["judgements"]))
    other = make_study(overlap=2, scale=5, criteria=CRITERIA)
    make_batch(other, ITEMS)
    call_command("import_judgements", other.slug, str(file), stdout=StringIO())
    assert Judgement.objects.filter(study=other).count() == 2 * ITEMS


def exported(study: Study, kind: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in export_lines(study, kind, "jsonl")]


def test_create_study_takes_a_share_and_refuses_others() -> None:
    given = ["create_study", "Asked twice", "--baseline", "a", "--candidate", "b"]
    call_command(*given, "--repeat-share", "0.1", stdout=StringIO())

    assert Study.objects.get(slug="asked-twice").repeat_share == Decimal("0.1")
    for wrong in ("0.6", "-0.1", "0.125", "ten", "nan"):
        with pytest.raises((SystemExit, Exception), match=r"share|2"):
            call_command(*given, f"--repeat-share={wrong}", stdout=StringIO(), stderr=StringIO())
    assert Study.objects.count() == 1


def test_a_lead_sees_the_items_judged_not_the_repeats(people: list[User], lena: User) -> None:
    study = judged_study(people)
    ask_again(study, people[0], choice=1)

    assigned = Assignment.objects.get(annotator=people[0])
    assert (assigned.judged_count, assigned.repeated_count > 0) == (ITEMS, True)
    with queries.snapshot():
        person = next(one for one in queries.people(study) if one.id == people[0].pk)
    assert (person.judged, person.skipped) == (ITEMS, 0)
    assert isinstance(person.id, UUID)
