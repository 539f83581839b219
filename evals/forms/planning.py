"""What a lead plays with when planning a study."""

from typing import Any

from django import forms

GOALS = [
    ("threshold", "Show that the candidate is preferred by more than a share"),
    ("width", "Know the win rate to within so many points"),
]


def _percent(label: str, low: float, high: float, help_text: str = "") -> forms.FloatField:
    box = forms.NumberInput(attrs={"step": "any", "inputmode": "decimal"})
    return forms.FloatField(
        label=label, min_value=low, max_value=high, help_text=help_text, widget=box
    )


class PlanningForm(forms.Form):
    """Percent where people say percent."""

    goal = forms.ChoiceField(label="What it is for", choices=GOALS, widget=forms.RadioSelect)
    expected = _percent("Win rate that you expect, in %", 1, 99)
    threshold = _percent("Share to be exceeded, in %", 1, 99, "Of the gate, unless you try another")
    width = _percent("Plus or minus, in points", 0.5, 40)
    power = _percent("Chance of success wanted, in %", 50, 99)
    overlap = forms.IntegerField(label="Judgements an item", min_value=1, max_value=20)
    correlation = forms.FloatField(
        label="How alike judgements of one item are",
        min_value=0,
        max_value=1,
        help_text="0: as if of different items; 1: all say the same",
        widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"}),
    )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        expected, threshold = found.get("expected"), found.get("threshold")
        if found.get("goal") == "threshold" and expected and threshold and expected <= threshold:
            self.add_error(
                "expected",
                "This has to lie above the share to be exceeded: what is not so cannot be shown.",
            )
        return found
