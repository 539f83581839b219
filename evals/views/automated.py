"""Automated evaluation: suites of a study, one comparison, its cases, one case."""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from annotate.access import admin_results_page, results_page, signed_in
from annotate.models import State, Study
from annotate.showing import View
from evals import queries
from evals.comparing import Comparison, ScorerGroups, compare, compare_passing
from evals.deciding import policy_in_force
from evals.evaluating import Limits, RefusedEvaluationError, judge_run
from evals.forms.comparing import (
    address_of,
    looking_asked_for,
    page_asked_for,
    pair_asked_for,
    runs_named,
    scorer_asked_for,
    suite_of,
)
from evals.forms.judging import JudgeForm, judge_endpoints
from evals.models import Suite
from evals.queries.compared_cases import case_around, case_counts, case_of, case_outcome, case_page
from evals.queries.run_facts import scorer_cells
from evals.queries.runs import RunPair, categories_of, runs_of_suite, suites_run
from evals.reporting import automated as overview_page
from evals.reporting import compared, compared_cases, compared_page, output_lengths
from evals.reporting.judged_pair import judge_rows
from evals.reporting.numbers import level, shown
from evals.reporting.time_figure import time_figure
from evals.scoring import corpus_scores
from evals.views.items import VIEWS


@require_safe
@results_page
def automated(request: HttpRequest, study: Study) -> HttpResponse:
    with queries.snapshot():
        suites = suites_run(study)
        confidence, margin = _policy(study)
        pairs = [suite.pair for suite in suites if suite.pair]
        found = compare_passing(pairs, confidence, margin)
    context = {
        "study": study,
        "page": "automated",
        "found": overview_page.overview(suites, found),
        "level": level(confidence),
    }
    return render(request, "evals/automated/automated.html", context)


def _policy(study: Study) -> tuple[float, float]:
    """The confidence and the tolerated loss that the study has agreed on."""
    policy = policy_in_force(study)
    return policy.confidence, max(0.0, -policy.gate("general_regression").threshold)


@require_safe
@results_page
def comparison(request: HttpRequest, study: Study, suite_id: int) -> HttpResponse:
    return _render_comparison(request, study, suite_of(study, suite_id), JudgeForm())


def _render_comparison(
    request: HttpRequest, study: Study, suite: Suite, form: JudgeForm, status: int = 200
) -> HttpResponse:
    with queries.snapshot():
        pair = pair_asked_for(request, study, suite)
        runs = runs_of_suite(study, suite)
        found = compare(pair, *_policy(study)) if pair else None
    context = {
        "study": study,
        "page": "automated",
        "crumb": str(suite),
        "suite": suite,
        "runs": runs,
        "done": {
            system: [run for run in runs if run.system == system and run.state == "done"]
            for system in ("baseline", "candidate")
        },
    }
    if found is None:
        return render(request, "evals/automated/unanswered.html", context)
    may_act = signed_in(request).is_admin and study.state != State.CLOSED
    context |= _comparison(request, found) | {
        "judges": judge_rows(found.pair, found.confidence),
        "judge_form": form,
        "has_judges": may_act and judge_endpoints().exists(),
        "may_act": may_act,
    }
    return render(request, "evals/automated/comparison.html", context, status=status)


@require_POST
@admin_results_page
def judge(request: HttpRequest, study: Study, suite_id: int) -> HttpResponse:
    """Have a model compare the answers of the two runs that the address names, or the latest."""
    suite = suite_of(study, suite_id)
    pair, form = _pair_or_404(request, study, suite), JudgeForm(request.POST)
    if not form.is_valid():
        return _render_comparison(request, study, suite, form, status=422)
    chosen = form.cleaned_data
    try:
        run = judge_run(
            *pair.runs,
            chosen["endpoint"],
            criteria=chosen["criteria"],
            limits=Limits(chosen["call_limit"]),
            started_by=signed_in(request),
        )
    except RefusedEvaluationError as error:
        form.add_error(None, str(error))
        return _render_comparison(request, study, suite, form, status=422)
    return redirect("run", study.slug, run.number)


def _comparison(request: HttpRequest, found: Comparison) -> dict[str, Any]:
    scorer = scorer_asked_for(request, found.scorers)
    rows, ticks, left_out = compared_page.group_rows(found)
    regression, margin_x = compared_page.regression_rows(found)
    lengths, left_out_lengths = output_lengths.length_rows(found)
    return {
        "found": found,
        "pair": found.pair,
        "level": level(found.confidence),
        "finding": compared.finding(found),
        "lede": compared.lede(found),
        "notes": compared.staleness(found.pair),
        "hero": overview_page.headline_row("", found.overall, compared_page.hero_axis(found)),
        "headline": shown(found.overall.difference, "points"),
        "hero_ticks": compared_page.hero_ticks(found),
        "bar": compared_page.passing_bar(found.overall),
        "least": compared.least_words(found.overall),
        "p": compared.p_words(found.overall.p),
        "rows": rows,
        "ticks": ticks,
        "left_out_rows": left_out,
        "regression": regression,
        "margin_x": margin_x,
        "zone_width": round(100 - margin_x, 2),
        "regression_lede": compared.regression_lede(found),
        "loss": compared.loss_words(found.margin),
        "scorer": scorer,
        "scorer_rows": compared_page.scorer_rows(found),
        "errors": compared_page.error_rows(found),
        "value_rows": compared_page.value_rows(scorer) if scorer else [],
        "lengths": lengths,
        "left_out_lengths": left_out_lengths,
        "length_finding": output_lengths.length_finding(found),
        "length_notes": output_lengths.not_counted(found),
        "times": compared_page.time_rows(found) if sum(found.speed.n) else [],
        "figure": time_figure(found),
        "speed_notes": [
            note
            for note in (
                compared.p99_words(found),
                compared.in_turns(found),
                compared.left_out(found),
            )
            if note
        ],
        "tokens": compared_page.token_rows(found),
        "facts": {"baseline": found.facts[0], "candidate": found.facts[1]},
        "corpus": _corpus(request, found.pair),
        "keep": address_kept(request),
        # A figure that loads later is of these runs, whatever has ended since.
        "runs_query": urlencode({run.system: run.number for run in found.pair.runs}),
    }


def address_kept(request: HttpRequest) -> str:
    """The runs that are compared, for the links of a page: empty, or an address's end."""
    return "&".join(f"{system}={number}" for system, number in runs_named(request).items())


def _corpus(request: HttpRequest, pair: RunPair) -> list[Any]:
    """Scores of the runs as a whole, on request: they read every text."""
    if request.GET.get("corpus") != "1":
        return []
    return compared_page.corpus_rows(*(corpus_scores(run) for run in pair.runs))


def _pair_or_404(request: HttpRequest, study: Study, suite: Suite) -> RunPair:
    pair = pair_asked_for(request, study, suite)
    if pair is None:
        raise Http404
    return pair


def _scorer(request: HttpRequest, pair: RunPair) -> ScorerGroups | None:
    if not request.GET.get("scorer"):
        return None
    return scorer_asked_for(request, [ScorerGroups(cells) for cells in scorer_cells(pair)])


@require_safe
@results_page
def cases(request: HttpRequest, study: Study, suite_id: int) -> HttpResponse:
    suite = suite_of(study, suite_id)
    after, before = page_asked_for(request)
    with queries.snapshot():
        pair = _pair_or_404(request, study, suite)
        scorer = _scorer(request, pair)
        looking = looking_asked_for(request, scorer.cells if scorer else None)
        counts = case_counts(pair, looking)
        page = case_page(pair, looking, after=after, before=before)
        categories = categories_of(suite)
    context = {
        "study": study,
        "page": "automated",
        "crumb": str(suite),
        "suite": suite,
        "pair": pair,
        "looking": looking,
        "scorer": scorer,
        "count": counts[looking.show],
        "counted": compared.cases(counts[looking.show]),
        "filters": [
            (one, address_of(request, looking, show=one.name))
            for one in compared_cases.filters(counts, looking.show, by_value=bool(scorer))
        ],
        "categories": categories,
        "cases": [compared_cases.listed_case(row, by_value=bool(scorer)) for row in page.rows],
        "kept": runs_named(request),
        "keep": address_kept(request),
        "here": address_of(request, looking),
        "before": page.before,
        "after": page.after,
    }
    return render(request, "evals/automated/cases.html", context)


@require_safe
@results_page
def case(request: HttpRequest, study: Study, suite_id: int, position: int) -> HttpResponse:
    suite = suite_of(study, suite_id)
    view = View.of(request.GET.get("view"))
    with queries.snapshot():
        pair = _pair_or_404(request, study, suite)
        scorer = _scorer(request, pair)
        looking = looking_asked_for(request, scorer.cells if scorer else None)
        found = case_of(pair, position)
        if found is None:
            raise Http404
        around = case_around(pair, looking, position)
        outcome = case_outcome(pair, position)
    whole = compared_cases.whole_case(pair, found, outcome, view)
    here = address_of(request, looking)
    context = {
        "study": study,
        "page": "automated",
        "crumb": "Case",
        "suite": suite,
        "pair": pair,
        "whole": whole,
        "around": around,
        "view": view,
        "views": VIEWS,
        "here": here,
        "list": reverse("cases", args=[study.slug, suite.pk]) + (f"?{here}" if here else ""),
    }
    return render(request, "evals/automated/case.html", context)
