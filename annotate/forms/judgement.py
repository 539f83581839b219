"""The form of a judgement: what a study asks, what may be answered, and what was."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django import forms

from annotate.blinding import scale_words
from annotate.judging import Answers
from annotate.models import Comments, Criterion, Study

OVERALL = "overall"
BOTH_BAD = "both_bad"
SIDES = ("left", "right")
COMPARISON = [("-1", "Left"), ("0", "Same"), ("1", "Right")]
SCORES = [(str(score), str(score)) for score in range(1, 6)]
LONGEST_COMMENT = 10_000
LONGEST_TIME = 2**31 - 1
SURROGATE = re.compile("[\ud800-\udfff]")


def comparison_field(criterion: Criterion) -> str:
    # A colon never stands in a criterion's key: no two fields share a name.
    return f"criterion:{criterion.key}"


def score_field(criterion: Criterion, side: str) -> str:
    return f"criterion:{criterion.key}:{side}"


def overall_choices(study: Study) -> list[tuple[str, str]]:
    choices = [(str(choice), words) for choice, words in scale_words(study.scale)]
    return [*choices, (BOTH_BAD, "Both bad")] if study.both_bad else choices


def asked_criteria(study: Study) -> list[Criterion]:
    return list(study.criteria.exclude(kind=Criterion.Kind.OFF).order_by("position", "pk"))


class CommentField(forms.CharField):
    """Text kept as sent; its length is counted as the browser counts it."""

    widget = forms.Textarea

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        length = len(text.replace("\r\n", "\n"))
        if length > LONGEST_COMMENT:
            raise forms.ValidationError(
                f"Comment: {length:,} characters. Shorten it to {LONGEST_COMMENT:,}."
            )
        if SURROGATE.search(text):
            raise forms.ValidationError(
                "Comment: it holds half of a character, which cannot be kept. Type it again."
            )
        if self.required and not text.strip():
            raise forms.ValidationError(self.error_messages["required"])
        return text


class JudgementForm(forms.Form):
    """Built from the rubric of a study: unknown choices and missing answers name their field."""

    submission_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": "The form came without its key. Reload the page and answer again.",
            "invalid": "The form's key is damaged. Reload the page and answer again.",
        },
    )
    active_ms = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *args: Any, study: Study, criteria: Sequence[Criterion], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.study = study
        self.criteria = criteria
        self.fields[OVERALL] = _choice("Overall", overall_choices(study))
        for criterion in criteria:
            self._add(criterion)
        if study.comments != Comments.OFF:
            self.fields["comment"] = _comment(required=study.comments == Comments.REQUIRED)

    def _add(self, criterion: Criterion) -> None:
        name, required = criterion.name, criterion.required
        if criterion.kind == Criterion.Kind.COMPARATIVE:
            self.fields[comparison_field(criterion)] = _choice(name, COMPARISON, required=required)
            return
        for side in SIDES:
            self.fields[score_field(criterion, side)] = _choice(
                f"{name}, {side}", SCORES, required=required
            )

    def clean_active_ms(self) -> int:
        """A time that cannot be is no reason to refuse an answer: it counts as none."""
        sent = str(self.cleaned_data["active_ms"])
        return min(int(sent), LONGEST_TIME) if re.fullmatch(r"[0-9]{1,12}", sent) else 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for criterion in self._scored():
            given = [cleaned.get(score_field(criterion, side), "") for side in SIDES]
            if any(given) and not all(given):
                missing = SIDES[given.index("")]
                if score_field(criterion, missing) not in self.errors:
                    self.add_error(
                        score_field(criterion, missing),
                        f"{criterion.name}, {missing}: score both outputs, or neither.",
                    )
        return cleaned

    def _scored(self) -> list[Criterion]:
        return [found for found in self.criteria if found.kind == Criterion.Kind.SCORE]

    def answers(self) -> Answers:
        said = self.cleaned_data
        both_bad = said[OVERALL] == BOTH_BAD
        return Answers(
            choice=0 if both_bad else int(said[OVERALL]),
            both_bad=both_bad,
            comparisons=self._comparisons(),
            scores=self._scores(),
            comment=said.get("comment", ""),
            active_ms=said["active_ms"],
        )

    def _comparisons(self) -> dict[str, int]:
        asked = (found for found in self.criteria if found.kind == Criterion.Kind.COMPARATIVE)
        given = {found.key: self.cleaned_data[comparison_field(found)] for found in asked}
        return {key: int(value) for key, value in given.items() if value}

    def _scores(self) -> dict[str, tuple[int, int]]:
        scores = {}
        for criterion in self._scored():
            left, right = (self.cleaned_data[score_field(criterion, side)] for side in SIDES)
            if left and right:
                scores[criterion.key] = (int(left), int(right))
        return scores


def _choice(
    label: str, choices: list[tuple[str, str]], *, required: bool = True
) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        required=required,
        widget=forms.RadioSelect,
        error_messages={
            "required": f"{label}: choose an answer.",
            "invalid_choice": f"{label}: this answer is not on the scale. Choose one that is.",
        },
    )


def _comment(*, required: bool) -> CommentField:
    return CommentField(
        label="Comment",
        required=required,
        strip=False,
        error_messages={"required": "Comment: write what decided it. This study asks for it."},
    )


def initial_answers(answers: Answers, criteria: Iterable[Criterion]) -> dict[str, str]:
    """A stored answer as the values of the form's fields."""
    values = {
        OVERALL: BOTH_BAD if answers.both_bad else str(answers.choice),
        "comment": answers.comment,
    }
    for criterion in criteria:
        if criterion.key in answers.comparisons:
            values[comparison_field(criterion)] = str(answers.comparisons[criterion.key])
        if criterion.key in answers.scores:
            for side, score in zip(SIDES, answers.scores[criterion.key], strict=True):
                values[score_field(criterion, side)] = str(score)
    return values


def choice_in_words(scale: int, choice: int, both_bad: bool) -> str:
    return "Both bad" if both_bad else dict(scale_words(scale))[choice]


def answers_in_words(answers: Answers, scale: int, criteria: Iterable[Criterion]) -> str:
    """What was answered, as one line to read."""
    said = [choice_in_words(scale, answers.choice, answers.both_bad)]
    words = dict(COMPARISON)
    for criterion in criteria:
        if criterion.key in answers.comparisons:
            said.append(f"{criterion.name}: {words[str(answers.comparisons[criterion.key])]}")
        if criterion.key in answers.scores:
            left, right = answers.scores[criterion.key]
            said.append(f"{criterion.name}: left {left}, right {right}")
    return "; ".join(said)
