"""What an admin chooses before a model judges the answers of two runs."""

from typing import Any

from django import forms

from evals import stand_in
from evals.metrics.judge import DEFAULT_CRITERIA, MAX_CRITERIA_CHARS
from evals.models import Endpoint


class JudgeForm(forms.Form):
    endpoint = forms.ModelChoiceField(
        Endpoint.objects.none(), label="Judge", empty_label="Choose an endpoint"
    )
    criteria = forms.CharField(
        label="What counts",
        initial=DEFAULT_CRITERIA,
        max_length=MAX_CRITERIA_CHARS,
        widget=forms.Textarea({"rows": 2}),
        help_text="It is told this, and compares by it.",
    )
    call_limit = forms.IntegerField(
        label="Calls at most", required=False, min_value=1, max_value=100_000_000
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="id_judge_%s")
        self.fields["endpoint"].queryset = judge_endpoints()  # type: ignore[attr-defined]


def judge_endpoints() -> Any:
    """Endpoints that can compare answers; of the stand-ins only the one that judges."""
    judges = Endpoint.objects.filter(archived_at=None)
    no_judge = judges.filter(kind=Endpoint.Kind.STAND_IN).exclude(model=stand_in.JUDGE)
    return judges.exclude(pk__in=no_judge.values("pk")).order_by("name")
