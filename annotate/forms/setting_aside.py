"""Not judging an item, or saying what is wrong with it."""

from django import forms

from annotate.models import Flag

SKIP_REASONS = [
    ("cannot_tell", "I cannot tell: I lack the knowledge"),
    ("broken", "The prompt is broken or cut off"),
    ("known", "I know this item from elsewhere"),
    ("other", "Something else"),
]


class SkipForm(forms.Form):
    reason = forms.ChoiceField(
        choices=SKIP_REASONS,
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose why you skip this item.",
            "invalid_choice": "Choose one of the reasons.",
        },
    )
    note = forms.CharField(required=False, max_length=500)


class FlagForm(forms.Form):
    """No box ticked takes the flags back."""

    flag = forms.MultipleChoiceField(
        choices=Flag.Kind.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
