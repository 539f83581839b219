"""The first page of a study, its progress and its annotators."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from annotate.access import results_page, signed_in
from annotate.models import State, Study
from evals import queries
from evals.deciding import evidence_of, policy_in_force, waits_for, weigh
from evals.forms import chosen_source
from evals.reporting import annotators as people_page
from evals.reporting import gate_rows, overview, shown, tally
from evals.reporting import progress as progress_page
from evals.views.counting import in_time


@require_safe
@results_page
@in_time("study")
def study(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        weighing = weigh(study)
        votes = weighing.votes
        progress = queries.progress(study)
        policy = weighing.policy
        found = people_page.standing(study, votes, only=policy.only, confidence=policy.confidence)
        flags = queries.flagged(study)
        waiting = waits_for(study, signed_in(request))
    evidence = evidence_of(weighing)
    batches, _ = progress_page.parts(progress)
    rows = gate_rows(evidence)
    context = {
        "study": study,
        "page": "study",
        "finding": overview.finding(evidence, progress.total),
        "total": progress_page.Part("", "", progress.total.judged, progress.total.wanted),
        "pace": progress_page.pace(
            progress.week, progress.total.left, closed=study.state == State.CLOSED
        ),
        "gates": rows,
        "met": sum(row.look == "met" for row in rows),
        "tally": tally(evidence),
        "rate": shown(weighing.tally.preferred(policy.confidence, policy.ties)),
        "policy": policy,
        "alpha": shown(weighing.agreement, "coefficient", "items"),
        "needs": [
            *overview.second_signature(study, waiting),
            *overview.needs(study, evidence, progress.total, found, flags),
        ],
        "days": progress_page.day_chart(progress.days),
        "batches": batches,
    }
    return render(request, "evals/study.html", context)


@require_safe
@results_page
@in_time("progress")
def progress(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        progress = queries.progress(study)
        people = queries.people(study)
    batches, categories = progress_page.parts(progress)
    context = {
        "study": study,
        "page": "progress",
        "finding": progress_page.finding(study, progress),
        "total": progress_page.Part("", "", progress.total.judged, progress.total.wanted),
        "pace": progress_page.pace(
            progress.week, progress.total.left, closed=study.state == State.CLOSED
        ),
        "days": progress_page.day_chart(progress.days),
        "batches": batches,
        "categories": categories,
        "people": people,
    }
    return render(request, "evals/progress.html", context)


@require_safe
@results_page
@in_time("annotators")
def annotators(request: HttpRequest, study: Study) -> HttpResponse:
    only = chosen_source(request)
    with queries.snapshot():
        policy = policy_in_force(study)
        votes = queries.sided_votes(study, only)
        found = people_page.annotators(study, votes, only=only, confidence=policy.confidence)
        imported = queries.has_imported(study)
    context = {
        "study": study,
        "page": "annotators",
        "found": found,
        "policy": policy,
        "only": only,
        "has_imported": imported,
    }
    return render(request, "evals/annotators.html", context)
