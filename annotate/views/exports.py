"""Downloads of everything that a study holds, for its admins."""

from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.exporting import FORMATS, KINDS, export_lines
from annotate.models import Study
from config.http import to_keep


@require_safe
@results_page
def exports(request: HttpRequest, study: Study) -> HttpResponseBase:
    context = {"study": study, "page": "exports", "kinds": EXPLAINED}
    return render(request, "annotate/exports.html", context)


EXPLAINED = (
    ("items", "Each prompt with its two outputs, reference and the columns kept as metadata."),
    ("judgements", "Every version of every judgement, with sides, preference, comment and time."),
    ("ratings", "What each judgement says for each criterion."),
)


@require_safe
@results_page
def export(request: HttpRequest, study: Study, kind: str, format: str) -> HttpResponseBase:
    if kind not in KINDS or format not in FORMATS:
        raise Http404
    response = StreamingHttpResponse(
        export_lines(study, kind, format), content_type=FORMATS[format]
    )
    return to_keep(response, f"{slugify(study.slug)}-{kind}.{format}")
