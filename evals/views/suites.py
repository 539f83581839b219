"""Suites: which there are, what is in one, and the ones that come with the product."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from annotate.access import signed_in
from annotate.previewing import counted
from config.http import admin_required, lead_required, refuse
from evals.forms.suites import ShippedForm
from evals.models import Staged, Suite
from evals.staging import waiting
from evals.suites import (
    SuiteInUseError,
    add_shipped,
    category_rows,
    delete_suite,
    not_yet_added,
    scorer_counts,
    scorers_of,
    shown_case,
    suite_cards,
    versions_of,
)

CASES_A_PAGE = 20
OF_A_CASE = ("position", "case_id", "messages", "tools", "expected", "category", "split",
             "scorer", "metadata")  # fmt: skip


@require_safe
@lead_required
def suites(request: HttpRequest) -> HttpResponse:
    cards = suite_cards()
    may_upload = getattr(request.user, "is_admin", False)
    context = {
        "cards": cards,
        "case_count": counted(sum(card.suite.case_count for card in cards), "case"),
        "may_upload": may_upload,
        "shipped": not_yet_added() if may_upload else [],
        "staged": waiting(Staged.Kind.SUITE) if may_upload else [],
    }
    return render(request, "evals/suites/suites.html", context)


def _shown() -> "QuerySet[Suite]":
    """Suites that have a page: those derived for a judge hold answers of the systems."""
    return Suite.objects.exclude(format=Suite.DERIVED)


@require_safe
@lead_required
def suite(request: HttpRequest, suite_id: int) -> HttpResponse:
    found = get_object_or_404(_shown().select_related("imported_by"), pk=suite_id)
    categories = category_rows(found)
    page = Paginator(found.cases.order_by("position").values(*OF_A_CASE), CASES_A_PAGE).get_page(
        request.GET.get("page")
    )
    versions = versions_of(found)
    runs = next(one.run_count for one in versions if one.pk == found.pk)  # type: ignore[attr-defined]
    context = {
        "suite": found,
        "count": counted(found.case_count, "case"),
        "category_count": counted(len(categories), "category").replace("categorys", "categories"),
        "categories": categories,
        "scorers": scorer_counts(scorers_of(found)),
        "page": page,
        "cases": [shown_case(row["position"], row | {"id": row["case_id"]}) for row in page],
        "versions": versions,
        "run_count": runs,
        "may_delete": getattr(request.user, "is_admin", False) and not runs,
    }
    return render(request, "evals/suites/suite.html", context)


@require_POST
@admin_required
def shipped(request: HttpRequest) -> HttpResponse:
    form = ShippedForm(request.POST)
    if not form.is_valid():
        return refuse(
            request, "There is no such suite", "Choose one of those that are listed.", status=422
        )
    taken = add_shipped(form.cleaned_data["name"], imported_by=signed_in(request))
    assert taken.suite is not None, taken.report.errors
    if taken.is_new:
        messages.success(request, f"{counted(taken.suite.case_count, 'case')} added.")
    return redirect("suite", taken.suite.pk)


@require_POST
@admin_required
def delete(request: HttpRequest, suite_id: int) -> HttpResponse:
    found = get_object_or_404(_shown(), pk=suite_id)
    try:
        delete_suite(found)
    except SuiteInUseError as error:
        return refuse(request, "This version stays", str(error))
    messages.success(request, f"{found.name}, version {found.version}, was deleted.")
    return redirect("suites")
