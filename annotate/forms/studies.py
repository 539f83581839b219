"""Forms of studies: what may be written, and what is fixed in which state."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django import forms

from annotate.models import Criterion, Study, User
from annotate.repeating import EARLIEST
from annotate.steering import CHANGEABLE, DEFAULT_CRITERIA, CriterionDraft

if TYPE_CHECKING:
    StudyModelForm = forms.ModelForm[Study]
else:
    StudyModelForm = forms.ModelForm


REPEATS = (
    f"0 for none, 0.1 for one item in ten, 0.5 at most. Each annotator meets them a second time "
    f"with the sides exchanged, {EARLIEST} or more other tasks later, and is not told; items "
    "judged near the end find no such place. Tells how consistent everybody is and who sticks to "
    "a side. Counts nowhere else. A change holds for what is judged from then on."
)


class StudyForm(StudyModelForm):
    """The study itself; fields that its state fixes are shown and cannot be changed."""

    version = forms.IntegerField(widget=forms.HiddenInput, initial=1)

    class Meta:
        model = Study
        fields = (
            "name",
            "baseline_name",
            "candidate_name",
            "question",
            "guidelines",
            "scale",
            "both_bad",
            "comments",
            "overlap",
            "repeat_share",
            "lease_minutes",
        )
        labels = {
            "baseline_name": "Baseline: the system in use",
            "candidate_name": "Candidate: the system that wants to replace it",
            "question": "Question to the annotators",
            "scale": "Preference scale",
            "both_bad": "Offer “Both bad” beside the scale",
            "overlap": "Judgements per item",
            "repeat_share": "Share of items asked again",
            "lease_minutes": "Minutes until an open task goes back to the others",
        }
        help_texts = {
            "name": "What annotators see. Name no system here.",
            "guidelines": "Markdown: headings, lists, bold, code. Annotators open it with one key.",
            "repeat_share": REPEATS,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["version"].initial = self.instance.version
        self.fields["repeat_share"].required = False
        for name in set(self.fields) - {"version"} - CHANGEABLE[self.instance.state]:
            self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("repeat_share", 0) is None:
            cleaned["repeat_share"] = Decimal(0)
        if cleaned.get("baseline_name") == cleaned.get("candidate_name"):
            self.add_error("candidate_name", "The same name as the baseline. Name two systems.")
        return cleaned

    @property
    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.Meta.fields}


class CriterionForm(forms.Form):
    name = forms.CharField(max_length=60, required=False)
    description = forms.CharField(max_length=300, required=False)
    kind = forms.ChoiceField(choices=Criterion.Kind.choices)
    required = forms.BooleanField(required=False)


CriteriaFormSet = forms.formset_factory(CriterionForm, extra=2, max_num=12, validate_max=True)


def criteria_formset(data: Any = None, study: Study | None = None) -> Any:
    """The rubric as rows: those that are, and two empty ones."""
    rows = (
        [
            {
                "name": criterion.name,
                "description": criterion.description,
                "kind": criterion.kind,
                "required": criterion.required,
            }
            for criterion in study.criteria.all()
        ]
        if study is not None
        else [
            {
                "name": draft.name,
                "description": draft.description,
                "kind": draft.kind,
                "required": draft.required,
            }
            for draft in DEFAULT_CRITERIA
        ]
    )
    return CriteriaFormSet(data, initial=rows, prefix="criteria")


def criteria_drafts(formset: Any) -> list[CriterionDraft]:
    """The rows that have a name."""
    return [
        CriterionDraft(
            name=row["name"],
            kind=row["kind"],
            required=row["required"],
            description=row["description"],
        )
        for row in formset.cleaned_data
        if row.get("name")
    ]


class AssignForm(forms.Form):
    annotator = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("name", "email"),
        label="Person",
        empty_label="Choose somebody",
    )
    cap = forms.IntegerField(
        min_value=1, required=False, label="At most", help_text="Items; empty for no limit."
    )
