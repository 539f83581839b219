"""The verdict, the policy behind it, and what was signed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import results_page, signed_in
from annotate.models import Study
from config.http import not_found_unless
from evals import queries
from evals.deciding import (
    Freeze,
    RefusedDecisionError,
    Weighing,
    change_policy,
    digest_of,
    evidence_of,
    freeze_of,
    needs_two,
    policy_in_force,
    policy_versions,
    record_of,
    second_signature,
    sign_decision,
    sign_second,
    to_waive,
    waivers_of,
    weigh,
)
from evals.forms import DecisionForm, PolicyForm, SecondForm
from evals.models import Decision, Suite
from evals.reporting import VERDICT_LOOKS, from_json, gate_rows, headline, level, shown, tally
from evals.reporting.decided import judged_words
from evals.reporting.gates import difference, expired_waivers
from evals.views.counting import in_time


@require_safe
@results_page
@in_time("decision")
def decision(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        weighing = weigh(study)
        freeze = freeze_of(study)
    return _decision_page(request, weighing, freeze)


def _decision_page(
    request: HttpRequest,
    weighing: Weighing,
    freeze: Freeze | None,
    form: DecisionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    study, evidence = weighing.study, evidence_of(weighing)
    unmet = _unmet(weighing)
    signed = Decision.objects.filter(study=study).select_related("second_signature")
    context = {
        "study": study,
        "page": "decision",
        "evidence": evidence,
        "form": form or DecisionForm(unmet, initial={"seen": digest_of(evidence)}),
        "freeze": freeze,
        "versions": policy_versions(study),
        "required": sum(gate["required"] for gate in evidence["gates"]),
        "signed": [_signed_row(one) for one in signed.order_by("-created_at")],
        "as_of": timezone.now(),
        **verdict_context(study, evidence),
    }
    return render(request, "evals/decision.html", context, status=status)


def verdict_context(study: Study, evidence: dict[str, Any]) -> dict[str, Any]:
    """What a page of a verdict shows, now or as it was signed."""
    gates = gate_rows(evidence, _comparisons(study, evidence))
    return {
        "headline": headline(evidence),
        "look": VERDICT_LOOKS[evidence["verdict"]],
        "gates": gates,
        "groups": [
            (title, [gate for gate in gates if gate.look in looks])
            for title, looks in (
                ("Not met", ("unmet",)),
                ("Still open", ("open", "none")),
                ("Met", ("met",)),
            )
        ],
        "tally": tally(evidence),
        "level": level(evidence["policy"]["confidence"]),
        "runs_link": reverse("runs", args=[study.slug]),
    }


def _comparisons(study: Study, evidence: dict[str, Any]) -> dict[str, str]:
    """Where the runs behind a verdict are compared case by case, suite by suite."""
    used = evidence.get("inputs", {}).get("runs", ())
    names = [run["suite"].rpartition("@")[::2] for run in used]
    suites = Suite.objects.filter(name__in=[name for name, _ in names])
    return {
        f"{suite.name}@{suite.version}": reverse("comparison", args=[study.slug, suite.pk])
        for suite in suites
    }


def _signed_row(decision: Decision) -> dict[str, Any]:
    second = getattr(decision, "second_signature", None)
    return {
        "decision": decision,
        "then": tally(decision.evidence),
        "second": second,
        "waits": needs_two(decision) and second is None,
        "expired": [waiver for waiver in waivers_of(decision) if waiver["expired"]],
    }


def _unmet(weighing: Weighing) -> list[tuple[str, str]]:
    return [(result.gate.key, result.gate.title) for result in to_waive(weighing)]


@require_http_methods(["GET", "HEAD", "POST"])
@results_page
def policy(request: HttpRequest, study: Study) -> HttpResponse:
    may_change = signed_in(request).is_admin
    not_found_unless(may_change or request.method != "POST")
    freeze = freeze_of(study)
    in_force = policy_in_force(study)
    form = PolicyForm(in_force, request.POST or None, frozen=freeze is not None)
    status = 200
    if request.method == "POST":
        if form.is_valid() and _changed(request, study, form):
            return redirect("policy", study.slug)
        status = 422
    context = {
        "study": study,
        "page": "decision",
        "crumb": "Policy",
        "form": form,
        "may_change": may_change,
        "policy": in_force,
        "freeze": freeze,
        "versions": policy_versions(study),
    }
    return render(request, "evals/policy.html", context, status=status)


def _changed(request: HttpRequest, study: Study, form: PolicyForm) -> bool:
    try:
        change_policy(
            study,
            form.gates,
            confidence=form.cleaned_data["confidence"],
            counts_imported=form.cleaned_data["counts_imported"],
            ties=form.cleaned_data["ties"],
            two_signatures=form.cleaned_data["two_signatures"],
            made_by=signed_in(request),
            reason=form.cleaned_data.get("reason", ""),
        )
    except RefusedDecisionError as error:
        form.add_error(None, str(error))
        return False
    messages.success(request, "The policy was changed; the version before is kept.")
    return True


@require_POST
@results_page
def sign(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        weighing = weigh(study)
        freeze = freeze_of(study)
    form = DecisionForm(_unmet(weighing), request.POST)
    if not form.is_valid():
        return _decision_page(request, weighing, freeze, form, status=422)
    try:
        signed = sign_decision(
            study,
            signed_in(request),
            choice=form.cleaned_data["choice"],
            rationale=form.cleaned_data["rationale"],
            seen=form.cleaned_data["seen"],
            waivers=form.waivers,
        )
    except RefusedDecisionError as error:
        # What is signed next is what the page shows now.
        data = request.POST.copy()
        data["seen"] = digest_of(evidence_of(weighing))
        form = DecisionForm(_unmet(weighing), data)
        form.add_error(None, str(error))
        return _decision_page(request, weighing, freeze, form, status=409)
    return redirect("signed", study.slug, signed.pk)


@require_safe
@results_page
@in_time("decision")
def signed(request: HttpRequest, study: Study, decision_id: UUID) -> HttpResponse:
    return _signed_page(request, _decision(study, decision_id))


@require_POST
@results_page
def second(request: HttpRequest, study: Study, decision_id: UUID) -> HttpResponse:
    """A second person signs what the first one signed."""
    decision = _decision(study, decision_id)
    form = SecondForm(request.POST)
    if not form.is_valid():
        return _signed_page(request, decision, form, status=422)
    try:
        sign_second(
            decision,
            signed_in(request),
            seen=form.cleaned_data["seen"],
            comment=form.cleaned_data["comment"],
        )
    except RefusedDecisionError as error:
        form.add_error(None, str(error))
        return _signed_page(request, decision, form, status=409)
    return redirect("signed", study.slug, decision.pk)


def _decision(study: Study, decision_id: UUID) -> Decision:
    decisions = Decision.objects.select_related("study", "policy")
    return get_object_or_404(decisions, study=study, pk=decision_id)


def _signed_page(
    request: HttpRequest, decision: Decision, form: SecondForm | None = None, status: int = 200
) -> HttpResponse:
    study, evidence = decision.study, decision.evidence
    with queries.snapshot():
        now = evidence_of(weigh(study))
        record = record_of(decision, now)
        versions = policy_versions(study)
    change = record["changed"]
    context = {
        "study": study,
        "page": "decision",
        "crumb": "Signed decision",
        "decision": decision,
        "record": record,
        "second": second_signature(decision),
        "may_sign": _may_sign(request, decision, record),
        "form": form or SecondForm(initial={"seen": decision.digest}),
        "expired": expired_waivers(record),
        "evidence": evidence,
        "intact": record["intact"],
        "changed": change,
        "since": parse_datetime(change["since"]) if change and change["since"] else None,
        "difference": difference(evidence, now) if change else "",
        "versions": versions,
        **_counts(evidence),
        **verdict_context(study, evidence),
    }
    return render(request, "evals/signed.html", context, status=status)


def _may_sign(request: HttpRequest, decision: Decision, record: dict[str, Any]) -> bool:
    """Whether this person may be the second one."""
    first = decision.signed_by_id == signed_in(request).pk
    return record["second"] is None and record["intact"] and not first


def _counts(evidence: dict[str, Any]) -> dict[str, Any]:
    alpha = from_json(evidence["agreement"]["krippendorff_alpha_nominal"])
    return {
        "judged": judged_words(evidence["counts"]),
        "alpha": shown(alpha, "coefficient", "items"),
    }
