"""What scorers say of a run's outputs, and another scorer for them, without a call."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from annotate.access import results_page
from annotate.models import Study
from annotate.previewing import counted
from config.http import refuse
from evals.forms.outputs import ScorerForm
from evals.models import Generation, Run
from evals.reporting.numbers import shown
from evals.scoring import ScoreCounts, corpus_scores, score_run
from evals.scoring.summaries import summaries_of

# Scored within a request, that a person waits for.
MOST_OUTPUTS = 20_000


@require_http_methods(["GET", "HEAD", "POST"])
@results_page
def run_score(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    run = get_object_or_404(Run.objects.select_related("suite"), study=study, number=run_number)
    if request.method != "POST":
        return _render(request, run, ScorerForm())
    form = ScorerForm(request.POST)
    only_missing = "scorer" not in request.POST
    if not only_missing and not form.is_valid():
        return _render(request, run, form, status=422)
    if (count := _done(run)) > MOST_OUTPUTS:
        return refuse(request, "This run is too large for a page", _by_command(run, count))
    if only_missing:
        messages.success(request, f"The cases’ own scorers: {_added(score_run(run))}")
    else:
        spec = form.cleaned_data["spec"]
        messages.success(request, f"{spec.name}: {_added(score_run(run, [spec]))}")
    return redirect("run_score", study.slug, run.number)


def _done(run: Run) -> int:
    return run.generations.filter(state=Generation.State.DONE).count()


def _by_command(run: Run, count: int) -> str:
    return (
        f"It has {count:,} outputs, and {MOST_OUTPUTS:,} are scored while a page waits. Use the "
        f"command line: manage.py score_run {run.study.slug} {run.number} --scorer NAME"
    )


def _added(counts: ScoreCounts) -> str:
    if not counts.scored and not counts.unscored:
        return "no score was missing."
    without = f", {counted(counts.unscored, 'output')} without a score" if counts.unscored else ""
    return f"{counted(counts.scored, 'output')} scored{without}."


def _render(request: HttpRequest, run: Run, form: ScorerForm, status: int = 200) -> HttpResponse:
    wants_corpus = "whole" in request.GET
    context: dict[str, Any] = {
        "study": run.study,
        "page": "runs",
        "crumb": f"Run {run.number}",
        "run": run,
        "outputs": counted(_done(run), "output"),
        "scorers": [
            (one, shown(one.mean_score(), "coefficient", ""), shown(one.pass_rate(), "share", ""))
            for one in summaries_of(run)
        ],
        "whole": corpus_scores(run) if wants_corpus else None,
        "form": form,
    }
    return render(request, "evals/outputs/score.html", context, status=status)
