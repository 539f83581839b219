"""A suite on its way in: uploaded, shown with what is wrong, then imported or thrown away."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import signed_in
from annotate.parsing import Fault, Source
from annotate.previewing import counted, size_in_words
from annotate.staging import LimitedUploadHandler, file_limit, sources_of_request, takes_files
from config.http import admin_required
from evals.forms.suites import SuiteForm, SuiteUploadForm
from evals.models import Staged, Suite
from evals.staging import (
    GoneError,
    choose_again,
    discard,
    stage,
    staged_sources,
    take_once,
    taken_as,
)
from evals.suites import (
    SuiteReport,
    check_suite,
    import_suite,
    name_from,
    preview_of,
    report_data,
)

# Read twice within requests, that a person waits for: some 50,000 cases.
PAGE_BYTES = 16 * 2**20


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
@takes_files(PAGE_BYTES)
def new(request: HttpRequest, *, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        return _render_new(request, SuiteUploadForm(), handler.limit)
    form = SuiteUploadForm(request.POST, request.FILES)
    if handler.too_large:
        return _render_refused(request, form, report_data(_too_large(handler.limit)))
    if not form.is_valid():
        return _render_new(request, form, handler.limit, status=422)
    return _received(request, form, sources_of_request(form.uploaded()))


def _received(request: HttpRequest, form: SuiteUploadForm, sources: list[Source]) -> HttpResponse:
    """Keep the files where they can come in; else say at once what is wrong."""
    options = form.options()
    report = check_suite(sources, format=options["format"] or None)
    if not report.accepted:
        return _render_refused(request, form, report_data(report))
    options["name"] = options["name"] or name_from(sources, report.recognised)
    staged = stage(
        Staged.Kind.SUITE,
        sources,
        uploaded_by=signed_in(request),
        options=options,
        report=report_data(report),
    )
    return redirect("suite_preview", staged.pk)


def _too_large(limit: int) -> SuiteReport:
    text = (
        f"The file is larger than {size_in_words(limit)}, the limit of this page. Import it from "
        "the command line: manage.py import_suite FILE, or split it into several suites."
    )
    return SuiteReport(errors=[Fault("file_too_large", text)], error_count=1)


def _render_new(
    request: HttpRequest, form: SuiteUploadForm, limit: int, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "limit": limit,
        "limit_words": size_in_words(limit),
    }
    return render(request, "evals/suites/new.html", context, status=status)


def _render_refused(
    request: HttpRequest, form: SuiteUploadForm, report: Mapping[str, Any]
) -> HttpResponse:
    """The page of files that were not kept: what is wrong with them, and a way to try again."""
    names = [file.name for file in form.uploaded()] if form.is_valid() else []
    limit = file_limit(PAGE_BYTES)
    context = {
        "form": form,
        "file_names": names,
        "preview": preview_of(report, kept=False),
        "kept": False,
        "limit": limit,
    }
    return render(request, "evals/suites/preview.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_required
def preview(request: HttpRequest, staged_id: UUID) -> HttpResponse:
    staged = _staged(staged_id)
    if (taken := taken_as(staged)) is not None:
        return redirect("suite", taken)
    if request.method != "POST":
        return _render_preview(request, staged, SuiteForm(initial=staged.options))
    form = SuiteForm(request.POST)
    if not form.is_valid():
        return _render_preview(request, staged, form, status=422)
    return _chosen(request, staged, form.options())


def _chosen(request: HttpRequest, staged: Staged, options: dict[str, str]) -> HttpResponse:
    again = _read_again(staged, options)
    if not again.report["accepted"]:
        return _render_preview(request, again, SuiteForm(initial=again.options), status=422)
    return redirect("suite_preview", again.pk)


def _staged(staged_id: UUID) -> Staged:
    return get_object_or_404(Staged, pk=staged_id, kind=Staged.Kind.SUITE)


def _read_again(staged: Staged, options: dict[str, str]) -> Staged:
    """The staged files, read as `options` say now; the files themselves are read only if need be.

    Somebody else may throw them away, or take them in, at the same time.
    """
    try:
        report = staged.report
        with staged_sources(staged) as sources:
            if not report or options["format"] != staged.options.get("format", ""):
                report = report_data(check_suite(sources, format=options["format"] or None))
            options["name"] = options["name"] or name_from(sources)
        return choose_again(staged, options=options, report=report)
    except GoneError:
        raise Http404 from None


def _render_preview(
    request: HttpRequest, staged: Staged, form: SuiteForm, status: int = 200
) -> HttpResponse:
    context = {
        "staged": staged,
        "form": form,
        "file_names": staged.file_names,
        "preview": preview_of(staged.report, name=staged.options.get("name", "")),
        "kept": True,
    }
    return render(request, "evals/suites/preview.html", context, status=status)


@require_POST
@admin_required
def accept(request: HttpRequest, staged_id: UUID) -> HttpResponse:
    staged = _staged(staged_id)
    form = SuiteForm(request.POST)
    if not form.is_valid():
        return _render_preview(request, staged, form, status=422)
    options = form.options()
    if options["format"] != staged.options.get("format", "") and taken_as(staged) is None:
        messages.info(request, "Read again as you chose. Look once more, then import.")
        return _chosen(request, staged, options)
    return _taken(request, staged, options)


def _taken(request: HttpRequest, staged: Staged, options: dict[str, str]) -> HttpResponse:
    found: list[SuiteReport] = []

    def take(sources: list[Source]) -> int | None:
        taken = import_suite(
            sources,
            name=options["name"] or staged.options.get("name", ""),
            title=options["title"],
            format=options["format"] or None,
            imported_by=signed_in(request),
        )
        found.append(taken.report)
        return taken.suite.pk if taken.suite else None

    try:
        suite_id = take_once(staged, take)
        if suite_id is None:
            staged = choose_again(staged, options=options, report=report_data(found[0]))
            return _render_preview(request, staged, SuiteForm(initial=options), status=422)
    except GoneError:
        raise Http404 from None
    suite = get_object_or_404(Suite, pk=suite_id)
    messages.success(request, f"{suite.name}, version {suite.version}: "
                              f"{counted(suite.case_count, 'case')}.")  # fmt: skip
    return redirect("suite", suite_id)


@require_POST
@admin_required
def throw_away(request: HttpRequest, staged_id: UUID) -> HttpResponse:
    staged = _staged(staged_id)
    if (taken := taken_as(staged)) is not None:
        return redirect("suite", taken)
    discard(staged)
    messages.info(request, f"{staged} was thrown away. Nothing was imported.")
    return redirect("suites")
