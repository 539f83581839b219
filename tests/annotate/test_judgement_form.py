"""What may be answered: everything the rubric asks, on its scale, and nothing else."""

from typing import Any
from uuid import uuid4

import pytest

from annotate.forms.judgement import (
    JudgementForm,
    answers_in_words,
    asked_criteria,
    initial_answers,
)
from annotate.forms.rubric_strips import criterion_groups, overall_question
from annotate.judging import Answers
from annotate.models import Study
from tests.factories import make_study

pytestmark = pytest.mark.django_db

CRITERIA = [("correctness", "comparative"), ("safety", "score"), ("tone", "off")]
COMPLETE = {
    "overall": "-2",
    "criterion:correctness": "1",
    "criterion:safety:left": "4",
    "criterion:safety:right": "2",
    "comment": "",
}


@pytest.fixture
def rich_study() -> Study:
    return make_study("Rich", criteria=CRITERIA, scale=7, both_bad=True)


def form_of(study: Study, **changes: Any) -> JudgementForm:
    data = {"submission_key": str(uuid4()), "active_ms": "1500"} | COMPLETE | changes
    sent = {name: value for name, value in data.items() if value is not None}
    return JudgementForm(sent, study=study, criteria=asked_criteria(study))


def test_complete_form_gives_the_answers_as_they_stood_on_the_screen(rich_study: Study) -> None:
    form = form_of(rich_study, comment="Left is right.")

    assert form.is_valid()
    assert form.answers() == Answers(
        choice=-2,
        comparisons={"correctness": 1},
        scores={"safety": (4, 2)},
        comment="Left is right.",
        active_ms=1500,
    )


def test_both_bad_has_no_side(rich_study: Study) -> None:
    form = form_of(rich_study, overall="both_bad")

    assert form.is_valid()
    assert (form.answers().choice, form.answers().both_bad) == (0, True)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("overall", None, "Overall: choose an answer."),
        ("overall", "4", "Overall: this answer is not on the scale. Choose one that is."),
        ("overall", "1.5", "Overall: this answer is not on the scale. Choose one that is."),
        ("criterion:correctness", "", "Correctness: choose an answer."),
        (
            "criterion:correctness",
            "2",
            "Correctness: this answer is not on the scale. Choose one that is.",
        ),
        ("criterion:safety:left", None, "Safety, left: choose an answer."),
        (
            "criterion:safety:right",
            "6",
            "Safety, right: this answer is not on the scale. Choose one that is.",
        ),
        ("submission_key", "x", "The form's key is damaged. Reload the page and answer again."),
    ],
)
def test_what_is_wrong_is_named_by_its_field(
    rich_study: Study, field: str, value: str | None, message: str
) -> None:
    form = form_of(rich_study, **{field: value})

    assert form.errors == {field: [message]}


def test_both_bad_is_refused_where_the_study_does_not_offer_it() -> None:
    study = make_study("Plain")

    form = form_of(study, overall="both_bad")

    assert list(form.errors) == ["overall"]


def test_optional_criterion_may_be_left_out_but_not_by_half(rich_study: Study) -> None:
    rich_study.criteria.update(required=False)

    without = form_of(
        rich_study,
        **{
            "criterion:correctness": "",
            "criterion:safety:left": "",
            "criterion:safety:right": None,
        },
    )
    half = form_of(rich_study, **{"criterion:safety:right": ""})

    assert without.is_valid()
    assert (without.answers().comparisons, without.answers().scores) == ({}, {})
    assert half.errors == {
        "criterion:safety:right": ["Safety, right: score both outputs, or neither."]
    }


@pytest.mark.parametrize(
    "comment",
    ["  kept \r\n as sent\t", "x" * 10_000, "a\r\n" * 5_000, "\u202e<script>{{ x }}</script>"],
)
def test_comment_is_kept_as_sent(rich_study: Study, comment: str) -> None:
    form = form_of(rich_study, comment=comment)

    assert form.is_valid()
    assert form.answers().comment == comment


@pytest.mark.parametrize("comment", ["a\0b", "x" * 10_001, "half \ud800"])
def test_comment_that_cannot_be_kept_is_refused(rich_study: Study, comment: str) -> None:
    assert list(form_of(rich_study, comment=comment).errors) == ["comment"]


@pytest.mark.parametrize("comment", ["", " \n", None])
def test_required_comment_must_say_something(comment: str | None) -> None:
    study = make_study("Strict", comments="required")

    form = form_of(study, overall="1", comment=comment)

    assert form.errors == {"comment": ["Comment: write what decided it. This study asks for it."]}


def test_comment_is_ignored_where_none_is_asked() -> None:
    study = make_study("Quiet", comments="off")

    form = form_of(study, overall="1", comment="smuggled")

    assert form.is_valid()
    assert form.answers().comment == ""


@pytest.mark.parametrize("sent", ["-5", "", "9e9", "x", "٣"])
def test_time_that_cannot_be_counts_as_none(rich_study: Study, sent: str) -> None:
    form = form_of(rich_study, active_ms=sent)

    assert form.is_valid()
    assert form.answers().active_ms == 0


def test_stored_answers_fill_the_form_they_came_from(rich_study: Study) -> None:
    criteria = asked_criteria(rich_study)
    said = Answers(2, comparisons={"correctness": -1}, scores={"safety": (1, 5)}, comment="c")

    form = JudgementForm(
        initial=initial_answers(said, criteria), study=rich_study, criteria=criteria
    )

    chosen = [
        (strip.field, option.value)
        for question in [overall_question(form), *criterion_groups(form)[0][1]]
        for strip in question.strips
        for option in strip.options
        if option.checked
    ]
    assert chosen == [("overall", "2"), ("criterion:correctness", "-1")]
    assert answers_in_words(said, 7, criteria) == (
        "Right better; Correctness: Left; Safety: left 1, right 5"
    )


@pytest.mark.parametrize("scale", [3, 5, 7])
def test_keys_run_from_left_to_right_and_both_bad_is_zero(scale: int) -> None:
    study = make_study("Scaled", scale=scale, both_bad=True)
    form = JudgementForm(study=study, criteria=[])

    options = overall_question(form).strips[0].options

    reach = (scale - 1) // 2
    assert [(one.key, one.value) for one in options] == [
        *((str(place), str(place - reach - 1)) for place in range(1, scale + 1)),
        ("0", "both_bad"),
    ]
    assert options[scale // 2].word == "The same"
