"""A verdict, or a signed decision, as a file to keep: a page, Markdown, JSON, JUnit."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_safe

from annotate.access import results_page
from annotate.models import Study
from config.http import to_keep
from evals import queries
from evals.deciding import digest_of, evidence_of, record_of, weigh
from evals.models import Decision
from evals.reporting.decided import Document
from evals.reporting.files import FILES


@require_safe
@results_page
def verdict_file(request: HttpRequest, study: Study, file_kind: str) -> HttpResponse:
    """The evidence as it is."""
    with queries.snapshot():
        evidence = evidence_of(weigh(study))
    document = Document(evidence, digest_of(evidence), timezone.now())
    return _file(document, file_kind, f"{study.slug}-verdict")


@require_safe
@results_page
def decision_file(
    request: HttpRequest, study: Study, decision_id: UUID, file_kind: str
) -> HttpResponse:
    """What was signed, from the evidence that was kept."""
    decisions = Decision.objects.select_related("study", "policy")
    decision = get_object_or_404(decisions, study=study, pk=decision_id)
    with queries.snapshot():
        now = evidence_of(weigh(study))
        record = record_of(decision, now)
    document = Document(decision.evidence, decision.digest, decision.created_at, record, now)
    name = f"{study.slug}-decision-{decision.created_at:%Y-%m-%d}"
    return _file(document, file_kind, name)


def _file(document: Document, kind: str, name: str) -> HttpResponse:
    if kind not in FILES:
        raise Http404
    response = HttpResponse(FILES[kind].write(document), content_type=FILES[kind].content_type)
    return to_keep(response, f"{name}.{kind}")
