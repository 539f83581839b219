"""Figures of a comparison of two runs: as a page, as a region, and as files."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import results_page
from annotate.models import Study
from evals.comparing import compare_speed
from evals.deciding import policy_in_force
from evals.figures import Figure, NoFigure
from evals.forms.comparing import pair_asked_for, suite_of
from evals.queries.runs import RunPair
from evals.reporting.figures import COMPARED
from evals.views.drawing import Place, figure_file, shown_figure


@require_safe
@results_page
@vary_on_headers("HX-Request")
def page(request: HttpRequest, study: Study, suite_id: int, figure_key: str) -> HttpResponse:
    pair, confidence = _asked(request, study, suite_id, figure_key)
    place = Place(
        reverse("comparison_figure", args=[study.slug, suite_id, figure_key]),
        # These runs and no later ones: the file is that of the page.
        f"baseline={pair.baseline.number}&candidate={pair.candidate.number}&",
        "automated",
    )
    return shown_figure(request, study, _figure(figure_key, pair, confidence), place)


@require_safe
@results_page
def image(
    request: HttpRequest, study: Study, suite_id: int, figure_key: str, file_format: str
) -> HttpResponse:
    pair, confidence = _asked(request, study, suite_id, figure_key)
    # What finished runs took never changes.
    state = (study.pk, figure_key, *(run.pk for run in pair.runs), confidence)
    runs = "-".join(f"run{run.number}" for run in pair.runs)
    name = f"{study.slug}-{figure_key}-{runs}"
    return figure_file(
        request, name, file_format, state, lambda: _figure(figure_key, pair, confidence)
    )


def _asked(
    request: HttpRequest, study: Study, suite_id: int, figure_key: str
) -> tuple[RunPair, float]:
    pair = pair_asked_for(request, study, suite_of(study, suite_id))
    if pair is None or figure_key not in COMPARED:
        raise Http404
    return pair, policy_in_force(study).confidence


def _figure(key: str, pair: RunPair, confidence: float) -> Figure | NoFigure:
    return COMPARED[key](compare_speed(pair, confidence))
