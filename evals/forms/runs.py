"""What an admin chooses before a run is started."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from django import forms
from django.db.models import Exists, OuterRef

from annotate.models import Study
from evals import stand_in
from evals.models import Endpoint, Run, Suite

if TYPE_CHECKING:
    SuiteChoiceField = forms.ModelChoiceField[Suite]
else:
    SuiteChoiceField = forms.ModelChoiceField


class SuiteField(SuiteChoiceField):
    def label_from_instance(self, obj: Suite) -> str:
        cases = "1 case" if obj.case_count == 1 else f"{obj.case_count:,} cases"
        return f"{obj.title}, v{obj.version} ({cases})"


class RunForm(forms.Form):
    """A suite, an endpoint for one system or for both, and limits. `key` makes it happen once."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    suite = SuiteField(Suite.objects.none(), label="Suite", empty_label="Choose a suite")
    baseline = forms.ModelChoiceField(
        Endpoint.objects.none(), required=False, empty_label="Not asked"
    )
    candidate = forms.ModelChoiceField(
        Endpoint.objects.none(), required=False, empty_label="Not asked"
    )
    call_limit = forms.IntegerField(
        label="Calls at most",
        required=False,
        min_value=1,
        max_value=100_000_000,
        help_text="Of each run, with all its tries. The run stops there.",
    )
    cost_limit = forms.DecimalField(
        label="Cost at most",
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
        help_text="Of each run, in the currency of the prices. No call leaves that might break it.",
    )

    def __init__(self, study: Study, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, initial=usual_choices(study) | {"key": uuid4()})
        self.fields["suite"].queryset = newest_suites()  # type: ignore[attr-defined]
        for system, name in (
            ("baseline", study.baseline_name),
            ("candidate", study.candidate_name),
        ):
            field = self.fields[system]
            field.label = f"{system.capitalize()}: {name}"
            field.queryset = usable_endpoints()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if not self.errors and not self.endpoints(found):
            self.add_error("candidate", "Choose an endpoint for one of the systems, or for both.")
        return found

    @staticmethod
    def endpoints(found: Mapping[str, Any]) -> dict[str, Endpoint]:
        return {name: found[name] for name in ("baseline", "candidate") if found.get(name)}


class ResumeForm(forms.Form):
    """Limits of what a run has spent and will spend; both may be left open."""

    call_limit = forms.IntegerField(
        label="Calls at most, in all", required=False, min_value=1, max_value=100_000_000
    )
    cost_limit = forms.DecimalField(
        label="Cost at most, in all",
        required=False,
        min_value=0,
        max_digits=12,
        decimal_places=4,
    )

    def __init__(self, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data, auto_id="id_resume_%s")


def newest_suites() -> Any:
    """The last version of each suite that people know; none that was derived for a judge."""
    later = Suite.objects.filter(name=OuterRef("name"), version__gt=OuterRef("version"))
    newest = Suite.objects.filter(~Exists(later)).exclude(format=Suite.DERIVED)
    return newest.order_by("title", "name")


def usable_endpoints() -> Any:
    """Endpoints that can answer for a system."""
    judge = Endpoint.objects.filter(kind=Endpoint.Kind.STAND_IN, model=stand_in.JUDGE)
    usable = Endpoint.objects.filter(archived_at=None).exclude(pk__in=judge.values("pk"))
    return usable.order_by("name")


def usual_choices(study: Study) -> dict[str, Any]:
    """What was chosen for the last runs of a study."""
    asked = Run.objects.filter(study=study, source=Run.Source.CALLS)
    last = asked.exclude(system=Run.System.JUDGE).order_by("-number").first()
    if last is None:
        return {}
    pair = Run.objects.filter(pair=last.pair).values_list("system", "endpoint")
    newest = Suite.objects.filter(name=last.suite.name).order_by("-version").first()
    return {"suite": newest and newest.pk, **dict(pair)}
