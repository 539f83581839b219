"""Judgements made elsewhere: what came in, and how a new file does."""

from typing import Any, cast
from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from annotate.access import admin_results_page, results_page, signed_in
from annotate.forms.judgements import JudgementFileForm, ReadingForm
from annotate.models import JudgementFile, Study
from annotate.previewing import counted, size_in_words
from annotate.receiving import (
    ReceiptData,
    accept_file,
    check_file_again,
    discard_file,
    options_from,
    receive_file,
)
from annotate.staging import (
    GoneError,
    LimitedUploadHandler,
    file_limit,
    sources_of_request,
    takes_files,
)
from annotate.views.judgement_page import file_page, import_rows

# A file is read in the request; larger ones come in from the command line.
MOST_BYTES = 64 * 2**20
SEE_OTHER = 303


@require_safe
@results_page
def judgements(request: HttpRequest, study: Study) -> HttpResponse:
    rows = import_rows(study)
    total = study.judgement_imports.aggregate(total=Sum("judgement_count"))["total"] or 0
    context = _crumbs(study) | {
        "rows": rows,
        "total": counted(total, "judgement"),
        "waiting": study.judgement_files.order_by("-created_at"),
        "may_upload": signed_in(request).is_admin,
    }
    return render(request, "annotate/judgements/judgements.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_results_page
@takes_files(MOST_BYTES)
def new(request: HttpRequest, study: Study, *, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        return _render_new(request, study, JudgementFileForm())
    form = JudgementFileForm(request.POST, request.FILES)
    if handler.too_large:
        form.add_error(
            "file",
            f"Larger than {size_in_words(handler.limit)}, the limit of this page. The command "
            "import_judgements takes larger files.",
        )
    if not form.is_valid():
        return _render_new(request, study, form, status=422)
    (source,) = sources_of_request([form.uploaded()])
    file = receive_file(
        study,
        source,
        form.options(),
        with_items=form.brings_items,
        uploaded_by=signed_in(request),
    )
    return _see(reverse("judgement_file", args=[study.slug, file.pk]))


def _render_new(
    request: HttpRequest, study: Study, form: JudgementFileForm, status: int = 200
) -> HttpResponse:
    context = _crumbs(study, "New file") | {
        "form": form,
        "limit": file_limit(MOST_BYTES),
        "limit_words": size_in_words(file_limit(MOST_BYTES)),
        "criteria": study.criteria.exclude(kind="off"),
    }
    return render(request, "annotate/judgements/new.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_results_page
def file(request: HttpRequest, study: Study, file_id: UUID) -> HttpResponse:
    found = get_object_or_404(JudgementFile, study=study, pk=file_id)
    if request.method != "POST":
        return _render_file(request, found)
    form = ReadingForm(request.POST)
    if not form.is_valid():
        return _render_file(request, found, form, status=422)
    return _checked_again(request, found, form)


def _checked_again(request: HttpRequest, found: JudgementFile, form: ReadingForm) -> HttpResponse:
    try:
        report = check_file_again(found, form.options(), with_items=form.brings_items)
    except GoneError:
        raise Http404 from None
    if not report["accepted"]:
        return _render_file(request, JudgementFile.objects.get(pk=found.pk), status=422)
    return _see(reverse("judgement_file", args=[found.study.slug, found.pk]))


def _render_file(
    request: HttpRequest,
    found: JudgementFile,
    form: ReadingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    options, with_items = options_from(found.options)
    chosen = {
        "left": options.left,
        "baseline": options.baseline,
        "candidate": options.candidate,
        "annotator": options.annotator,
        "with_items": with_items,
    }
    report = cast("ReceiptData", found.report)
    context = _crumbs(found.study, "New file") | {
        "file": found,
        "found": file_page(found.study, report, options),
        "form": form or ReadingForm(initial=chosen),
    }
    return render(request, "annotate/judgements/file.html", context, status=status)


@require_POST
@admin_results_page
def accept(request: HttpRequest, study: Study, file_id: UUID) -> HttpResponse:
    found = get_object_or_404(JudgementFile, study=study, pk=file_id)
    form = ReadingForm(request.POST)
    if "left" in request.POST and form.is_valid():
        stored = options_from(found.options)
        if (form.options(), form.brings_items) != stored:
            messages.info(request, "Read again as you chose. Look once more, then import.")
            return _checked_again(request, found, form)
    try:
        receipt = accept_file(found, signed_in(request))
    except GoneError:
        raise Http404 from None
    if receipt.taken is None:
        return _render_file(request, JudgementFile.objects.get(pk=found.pk), status=422)
    messages.success(
        request, f"{counted(receipt.judgements, 'judgement')} imported, and marked so everywhere."
    )
    return _see(reverse("judgements", args=[study.slug]))


@require_POST
@admin_results_page
def discard(request: HttpRequest, study: Study, file_id: UUID) -> HttpResponse:
    found = get_object_or_404(JudgementFile, study=study, pk=file_id)
    discard_file(found)
    messages.info(request, f"{found} was thrown away. Nothing was imported.")
    return _see(reverse("judgements", args=[study.slug]))


def _see(address: str) -> HttpResponse:
    return HttpResponseRedirect(address, status=SEE_OTHER)


def _crumbs(study: Study, crumb: str = "") -> dict[str, Any]:
    return {"study": study, "page": "judgements", "crumb": crumb}
