"""The questions of a rubric as the page draws them: strips of choices, each with its key."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from annotate.forms.judgement import (
    BOTH_BAD,
    OVERALL,
    SIDES,
    JudgementForm,
    comparison_field,
    overall_choices,
    score_field,
)
from annotate.models import Criterion

ENDS = {"1": "poor", "5": "excellent"}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    key: str
    word: str
    checked: bool
    apart: bool = False


@dataclass(frozen=True, slots=True)
class Strip:
    """One row of radios: the digits choose in one strip at a time."""

    field: str
    label: str
    options: list[Option]
    error: str


@dataclass(frozen=True, slots=True)
class Question:
    """One strip, or for scores one strip for each side."""

    id: str
    name: str
    hint: str
    strips: list[Strip]
    shape: str
    required: bool
    both: bool

    @property
    def errors(self) -> list[str]:
        return [strip.error for strip in self.strips if strip.error]


def overall_question(form: JudgementForm) -> Question:
    choices = overall_choices(form.study)
    keys = {BOTH_BAD: "0"}
    options = [
        Option(value, keys.get(value, str(number)), word, False, value == BOTH_BAD)
        for number, (value, word) in enumerate(choices, start=1)
    ]
    strip = _strip(form, OVERALL, "Overall", options)
    shape = "" if form.study.scale == 3 else "seven"
    return Question("q-overall", "Overall", form.study.question, [strip], shape, True, False)


def criterion_groups(form: JudgementForm) -> list[tuple[bool, list[Question]]]:
    """The criteria in their order, neighbours of one kind together: (are scores, questions)."""
    questions = [_criterion_question(form, criterion) for criterion in form.criteria]
    return [(both, list(found)) for both, found in groupby(questions, lambda one: one.both)]


def _criterion_question(form: JudgementForm, criterion: Criterion) -> Question:
    both = criterion.kind == Criterion.Kind.SCORE
    return Question(
        id=f"q-{criterion.key}",
        name=criterion.name,
        hint=criterion.description,
        strips=list(_criterion_strips(form, criterion, both)),
        shape="",
        required=criterion.required,
        both=both,
    )


def _criterion_strips(form: JudgementForm, criterion: Criterion, both: bool) -> Iterator[Strip]:
    none = [] if criterion.required else [Option("", "0", "No answer", False)]
    if not both:
        options = [Option("-1", "1", "Left", False), Option("0", "2", "Same", False)]
        options += [Option("1", "3", "Right", False), *none]
        yield _strip(form, comparison_field(criterion), criterion.name, options)
        return
    scores = [Option(key, key, ENDS.get(key, ""), False) for key in "12345"]
    for side in SIDES:
        label = f"{criterion.name}, {side}"
        yield _strip(form, score_field(criterion, side), label, [*scores, *none])


def first_error(form: JudgementForm, field: str) -> str:
    found = form.errors.get(field) if form.is_bound else None
    return str(found[0]) if found else ""


def _strip(form: JudgementForm, field: str, label: str, options: list[Option]) -> Strip:
    # An answer of "" is one only where it was sent: nothing is chosen to begin with.
    absent = None if not form.is_bound or field not in form.data else ""
    value = form[field].value()
    chosen = absent if value in (None, "") else value
    marked = [
        Option(one.value, one.key, one.word, one.value == chosen, one.apart) for one in options
    ]
    return Strip(field, label, marked, first_error(form, field))
