"""The judging pages as they answer: blind, own only, and honest about what was saved."""

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from annotate.claiming import claim_task, skip_task, why_nothing_to_claim
from annotate.judging import pair_of, submission_key
from annotate.models import Assignment, Batch, Flag, Item, Judgement, State, Study, Task, User
from annotate.standing import about, expected_total, standing_of
from tests.conftest import client_of
from tests.factories import assign, judge_next, make_batch, make_study, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def address(task: Task) -> str:
    return reverse("task", args=[task.pk])


def said(task: Task, **answers: Any) -> dict[str, Any]:
    return {"submission_key": str(submission_key(task)), "overall": "1", **answers}


@pytest.fixture
def held(study: Study, alice: User) -> Task:
    return claim_task(study, alice)


def test_start_claims_a_task_and_leads_to_it(
    study: Study, alice: User, alice_client: Client
) -> None:
    answer = alice_client.post(reverse("start", args=[study.public_id]))

    [task] = Task.objects.held_by(alice.pk)
    assert (answer.status_code, answer["Location"]) == (302, address(task))


def test_start_by_get_is_refused(study: Study, alice_client: Client) -> None:
    answer = alice_client.get(reverse("start", args=[study.public_id]))

    assert answer.status_code == 405
    assert not Task.objects.exclude(state="free").exists()


@pytest.mark.parametrize("name", ["start", "undo", "done"])
def test_study_of_others_does_not_exist(
    other_study: Study, alice_client: Client, name: str
) -> None:
    method = alice_client.get if name == "done" else alice_client.post

    assert method(reverse(name, args=[other_study.public_id])).status_code == 404


@pytest.mark.parametrize("name", ["task", "task_pair", "task_skip", "task_release", "task_flag"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_task_of_others_does_not_exist(
    held: Task, bob_client: Client, lena_client: Client, name: str, method: str
) -> None:
    only_posts = name in ("task_skip", "task_release", "task_flag")
    only_reads = name == "task_pair"
    expected = 405 if (method == "get" and only_posts) or (method == "post" and only_reads) else 404

    for client in (bob_client, lena_client):
        assert getattr(client, method)(reverse(name, args=[held.pk])).status_code == expected


def test_page_shows_the_pair_and_no_hint_of_who_is_who(alice: User, alice_client: Client) -> None:
    study = make_study(annotators=[alice])
    hidden = {
        "item_id": "CANARY-ID",
        "category": "CANARY-CATEGORY",
        "reference": "CANARY-REFERENCE",
        "metadata": {"model_a": "CANARY-METADATA"},
    }
    row = {"prompt": "Why?", "baseline_output": "Alpha.", "candidate_output": "Beta."}
    batch = make_batch(study, [row | hidden], name="CANARY-BATCH")
    Batch.objects.filter(pk=batch.pk).update(file_names=["CANARY-FILE.csv"])
    task = claim_task(study, alice)

    answer = alice_client.get(address(task))

    page = answer.content.decode() + repr(answer.headers)
    assert re.findall(r">(Alpha\.|Beta\.)<", page) == [pair_of(task).left, pair_of(task).right]
    assert "CANARY" not in page
    assert study.baseline_name not in page
    assert study.candidate_name not in page
    assert str(Item.objects.get().public_id) not in page
    assert "<title>Judge · Touchstone</title>" in page
    assert answer["Cache-Control"] == "no-store"
    assert "HX-Request" in answer["Vary"]
    assert "ETag" not in answer


def test_page_is_byte_equal_when_only_hidden_facts_differ(
    alice: User, alice_client: Client
) -> None:
    pages = []
    for hidden in ("one", "two"):
        study = make_study("Twin", annotators=[alice], candidate_name=f"candidate-{hidden}")
        texts = ("Alpha.", "Beta.") if hidden == "one" else ("Beta.", "Alpha.")
        row = {"item_id": hidden, "category": hidden, "prompt": "Why?", "metadata": {"m": hidden}}
        make_batch(
            study, [row | {"baseline_output": texts[0], "candidate_output": texts[1]}], name=hidden
        )
        study.tasks.update(candidate_side="left" if hidden == "one" else "right")
        task = claim_task(study, alice)
        page = alice_client.get(address(task)).content.decode()
        for random in (task.pk, study.public_id, submission_key(task)):
            page = page.replace(str(random), "")
        pages.append(re.sub(r'(csrfmiddlewaretoken" value=")[^"]*', r"\1", page))

    assert pages[0] == pages[1]


def test_template_is_given_no_model_object(held: Task, alice_client: Client) -> None:
    answer = alice_client.get(address(held))

    given: dict[str, Any] = {}
    for context in answer.context:
        given |= context.flatten()  # type: ignore[union-attr]
    assert {name for name, value in given.items() if isinstance(value, Model)} <= {"user"}
    seen = repr(given["page"])
    assert str(held.item.item_id) not in seen
    assert "candidate_side" not in seen


def test_looking_changes_no_row(held: Task, study: Study, alice_client: Client) -> None:
    before = list(Task.objects.order_by("pk").values()), list(Assignment.objects.values())

    for view in ("plain", "markdown", "diff", "hidden", "unknown"):
        assert alice_client.get(address(held), {"view": view}).status_code == 200
    alice_client.get(reverse("done", args=[study.public_id]))
    alice_client.get(reverse("home"))

    assert (list(Task.objects.order_by("pk").values()), list(Assignment.objects.values())) == before


def test_htmx_gets_the_region_alone(held: Task, alice_client: Client) -> None:
    region = alice_client.get(address(held), headers=HTMX).content.decode()

    assert region.startswith('<div class="judge" id="task">')
    assert "<html" not in region


def test_answer_brings_the_next_task_in_the_same_response(
    held: Task, alice: User, alice_client: Client
) -> None:
    answer = alice_client.post(address(held), said(held, overall="-1"), headers=HTMX)

    [following] = Task.objects.held_by(alice.pk)
    judgement = Judgement.objects.get()
    assert (judgement.task_id, judgement.choice) == (held.pk, -1)
    assert following.pk != held.pk
    assert answer["HX-Push-Url"] == address(following)
    assert "Judge item 2 of 3" in answer.content.decode()


def test_answer_without_javascript_redirects_to_the_next_task(
    held: Task, alice: User, alice_client: Client
) -> None:
    answer = alice_client.post(address(held), said(held))

    [following] = Task.objects.held_by(alice.pk)
    assert (answer.status_code, answer["Location"]) == (303, address(following))


def test_markdown_stays_on_and_differences_do_not(held: Task, alice_client: Client) -> None:
    first = alice_client.post(address(held), said(held, view="markdown"), headers=HTMX)
    following = Task.objects.get(state="claimed")
    second = alice_client.post(address(following), said(following, view="diff"), headers=HTMX)

    assert first["HX-Push-Url"].endswith("?view=markdown")
    assert 'data-view="markdown"' in first.content.decode()
    assert "view=" not in second["HX-Push-Url"]
    assert 'data-view="plain"' in second.content.decode()


def test_last_answer_leads_to_the_page_that_says_so(
    study: Study, alice: User, alice_client: Client
) -> None:
    judge_next(study, alice)
    judge_next(study, alice)
    last = claim_task(study, alice)

    answer = alice_client.post(address(last), said(last), headers=HTMX)
    done = alice_client.get(answer["HX-Redirect"]).content.decode()

    assert answer["HX-Redirect"] == reverse("done", args=[study.public_id])
    assert "All done" in done
    assert "You have judged everything in this study. Thank you." in done


def test_incomplete_answer_comes_back_with_everything_that_was_typed(alice: User) -> None:
    study = make_study(criteria=[("tone", "comparative"), ("depth", "score")], annotators=[alice])
    make_batch(study, 1)
    task = claim_task(study, alice)
    client = client_of(alice)
    typed = {"criterion:tone": "0", "criterion:depth:left": "5", "comment": "half <b>done</b>"}

    answer = client.post(address(task), said(task, active_ms="4200", **typed), headers=HTMX)

    page = answer.content.decode()
    assert answer.status_code == 422
    assert page.startswith('<div class="judge" id="task">')
    assert "Depth, right: choose an answer." in page
    assert len(re.findall(r"<input type=\"radio\"[^>]* checked", page)) == 3
    assert "half &lt;b&gt;done&lt;/b&gt;</textarea>" in page
    assert 'name="active_ms" value="4200"' in page
    assert not Judgement.objects.exists()
    assert client.post(address(task), said(task, **typed)).status_code == 422


def test_same_form_sent_twice_is_one_judgement(
    held: Task, alice: User, alice_client: Client
) -> None:
    form = said(held)

    answers = [alice_client.post(address(held), form, headers=HTMX) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert len({answer["HX-Push-Url"] for answer in answers}) == 1
    assert Judgement.objects.count() == 1


def test_same_form_with_another_answer_is_told_what_was_kept(
    held: Task, alice_client: Client
) -> None:
    form = said(held, overall="-1")
    alice_client.post(address(held), form, headers=HTMX)

    answer = alice_client.post(address(held), form | {"overall": "1"}, headers=HTMX)

    assert answer.status_code == 409
    assert "Left better. That answer is kept." in answer.content.decode()
    assert Judgement.objects.get().choice == -1


def test_form_of_another_task_is_refused(held: Task, study: Study, bob: User) -> None:
    assign(study, bob)
    others = claim_task(study, bob)

    answer = client_of(bob).post(address(others), said(held), headers=HTMX)

    assert answer.status_code == 409
    assert not Judgement.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_answer_after_the_study_closed_is_refused_in_words(
    held: Task, study: Study, alice_client: Client, headers: dict[str, str]
) -> None:
    Study.objects.filter(pk=study.pk).update(state=State.CLOSED, closed_at=timezone.now())

    answer = alice_client.post(address(held), said(held), headers=headers)

    assert answer.status_code == 409
    assert "This study is closed: answers can no longer be changed." in answer.content.decode()
    assert not Judgement.objects.exists()


def test_judged_task_opens_with_the_answer_that_counts(
    study: Study, alice: User, alice_client: Client
) -> None:
    first = judge_next(study, alice, -1, comment="because").task

    page = alice_client.get(address(first)).content.decode()

    assert "Correct your answer of" in page
    assert re.findall(r'value="([^"]*)"[^>]* checked', page) == ["-1"]
    assert "because</textarea>" in page


def test_correction_adds_a_version_and_returns_to_the_task_in_hand(
    study: Study, alice: User, alice_client: Client
) -> None:
    first = judge_next(study, alice, -1).task
    held = claim_task(study, alice)
    first.refresh_from_db()

    answer = alice_client.post(address(first), said(first, overall="1"), headers=HTMX)

    assert answer["HX-Push-Url"] == address(held)
    lifted = -1 if first.candidate_side == "left" else 1
    versions = Judgement.objects.order_by("version").values_list("version", "choice", "preference")
    assert list(versions) == [(1, -1, -lifted), (2, 1, lifted)]


def test_saving_an_unchanged_answer_adds_no_version(
    study: Study, alice: User, alice_client: Client
) -> None:
    first = judge_next(study, alice, -1).task
    first.refresh_from_db()

    answer = alice_client.post(address(first), said(first, overall="-1"), headers=HTMX)

    assert answer.status_code == 200
    assert Judgement.objects.count() == 1


def test_undo_opens_the_last_judgement_and_then_the_one_before(
    study: Study, alice: User, alice_client: Client
) -> None:
    first = judge_next(study, alice).task
    second = judge_next(study, alice).task
    undo = reverse("undo", args=[study.public_id])

    once = alice_client.post(undo, headers=HTMX)
    twice = alice_client.post(undo, {"from": str(second.pk)}, headers=HTMX)
    thrice = alice_client.post(undo, {"from": str(first.pk)}, headers=HTMX)
    plain = alice_client.post(undo, {"from": "nonsense"})

    assert once["HX-Push-Url"] == address(second)
    assert twice["HX-Push-Url"] == address(first)
    assert (thrice.status_code, plain.status_code) == (409, 303)
    assert Judgement.objects.count() == 2


def test_skip_hands_the_item_on_and_brings_another(
    held: Task, alice: User, alice_client: Client
) -> None:
    skip = reverse("task_skip", args=[held.pk])

    without = alice_client.post(skip, {}, headers=HTMX)
    answer = alice_client.post(skip, {"reason": "known", "note": "seen"}, headers=HTMX)

    held.refresh_from_db()
    assert (without.status_code, without["HX-Reswap"]) == (422, "none")
    assert (held.state, held.skip_reason, held.skip_note) == ("skipped", "known", "seen")
    assert Task.objects.get(state="claimed", annotator=alice).item_id != held.item_id
    assert "Judge item 1 of 3" in answer.content.decode()


def test_skipped_and_closed_tasks_say_so(
    held: Task, study: Study, alice: User, alice_client: Client
) -> None:
    skip_task(held.pk, alice, reason="known")
    skipped = alice_client.get(address(held))
    Study.objects.filter(pk=study.pk).update(state=State.CLOSED)
    closed = alice_client.get(address(held))

    assert "You skipped it; somebody else has been asked." in skipped.content.decode()
    assert "Its study is closed" in closed.content.decode()
    assert pair_of(held).left not in skipped.content.decode() + closed.content.decode()


def test_put_back_frees_the_task(held: Task, alice_client: Client) -> None:
    answer = alice_client.post(reverse("task_release", args=[held.pk]), headers=HTMX)

    held.refresh_from_db()
    assert (held.state, held.annotator) == ("free", None)
    assert answer["HX-Redirect"] == reverse("home")


def test_flags_are_saved_without_leaving_the_task(held: Task, alice_client: Client) -> None:
    flag = reverse("task_flag", args=[held.pk])

    answer = alice_client.post(flag, {"flag": ["recognised", "harmful"]}, headers=HTMX)
    kinds = set(Flag.objects.values_list("kind", flat=True))
    plain = alice_client.post(flag, {"flag": []})
    unknown = alice_client.post(flag, {"flag": ["x"]}, headers=HTMX)

    assert kinds == {"recognised", "harmful"}
    assert 'id="flag-button"' in answer.content.decode()
    assert (plain.status_code, plain["Location"]) == (303, address(held))
    assert unknown.status_code == 422
    assert not Flag.objects.exists()
    held.refresh_from_db()
    assert held.state == "claimed"


def test_views_swap_the_pair_alone_and_are_links_without_javascript(
    alice: User, alice_client: Client
) -> None:
    study = make_study(annotators=[alice])
    row = {"prompt": "p", "baseline_output": "one **two**", "candidate_output": "one three"}
    make_batch(study, [row])
    task = claim_task(study, alice)
    pair = reverse("task_pair", args=[task.pk])

    diff = alice_client.get(pair, {"view": "diff"}, headers=HTMX).content.decode()
    markdown = alice_client.get(pair, {"view": "markdown"}, headers=HTMX).content.decode()
    link = alice_client.get(pair, {"view": "diff"})

    assert diff.startswith('<div class="item" id="pair" data-view="diff">')
    assert sorted(re.findall(r"<mark>(.*?)</mark>", diff)) == ["**two**", "three"]
    assert "<strong>two</strong>" in markdown
    assert link["Location"] == f"{address(task)}?view=diff"


XSS = '<img src=x onerror="window.__pwned=1"><script>1</script>{{ 7|add:7 }}</div></form>'


@pytest.mark.parametrize("view", ["plain", "markdown", "diff", "hidden"])
@pytest.mark.parametrize("text", [XSS, json.dumps({"name": XSS, "arguments": {XSS: XSS}})])
def test_outputs_enter_the_page_as_text(
    alice: User, alice_client: Client, view: str, text: str
) -> None:
    study = make_study("<i>Name</i>", annotators=[alice], guidelines=XSS, question=XSS[:200])
    row = {"prompt": text, "baseline_output": text, "candidate_output": text + "."}
    make_batch(study, [row])

    page = alice_client.get(address(claim_task(study, alice)), {"view": view}).content.decode()

    assert "<img" not in page
    assert "<script>" not in page
    assert "<i>Name" not in page
    assert "&lt;img src=x" in page


def test_signed_out_htmx_request_is_told_by_401(held: Task, alice_client: Client) -> None:
    alice_client.logout()

    answer = alice_client.post(address(held), said(held), headers=HTMX)

    assert answer.status_code == 401
    assert not Judgement.objects.exists()


def test_page_asks_the_database_no_more_when_more_was_judged(
    alice: User, alice_client: Client, django_assert_max_num_queries: Any
) -> None:
    study = make_study(criteria=[(key, "score") for key in "abcd"], annotators=[alice])
    make_batch(study, 8)
    task = claim_task(study, alice)
    with django_assert_max_num_queries(12) as few:
        alice_client.get(address(task))
    for _ in range(6):
        judge_next(study, alice, scores={"a": (1, 2)})
    task = claim_task(study, alice)

    with django_assert_max_num_queries(12) as many:
        alice_client.get(address(task))

    assert len(many) == len(few)


def test_expected_total_is_an_even_share_within_cap_and_items(alice: User, bob: User) -> None:
    study = make_study(annotators=[alice, bob], overlap=3)
    make_batch(study, 10)

    assert expected_total(study, 0, None) == 10
    assign(study, make_user())
    assign(study, make_user())
    assert expected_total(study, 0, None) == 8  # 30 judgements for 4 people
    assert expected_total(study, 9, None) == 9
    assert expected_total(study, 0, 5) == 5
    assert expected_total(study, 6, 5) == 6


def test_time_left_follows_the_middle_of_the_last_times(study: Study, alice: User) -> None:
    Assignment.objects.filter(annotator=alice).update(judged_count=1)

    assert standing_of(study, alice).time_left == ""
    assert [about(seconds) for seconds in (10, 70, 1_800, 3_600, 4_750)] == [
        "less than a minute",
        "about 1 min",
        "about 30 min",
        "about 1 h",
        "about 1 h 20 min",
    ]


def test_home_shows_what_waits_the_last_answers_and_a_way_to_go_on(
    study: Study, alice: User, alice_client: Client
) -> None:
    judge_next(study, alice, -1)

    page = alice_client.get(reverse("home")).content.decode()

    assert "2 items are waiting for you in one study" in page
    assert f'method="post" action="{reverse("start", args=[study.public_id])}"' in page
    assert "“Question 1?”" in page
    assert "Left better" in page
    assert f'href="{reverse("task", args=[Judgement.objects.get().task_id])}"' in page
    assert "candidate-model" not in page


def test_home_gives_the_reason_where_nothing_can_be_judged(
    study: Study, alice: User, alice_client: Client
) -> None:
    Study.objects.filter(pk=study.pk).update(state=State.PAUSED)

    page = alice_client.get(reverse("home")).content.decode()

    assert "Nothing is waiting for you at the moment" in page
    assert "This study is paused. Come back when its lead reopens it." in page


def test_home_of_a_lead_lists_the_studies(study: Study, lena_client: Client) -> None:
    page = lena_client.get(reverse("home")).content.decode()

    assert f'href="{reverse("study", args=[study.slug])}"' in page
    assert "3 items, 0 judgements" in page


def test_home_of_a_stranger_shows_no_study(study: Study, charlie_client: Client) -> None:
    page = charlie_client.get(reverse("home")).content.decode()

    assert "You are in no study yet" in page
    assert study.name not in page


def test_reason_agrees_with_what_a_claim_would_do(study: Study, alice: User, bob: User) -> None:
    assert why_nothing_to_claim(study, alice) == ""
    assert why_nothing_to_claim(study, bob).startswith("You are not asked to judge in this study")

    for _ in range(3):
        judge_next(study, alice)

    assert why_nothing_to_claim(study, alice) == (
        "You have judged everything in this study. Thank you."
    )


def test_reason_counts_a_lapsed_claim_as_claimable(alice: User, bob: User) -> None:
    study = make_study(annotators=[alice, bob], overlap=1)
    make_batch(study, 1)
    others = claim_task(study, bob)
    waiting = why_nothing_to_claim(study, alice)
    Task.objects.filter(pk=others.pk).update(lease_ends_at=timezone.now() - timedelta(days=1))

    assert "1 item is in other people's hands" in waiting
    assert why_nothing_to_claim(study, alice) == ""
    assert claim_task(study, alice).item_id == others.item_id


def test_unknown_task_is_not_found(alice_client: Client) -> None:
    assert alice_client.get(reverse("task", args=[uuid4()])).status_code == 404
