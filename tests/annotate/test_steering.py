"""Steering: what may change when, and two people who save at once."""

import pytest
from django.test import Client

from annotate.claiming import claim_task
from annotate.models import Assignment, Criterion, State, Study, Task, User
from annotate.steering import (
    ChangedMeanwhileError,
    CriterionDraft,
    RefusedChangeError,
    change_overlap,
    change_state,
    create_study,
    unassign,
    update_study,
)
from tests.factories import judge_next, make_batch, make_study

pytestmark = pytest.mark.django_db


def draft(**fields: object) -> Study:
    study = create_study("Autumn", baseline_name="old", candidate_name="new", **fields)  # type: ignore[arg-type]
    make_batch(study, 2)
    return study


def test_a_new_study_is_a_draft_with_the_four_usual_criteria() -> None:
    study = create_study("Support replies, May", baseline_name="old", candidate_name="new")

    assert (study.slug, study.state) == ("support-replies-may", State.DRAFT)
    keys = list(study.criteria.values_list("key", "kind"))
    assert keys == [
        ("correctness", "comparative"),
        ("helpfulness", "comparative"),
        ("safety", "comparative"),
        ("format-adherence", "comparative"),
    ]


def test_two_criteria_of_one_name_get_two_keys() -> None:
    study = create_study(
        "A", baseline_name="o", candidate_name="n", criteria=[CriterionDraft("Tone")] * 2
    )

    assert list(study.criteria.values_list("key", flat=True)) == ["tone", "tone-2"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"slug": "new"}, "taken by a page"),
        ({"slug": "autumn"}, "exists already"),
        ({"candidate_name": "old"}, "same name"),
    ],
)
def test_a_study_that_cannot_be_is_refused_in_words(fields: dict[str, str], words: str) -> None:
    draft()

    with pytest.raises(RefusedChangeError, match=words):
        create_study("B", **{"baseline_name": "old", "candidate_name": "new"} | fields)  # type: ignore[arg-type]


def test_a_study_without_a_batch_cannot_be_opened() -> None:
    study = create_study("Empty", baseline_name="old", candidate_name="new")

    with pytest.raises(RefusedChangeError, match="import a batch first"):
        change_state(study, State.OPEN)


def test_the_rubric_is_fixed_once_the_study_is_open() -> None:
    study = change_state(draft(), State.OPEN)

    with pytest.raises(RefusedChangeError, match="scale"):
        update_study(study, version=study.version, changes={"scale": 7})
    changed = update_study(study, version=study.version, changes={"guidelines": "Be strict."})

    assert changed.guidelines == "Be strict."


def test_the_second_of_two_saves_is_told_instead_of_winning() -> None:
    study = draft()
    update_study(study, version=study.version, changes={"guidelines": "Theirs."})

    with pytest.raises(ChangedMeanwhileError) as refused:
        update_study(study, version=study.version, changes={"guidelines": "Mine."})

    assert refused.value.now.guidelines == "Theirs."
    assert Study.objects.get(pk=study.pk).guidelines == "Theirs."


def test_closed_is_for_good() -> None:
    study = change_state(change_state(draft(), State.OPEN), State.CLOSED)

    for state in State:
        with pytest.raises(RefusedChangeError):
            change_state(study, state)
    with pytest.raises(RefusedChangeError):
        update_study(study, version=study.version, changes={"name": "Other"})


def test_back_to_draft_only_while_nobody_has_judged(alice: User) -> None:
    study = make_study(annotators=[alice])
    make_batch(study, 2)
    claim_task(study, alice)

    study = change_state(study, State.DRAFT)
    assert not Task.objects.filter(state="claimed").exists()

    study = change_state(study, State.OPEN)
    judge_next(study, alice)
    with pytest.raises(RefusedChangeError, match="judged already"):
        change_state(study, State.DRAFT)


def test_raising_the_overlap_adds_slots_and_lowering_drops_no_finished_work(
    alice: User, bob: User
) -> None:
    study = make_study(overlap=2, annotators=[alice, bob])
    make_batch(study, 3)
    judge_next(study, alice)
    judge_next(study, bob)

    change_overlap(study, 3)
    assert Task.objects.filter(state__in=Task.LIVE).count() == 9

    change_overlap(study, 1)
    assert Task.objects.filter(state="judged").count() == 2
    assert Task.objects.filter(state="free").count() == 2


def test_taking_somebody_off_returns_what_they_hold_and_keeps_what_they_said(
    study: Study, alice: User
) -> None:
    judge_next(study, alice)
    claim_task(study, alice)

    unassign(study, alice)

    assert not Task.objects.filter(state="claimed").exists()
    assert Task.objects.filter(annotator=alice, state="judged").count() == 1
    assert not Assignment.objects.get(annotator=alice).is_active


FORM = {
    "name": "Autumn",
    "baseline_name": "old",
    "candidate_name": "new",
    "question": "Which?",
    "guidelines": "",
    "scale": "5",
    "comments": "optional",
    "overlap": "2",
    "lease_minutes": "30",
    "version": "1",
    "criteria-TOTAL_FORMS": "2",
    "criteria-INITIAL_FORMS": "0",
    "criteria-0-name": "Tone",
    "criteria-0-kind": "score",
    "criteria-0-required": "on",
    "criteria-1-name": "",
    "criteria-1-kind": "comparative",
}


def test_an_admin_makes_a_study_on_a_page(adam_client: Client) -> None:
    answer = adam_client.post("/studies/new", FORM)

    assert answer.status_code == 302
    study = Study.objects.get()
    assert (study.scale, study.overlap) == (5, 2)
    assert list(Criterion.objects.values_list("name", "kind")) == [("Tone", "score")]


def test_a_faulty_study_is_shown_again_with_its_fault(adam_client: Client) -> None:
    answer = adam_client.post("/studies/new", FORM | {"candidate_name": "old", "overlap": "0"})

    assert answer.status_code == 422
    assert "Name two systems" in answer.text
    assert 'value="Autumn"' in answer.text
    assert not Study.objects.exists()


def test_a_lost_update_shows_both_texts(adam_client: Client) -> None:
    study = draft(overlap=2)
    update_study(study, version=1, changes={"guidelines": "Theirs stands."})

    answer = adam_client.post(
        f"/studies/{study.slug}/rubric", FORM | {"guidelines": "Mine was later."}
    )

    assert answer.status_code == 409
    assert "Theirs stands." in answer.text
    assert "Mine was later." in answer.text
    assert Study.objects.get().guidelines == "Theirs stands."


def test_a_lead_reads_the_rubric_and_cannot_save_it(lena_client: Client) -> None:
    study = draft()

    assert lena_client.get(f"/studies/{study.slug}/rubric").status_code == 200
    assert lena_client.post(f"/studies/{study.slug}/rubric", FORM).status_code == 404
    assert lena_client.post(f"/studies/{study.slug}/state", {"state": "open"}).status_code == 404
    assert Study.objects.get().state == State.DRAFT


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": " "}, "Name: "),
        ({"name": "x" * 121}, "Name: .*120"),
        ({"name": "a\0b"}, "NUL"),
        ({"guidelines": "\udcff"}, "UTF-8"),
        ({"slug": "../x"}, "Slug: "),
        ({"slug": "x" * 81}, "Slug: .*80"),
        ({"baseline_name": ""}, "Baseline name: "),
        ({"candidate_name": " old "}, "same name"),
        ({"criteria": [CriterionDraft("x" * 61)]}, "Name: .*60"),
    ],
)
def test_a_malformed_study_is_refused_and_nothing_is_kept(
    fields: dict[str, object], words: str
) -> None:
    good = {"name": "B", "baseline_name": "old", "candidate_name": "new"}

    with pytest.raises(RefusedChangeError, match=words):
        create_study(**good | fields)  # type: ignore[arg-type]

    assert not Study.objects.exists()


def test_names_that_no_address_can_spell_get_addresses_of_their_own() -> None:
    slugs = [
        create_study(name, baseline_name="old", candidate_name="new").slug
        for name in ("日本語", "مرحبا", "שלום")
    ]

    assert slugs == ["study", "study-2", "study-3"]
