"""Figures of a study: as a page, as a region that loads after its page, and as files."""

from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import results_page
from annotate.models import Study
from evals.deciding import policy_in_force
from evals.forms import chosen_source
from evals.queries.state import state_of
from evals.reporting.figures import FIGURES, Asked, figure
from evals.views.counting import in_time
from evals.views.drawing import Place, figure_file, shown_figure

# The page of the study that a figure belongs to, where it is not that of preference.
PAGES = {"pairs": "agreement", "calibration": "metrics"}
# Names of metrics are short; longer words name none.
MOST_WORDS = 300


@require_safe
@results_page
@vary_on_headers("HX-Request")
@in_time("preference")
def page(request: HttpRequest, study: Study, figure_key: str) -> HttpResponse:
    asked = _asked(request, study, figure_key)
    words = {"only": asked.only or "both"} | ({"metric": asked.metric} if asked.metric else {})
    place = Place(
        reverse("figure", args=[study.slug, figure_key]),
        f"{urlencode(words)}&",
        PAGES.get(figure_key, "preference"),
    )
    return shown_figure(request, study, figure(figure_key, asked), place)


@require_safe
@results_page
def image(request: HttpRequest, study: Study, figure_key: str, file_format: str) -> HttpResponse:
    asked = _asked(request, study, figure_key)
    state = (study.pk, figure_key, asked.only, asked.threshold, asked.confidence, asked.ties,
             asked.metric, state_of(study))  # fmt: skip
    name = "-".join(word for word in (study.slug, figure_key, asked.metric) if word)
    return figure_file(request, name, file_format, state, lambda: figure(figure_key, asked))


def _asked(request: HttpRequest, study: Study, key: str) -> Asked:
    metric = request.GET.get("metric", "")
    if key not in FIGURES or len(metric) > MOST_WORDS:
        raise Http404
    policy = policy_in_force(study)
    gate = policy.gate("human_preference")
    only = chosen_source(request)
    return Asked(study, only, gate.threshold, policy.confidence, policy.ties, metric)
