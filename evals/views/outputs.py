"""Outputs that exist already on their way in: uploaded, shown, then imported or thrown away."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from annotate.access import admin_page, signed_in
from annotate.intake import RefusedError
from annotate.models import Study
from annotate.parsing import Source
from annotate.previewing import counted, size_in_words
from annotate.staging import LimitedUploadHandler, file_limit, sources_of_request, takes_files
from evals.forms.outputs import OutputsForm, OutputsUploadForm, files_of, guessed, picks_of
from evals.importing import OutputsReport, check_systems, import_systems
from evals.importing.previewing import preview_of, worth_keeping
from evals.models import Run, Staged
from evals.scoring import score_run
from evals.staging import (
    GoneError,
    choose_again,
    discard,
    stage,
    staged_sources,
    take_once,
    taken_as,
)

# Read, joined and scored within requests, that a person waits for.
PAGE_BYTES = 32 * 2**20
Reports = dict[str, dict[str, Any]]


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
@takes_files(PAGE_BYTES)
def new(request: HttpRequest, study: Study, *, handler: LimitedUploadHandler) -> HttpResponse:
    if request.method != "POST":
        return _render_new(request, study, OutputsUploadForm(study=study))
    form = OutputsUploadForm(request.POST, request.FILES, study=study)
    if handler.too_large:
        return _render_refused(
            request, study, form, {"file": _too_large(study, handler.limit).as_data()}
        )
    if not form.is_valid():
        return _render_new(request, study, form, status=422)
    sources, options = sources_of_request(form.uploaded()), form.options()
    reports = _look(study, sources, options)
    if not worth_keeping(reports):
        return _render_refused(request, study, form, reports)
    staged = stage(
        Staged.Kind.OUTPUTS,
        sources,
        study=study,
        uploaded_by=signed_in(request),
        options=options,
        report={"systems": reports},
    )
    return redirect("outputs_preview", study.slug, staged.pk)


def _look(study: Study, sources: list[Source], options: Mapping[str, Any]) -> Reports:
    """What would come in of each system that is wanted, and what is wrong."""
    picks = picks_of(options)
    try:
        reports = check_systems(study, files_of(sources, options), picks)
    except RefusedError as error:
        reports = [_refused(error)]
    return {
        system: report.as_data() for system, report in zip(picks, reports, strict=False)
    }  # fmt: skip


def _refused(error: RefusedError) -> OutputsReport:
    report = OutputsReport()
    report.refuse(error.code, str(error))
    return report


def _too_large(study: Study, limit: int) -> OutputsReport:
    report = OutputsReport()
    report.refuse(
        "file_too_large",
        f"The file is larger than {size_in_words(limit)}, the limit of this page. Import it "
        f"from the command line: manage.py import_run {study.slug} FILE --system candidate",
    )
    return report


def _context(study: Study, **more: Any) -> dict[str, Any]:
    limit = file_limit(PAGE_BYTES)
    return {
        "study": study,
        "page": "runs",
        "crumb": "New outputs",
        "limit": limit,
        "limit_words": size_in_words(limit),
    } | more


def _render_new(
    request: HttpRequest, study: Study, form: OutputsUploadForm, status: int = 200
) -> HttpResponse:
    return render(request, "evals/outputs/new.html", _context(study, form=form), status=status)


def _render_refused(
    request: HttpRequest, study: Study, form: OutputsUploadForm, reports: Reports
) -> HttpResponse:
    """The page of files that were not kept: what is wrong with them, and a way to try again."""
    names = [file.name for file in form.uploaded()] if form.is_valid() else []
    preview = preview_of(reports, kept=False)
    context = _context(study, form=form, file_names=names, preview=preview, kept=False)
    return render(request, "evals/outputs/preview.html", context, status=422)


@require_http_methods(["GET", "HEAD", "POST"])
@admin_page
def preview(request: HttpRequest, study: Study, staged_id: UUID) -> HttpResponse:
    staged = _staged(study, staged_id)
    if (taken := taken_as(staged)) is not None:
        return _to_run(study, taken)
    if request.method != "POST":
        return _render_preview(request, study, staged, _form(study, staged))
    form = _form(study, staged, request)
    if not form.is_valid():
        return _render_preview(request, study, staged, form, status=422)
    return _chosen(request, study, staged, form.options())


def _staged(study: Study, staged_id: UUID) -> Staged:
    return get_object_or_404(Staged, pk=staged_id, kind=Staged.Kind.OUTPUTS, study=study)


def _form(study: Study, staged: Staged, request: HttpRequest | None = None) -> OutputsForm:
    reports = list(staged.report.get("systems", {}).values())
    names = [name for name, _ in reports[0]["systems"]] if reports else []
    asked: dict[str, Any] = {
        "study": study,
        "names": names,
        "samples": max((one["samples"] for one in reports), default=1),
        "makes_suite": any(one["joined_by"] == "file" for one in reports),
    }
    if request is not None:
        return OutputsForm(request.POST, **asked)
    initial = OutputsForm.initial_of(staged.options, names) | guessed(study, names, staged.options)
    return OutputsForm(initial=initial, **asked)


def _chosen(
    request: HttpRequest, study: Study, staged: Staged, options: dict[str, Any]
) -> HttpResponse:
    again = _read_again(study, staged, options)
    if not preview_of(again.report["systems"]).accepted:
        return _render_preview(request, study, again, _form(study, again), status=422)
    return redirect("outputs_preview", study.slug, again.pk)


def _read_again(study: Study, staged: Staged, options: dict[str, Any]) -> Staged:
    """Somebody else may throw the files away, or take them in, at the same time."""
    try:
        with staged_sources(staged) as sources:
            reports = _look(study, sources, options)
        return choose_again(staged, options=options, report={"systems": reports})
    except GoneError:
        raise Http404 from None


def _render_preview(
    request: HttpRequest, study: Study, staged: Staged, form: OutputsForm, status: int = 200
) -> HttpResponse:
    context = _context(
        study,
        staged=staged,
        form=form,
        file_names=staged.file_names,
        preview=preview_of(staged.report.get("systems", {})),
        kept=True,
    )
    return render(request, "evals/outputs/preview.html", context, status=status)


@require_POST
@admin_page
def accept(request: HttpRequest, study: Study, staged_id: UUID) -> HttpResponse:
    staged = _staged(study, staged_id)
    if (taken := taken_as(staged)) is not None:
        return _to_run(study, taken)
    form = _form(study, staged, request)
    if not form.is_valid():
        return _render_preview(request, study, staged, form, status=422)
    options = form.options()
    if options != staged.options:
        messages.info(request, "Read again as you chose. Look once more, then import.")
        return _chosen(request, study, staged, options)
    return _taken(request, study, staged)


def _taken(request: HttpRequest, study: Study, staged: Staged) -> HttpResponse:
    runs: list[Run] = []
    reports: Reports = {}

    def take(sources: list[Source]) -> int | None:
        picks, files = picks_of(staged.options), files_of(sources, staged.options)
        user = signed_in(request)
        taken = import_systems(study, files, picks, imported_by=user, scoring=False)
        reports.update(
            {system: one.report.as_data() for system, one in zip(picks, taken, strict=False)}
        )
        runs.extend(one.run for one in taken if one.run is not None)
        return runs[-1].pk if runs else None

    try:
        taken = take_once(staged, take)
        if taken is None:
            again = choose_again(staged, options=staged.options, report={"systems": reports})
            return _render_preview(request, study, again, _form(study, again), status=422)
    except GoneError:
        raise Http404 from None
    except RefusedError as error:
        refused = {system: _refused(error).as_data() for system in list(picks_of(staged.options))}
        again = choose_again(staged, options=staged.options, report={"systems": refused})
        return _render_preview(request, study, again, _form(study, again), status=422)
    for run in runs:
        score_run(run)
        count = counted(run.generations.exclude(error_kind="missing").count(), "output")
        messages.success(request, f"Run {run.number}: {count} of the {run.system} imported.")
    return _to_run(study, taken)


def _to_run(study: Study, run_id: int) -> HttpResponse:
    run = get_object_or_404(Run, study=study, pk=run_id)
    return redirect("run_score", study.slug, run.number)


@require_POST
@admin_page
def throw_away(request: HttpRequest, study: Study, staged_id: UUID) -> HttpResponse:
    staged = _staged(study, staged_id)
    if (taken := taken_as(staged)) is not None:
        return _to_run(study, taken)
    discard(staged)
    messages.info(request, f"{staged} was thrown away. Nothing was imported.")
    return redirect("outputs_new", study.slug)
