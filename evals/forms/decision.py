"""What a lead writes: the policy and the decision."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from django import forms
from django.utils.timezone import localdate

from evals.deciding import CONFIDENCES, PolicyInForce, Waiver
from evals.gate import TARGET, Gate, Unit
from evals.models import Decision, Policy

# How a threshold is written: times 100 for shares and points, and losses without their sign.
LIMITS = {"share": (0.0, 100.0), "points": (0.0, 100.0), "ratio": (0.0, 1000.0)}
UNITS = {"share": "%", "points": "points", "ratio": "×"}
# Where an improvement may be asked for in points or relative to the baseline.
TARGET_UNITS = (("points", "points"), ("relative", "% of the baseline’s"))
TARGET_UNIT = f"{TARGET}-unit"


@dataclass(frozen=True, slots=True)
class GateFields:
    """The fields of one gate, to be drawn in one row."""

    gate: Gate
    words: str
    unit: str
    threshold: forms.BoundField
    required: forms.BoundField
    units: forms.BoundField | None = None


class PolicyForm(forms.Form):
    """The thresholds of all gates, as people write them: 60 for 60 %, 5 for 5 points."""

    confidence = forms.TypedChoiceField(
        choices=[(str(level), f"{100 * level:g}\u202f%") for level in CONFIDENCES],
        coerce=float,
        label="Confidence of all intervals",
    )
    counts_imported = forms.BooleanField(
        label="Count judgements made elsewhere",
        help_text="For human preference, beside those judged blind here. They may not be blind.",
        required=False,
    )
    ties = forms.ChoiceField(
        choices=Policy.Ties.choices,
        label="Ties in human preference",
        help_text="Counted like this in the gate and in the win rate of every page; the other "
        "way of counting stands beside it.",
        required=False,
    )
    two_signatures = forms.BooleanField(
        label="A decision needs two signatures",
        help_text="The second is another person’s, under the same evidence.",
        required=False,
    )
    reason = forms.CharField(
        label="Why it changes",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, policy: PolicyInForce, *args: Any, frozen: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.policy = policy
        self.fields["confidence"].initial = str(policy.confidence)
        self.fields["counts_imported"].initial = policy.counts_imported
        self.fields["ties"].initial = policy.ties
        self.fields["two_signatures"].initial = policy.two_signatures
        if frozen:
            self.fields["reason"].required = True
        else:
            del self.fields["reason"]
        for gate in policy.gates:
            low, high = LIMITS["points" if gate.may_be_relative else gate.unit]
            self.fields[f"{gate.key}-threshold"] = forms.FloatField(
                min_value=low,
                max_value=high,
                initial=_written(gate),
                label=f"{gate.title}, limit",
                # Headed by its column, not by a label of its own.
                widget=forms.NumberInput(attrs={"aria-label": f"{gate.title}, limit"}),
            )
            self.fields[f"{gate.key}-required"] = forms.BooleanField(
                required=False,
                initial=gate.required,
                label=f"{gate.title}, required for GO",
                widget=forms.CheckboxInput(attrs={"aria-label": f"{gate.title}, required for GO"}),
            )

        self.fields[TARGET_UNIT] = forms.ChoiceField(
            choices=TARGET_UNITS,
            initial=policy.gate(TARGET).unit,
            required=False,
            label="Unit of the improvement",
            widget=forms.Select(attrs={"aria-label": "Unit of the improvement"}),
        )

    def rows(self) -> Iterator[GateFields]:
        for gate in self.policy.gates:
            yield GateFields(
                gate,
                gate.asks,
                UNITS.get(gate.unit, ""),
                self[f"{gate.key}-threshold"],
                self[f"{gate.key}-required"],
                self[TARGET_UNIT] if gate.may_be_relative else None,
            )

    def clean_ties(self) -> str:
        """As it is in force, where a script does not say."""
        return self.cleaned_data["ties"] or self.policy.ties

    def _unit(self, gate: Gate) -> Unit:
        chosen = self.cleaned_data[TARGET_UNIT] if gate.may_be_relative else ""
        return cast(Unit, chosen or gate.unit)

    @property
    def gates(self) -> list[Gate]:
        """The gates as they were written."""
        return [
            replace(
                gate,
                unit=self._unit(gate),
                threshold=_read(gate, self.cleaned_data[f"{gate.key}-threshold"]),
                required=self.cleaned_data[f"{gate.key}-required"],
            )
            for gate in self.policy.gates
        ]


def _is_loss(gate: Gate) -> bool:
    return "{loss}" in gate.rule


def _written(gate: Gate) -> float:
    number = gate.threshold if gate.unit == "ratio" else round(100 * gate.threshold, 6)
    # A loss is written without its sign, and a whole number without a decimal.
    number = abs(number) if _is_loss(gate) else number
    return int(number) if number.is_integer() else number


def _read(gate: Gate, written: float) -> float:
    if gate.unit == "ratio":
        return written
    share = round(written / 100, 8)
    return (-share if share else 0.0) if _is_loss(gate) else share


@dataclass(frozen=True, slots=True)
class WaiverFields:
    gate: str
    title: str
    reason: forms.BoundField
    until: forms.BoundField


class DecisionForm(forms.Form):
    """A decision with its rationale; to ship past gates that are not met, their waivers."""

    choice = forms.ChoiceField(
        choices=Decision.Choice.choices, initial=Decision.Choice.HOLD, widget=forms.RadioSelect
    )
    rationale = forms.CharField(max_length=10_000, widget=forms.Textarea(attrs={"rows": 4}))
    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def __init__(self, unmet: Sequence[tuple[str, str]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.unmet = unmet
        for key, title in unmet:
            self.fields[f"{key}-reason"] = forms.CharField(
                required=False, max_length=2000, label=f"{title}: why it may wait"
            )
            self.fields[f"{key}-until"] = forms.DateField(
                required=False,
                label=f"{title}: until",
                widget=forms.DateInput(attrs={"type": "date"}),
            )

    def waiver_rows(self) -> Iterator[WaiverFields]:
        for key, title in self.unmet:
            yield WaiverFields(key, title, self[f"{key}-reason"], self[f"{key}-until"])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("choice") == Decision.Choice.SHIP:
            for key, title in self.unmet:
                if not (cleaned.get(f"{key}-reason") and cleaned.get(f"{key}-until")):
                    self.add_error(
                        f"{key}-reason",
                        f"{title} is open or not met: to ship, write a reason and a date.",
                    )
                elif cleaned[f"{key}-until"] < localdate():
                    self.add_error(
                        f"{key}-until", "This day has passed: a waiver lasts until a day to come."
                    )
        return cleaned

    @property
    def waivers(self) -> list[Waiver]:
        if self.cleaned_data["choice"] != Decision.Choice.SHIP:
            return []
        return [
            Waiver(
                key,
                self.cleaned_data[f"{key}-reason"],
                self.cleaned_data[f"{key}-until"].isoformat(),
            )
            for key, _ in self.unmet
        ]


class SecondForm(forms.Form):
    """Another person's signature under what was signed."""

    seen = forms.CharField(max_length=64, widget=forms.HiddenInput)
    comment = forms.CharField(
        label="Comment", required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2})
    )
