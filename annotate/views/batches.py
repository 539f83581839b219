"""Batches of a study: what is there, and how a new one comes in."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import admin_page, study_for_lead
from annotate.forms.batches import ChoicesForm, UploadForm
from annotate.intake import READING_SHARE
from annotate.models import Batch, Study, Upload
from annotate.previewing import columns_in_words, counted, crumbs, preview_of, size_in_words
from annotate.reports import ReportData, refused_data
from annotate.showing import PROMPT_READ, in_short
from annotate.staging import GoneError, LimitedUploadHandler, sources_of_request, takes_files
from annotate.uploading import (
    Choices,
    check_again,
    choices_of,
    receive,
)
from annotate.uploading import (
    accept as accept_upload,
)
from annotate.uploading import (
    discard as discard_upload,
)
from config.http import is_htmx, leave_to, refuse

ITEMS_A_PAGE = 50
UNDER_WAY = (Upload.State.CHECKING, Upload.State.IMPORTING)


class SeeOther(HttpResponseRedirect):
    """The answer to a form: look there, by GET."""

    status_code = 303


@contextmanager
def thrown_away_is_not_found() -> Iterator[None]:
    """Somebody else may discard an upload while it is being worked on here."""
    try:
        yield
    except (GoneError, Upload.DoesNotExist):
        raise Http404 from None


@require_safe
def batches(request: HttpRequest, slug: str) -> HttpResponse:
    study = study_for_lead(request, slug)
    context = crumbs(study) | {
        "batches": [
            (batch, f"{batch.item_count:,}")
            for batch in study.batches.select_related("imported_by").order_by("-number")
        ],
        "uploads": study.uploads.exclude(state=Upload.State.IMPORTED).order_by("-created_at"),
        "item_count": f"{study.items.count():,}",
        "may_upload": getattr(request.user, "is_admin", False),
    }
    return render(request, "annotate/batches/batches.html", context)


@require_safe
def batch(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    study = study_for_lead(request, slug)
    found = get_object_or_404(
        Batch.objects.select_related("imported_by"), study=study, number=number
    )
    items = found.items.order_by("position").annotate(start=Left("prompt", PROMPT_READ))
    page = Paginator(
        items.values("public_id", "position", "item_id", "category", "start"), ITEMS_A_PAGE
    ).get_page(request.GET.get("page"))
    for item in page:
        item["start"] = in_short(item["start"], 200)
    context = crumbs(study, f"Batch {found.number}") | {
        "batch": found,
        "items": page,
        "count": counted(found.item_count, "item"),
        "columns": columns_in_words(found.columns),
        "warnings": found.warnings,
    }
    return render(request, "annotate/batches/batch.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@takes_files()
def new(request: HttpRequest, study: Study, *, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        return _render_new(request, study, UploadForm())
    form = UploadForm(request.POST, request.FILES)
    if handler.too_large:
        return _render_refused(request, study, form, _too_large(handler))
    if not form.is_valid():
        return _render_new(request, study, form, status=422)
    user = request.user if request.user.is_authenticated else None
    sources = sources_of_request(form.uploaded())
    received = receive(study, sources, form.choices(), user)
    if received.upload is None:
        assert received.report is not None
        return _render_refused(request, study, form, received.report)
    return SeeOther(_address(received.upload))


def _too_large(handler: LimitedUploadHandler) -> ReportData:
    return refused_data(
        "file_too_large",
        f"The file is larger than {size_in_words(handler.limit)}, the limit of this site. "
        "Split it into several batches.",
    )


def _render_new(
    request: HttpRequest, study: Study, form: UploadForm, status: int = 200
) -> HttpResponse:
    limits = settings.UPLOAD_LIMITS
    context = crumbs(study, "New batch") | {
        "form": form,
        "limit": limits["max_file_bytes"],
        "limit_words": size_in_words(limits["max_file_bytes"]),
        "row_limit": f"{limits['max_rows']:,}",
    }
    return render(request, "annotate/batches/new.html", context, status=status)


def _render_refused(
    request: HttpRequest, study: Study, form: UploadForm, report: ReportData
) -> HttpResponse:
    """The page of files that were not kept: what is wrong with them, and a way to try again."""
    valid = form.is_valid()
    choices = form.choices() if valid else Choices()
    names = [file.name for file in form.uploaded()] if valid else []
    context = _upload_context(study, report, choices, names, kept=False)
    return render(request, "annotate/batches/upload.html", context, status=422)


def _upload_context(
    study: Study, report: ReportData, choices: Choices, names: list[Any], *, kept: bool
) -> dict[str, Any]:
    return crumbs(study, "New batch") | {
        "preview": preview_of(report, choices.mapping, kept=kept),
        "choices": choices,
        "file_names": names,
        "two_files": len(names) > 1,
        "kept": kept,
        "limit": settings.UPLOAD_LIMITS["max_file_bytes"],
    }


def _address(upload: Upload) -> str:
    if upload.batch is not None:
        return reverse("batch", args=[upload.study.slug, upload.batch.number])
    return reverse("upload", args=[upload.study.slug, upload.pk])


@require_http_methods(["GET", "HEAD", "POST"])
@vary_on_headers("HX-Request")
@admin_page
def upload(request: HttpRequest, study: Study, upload_id: UUID) -> HttpResponse:
    found = get_object_or_404(Upload.objects.select_related("batch"), study=study, pk=upload_id)
    if request.method == "POST":
        form = ChoicesForm(request.POST)
        if not form.is_valid():
            return _render_upload(request, found, status=422)
        return _checked_again(request, found, form.choices())
    if found.state in UNDER_WAY:
        return _render_progress(request, found)
    if found.batch is not None or is_htmx(request):
        return leave_to(request, _address(found))
    return _render_upload(request, found)


def _checked_again(request: HttpRequest, found: Upload, choices: Choices) -> HttpResponse:
    if found.state != Upload.State.CHECKED or not found.chunks.exists():
        return refuse(
            request,
            "This upload cannot be checked again",
            "Its file is being read, was imported or is no longer kept. Choose the file again.",
        )
    with thrown_away_is_not_found():
        checked = check_again(found, choices)
    if checked.state == Upload.State.CHECKED and not (checked.report or {}).get("accepted"):
        return _render_upload(request, checked, status=422)
    return SeeOther(_address(checked))


def _render_upload(request: HttpRequest, found: Upload, status: int = 200) -> HttpResponse:
    kept = found.chunks.exists()
    report = cast("ReportData", found.report)
    names = list(found.file_names)
    context = _upload_context(found.study, report, choices_of(found), names, kept=kept)
    context["upload"] = found
    return render(request, "annotate/batches/upload.html", context, status=status)


def _render_progress(request: HttpRequest, found: Upload) -> HttpResponse:
    total = sum(found.file_sizes)
    context = crumbs(found.study, "New batch") | {
        "upload": found,
        "importing": found.state == Upload.State.IMPORTING,
        "read": int(found.progress * total),
        "total": total,
        "read_words": size_in_words(int(found.progress * total)),
        "total_words": size_in_words(total),
        "percent": int(100 * found.progress),
        "is_read": found.progress >= READING_SHARE,
    }
    page = "_progress.html" if is_htmx(request) else "progress.html"
    return render(request, f"annotate/batches/{page}", context)


@require_POST
@admin_page
def accept(request: HttpRequest, study: Study, upload_id: UUID) -> HttpResponse:
    found = get_object_or_404(Upload, study=study, pk=upload_id)
    form = ChoicesForm(request.POST)
    if not form.is_valid():
        return _render_upload(request, found, status=422)
    chosen = form.choices()
    if form.says_how_to_read and chosen.options != choices_of(found).options:
        messages.info(request, "Read again as you chose. Look once more, then import.")
        return _checked_again(request, found, chosen)
    with thrown_away_is_not_found():
        imported = accept_upload(found, chosen.name)
    return _imported(request, imported)


def _imported(request: HttpRequest, found: Upload) -> HttpResponse:
    if found.batch is not None:
        messages.success(request, f"{counted(found.batch.item_count, 'item')} imported.")
    elif found.state == Upload.State.CHECKED:
        return _render_upload(request, found, status=422)
    return leave_to(request, _address(found)) if is_htmx(request) else SeeOther(_address(found))


@require_POST
@admin_page
def discard(request: HttpRequest, study: Study, upload_id: UUID) -> HttpResponse:
    found = get_object_or_404(Upload, study=study, pk=upload_id)
    if not discard_upload(found):
        return refuse(
            request,
            "This upload cannot be thrown away",
            "It is being imported or was imported. What is in a study stays there.",
        )
    messages.info(request, f"{found} was thrown away. Nothing was imported.")
    return SeeOther(reverse("batches", args=[study.slug]))
