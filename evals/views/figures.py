"""Figures: as a page, as a region that loads after its page, and as files."""

import hashlib
from pathlib import Path

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from annotate.access import results_page
from annotate.models import Study
from config.http import to_keep
from evals.deciding import policy_in_force
from evals.figures import FORMATS, SHADES, SIZES, THEMES, Figure, draw
from evals.figures import themes as drawn_by
from evals.forms import chosen_source
from evals.queries.state import state_of
from evals.reporting.figures import FIGURES, Asked, figure

KINDS = {"svg": "image/svg+xml", "png": "image/png"}
A_DAY = 24 * 60 * 60
# Figures drawn by other code are other figures.
CODE = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(Path(drawn_by.__file__).parent.glob("*.py")))
).hexdigest()[:16]


@require_safe
@results_page
@vary_on_headers("HX-Request")
def page(request: HttpRequest, study: Study, figure_key: str) -> HttpResponse:
    """A figure with its words, its table and its downloads."""
    asked = _asked(request, study, figure_key)
    found = figure(figure_key, asked)
    context = {
        "study": study,
        "page": "agreement" if figure_key == "pairs" else "preference",
        "crumb": "Figure",
        "figure": found,
        "drawn": isinstance(found, Figure),
        "key": figure_key,
        "only": asked.only,
        "query": f"only={asked.only or 'both'}&",
    }
    is_region = request.headers.get("HX-Request") == "true"
    return render(request, "evals/_figure.html" if is_region else "evals/figure.html", context)


@require_safe
@results_page
def image(request: HttpRequest, study: Study, figure_key: str, file_format: str) -> HttpResponse:
    """A figure as a file, drawn once for each state of the data."""
    shade = request.GET.get("shade", SHADES[0])
    size = request.GET.get("size", SIZES[0])
    if file_format not in FORMATS or shade not in SHADES or size not in SIZES:
        raise Http404
    asked = _asked(request, study, figure_key)
    state = (state_of(study), asked.threshold, asked.confidence, CODE)
    words = repr((study.pk, figure_key, asked.only, file_format, shade, size, state))
    key = f"figure-{hashlib.sha256(words.encode()).hexdigest()}"
    drawn = cache.get(key)
    if drawn is None:
        found = figure(figure_key, asked)
        if not isinstance(found, Figure):
            raise Http404
        theme = THEMES[shade]
        drawn = draw(found.build(theme, size), theme, file_format)
        cache.set(key, drawn, A_DAY)
    response = HttpResponse(drawn, content_type=KINDS[file_format])
    if "download" in request.GET:
        return to_keep(response, f"{study.slug}-{figure_key}-{shade}.{file_format}")
    return response


def _asked(request: HttpRequest, study: Study, key: str) -> Asked:
    if key not in FIGURES:
        raise Http404
    policy = policy_in_force(study)
    gate = policy.gate("human_preference")
    only = chosen_source(request)
    return Asked(study, only, gate.threshold, policy.confidence, policy.ties)
