"""Handing the answers of two runs to people, to be judged blind."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from annotate.access import admin_page, signed_in
from annotate.models import Study
from config.http import refuse
from evals.models import Run
from evals.pairing import PairingError, batch_from_runs, batch_of_runs, partner_of


@require_POST
@admin_page
def run_batch(request: HttpRequest, study: Study, run_number: int) -> HttpResponse:
    """Make a batch of this run and the one it is compared with, or show the one there is."""
    run = get_object_or_404(Run.objects.select_related("suite"), study=study, number=run_number)
    try:
        return _made(request, study, run)
    except PairingError as error:
        return refuse(request, "These runs make no batch", str(error), status=409)


def _made(request: HttpRequest, study: Study, run: Run) -> HttpResponse:
    partner = partner_of(run)
    if partner is None:
        other = "candidate" if run.system == Run.System.BASELINE else "baseline"
        raise PairingError(
            f"The {other} has no finished run of {run.suite}. People judge two answers: run it "
            "for both systems first."
        )
    baseline, candidate = sorted((run, partner), key=lambda one: one.system)
    known = batch_of_runs(baseline, candidate)
    batch = known.batch if known else batch_from_runs(
        baseline, candidate, imported_by=signed_in(request)
    )  # fmt: skip
    if known:
        messages.info(request, f"These runs are batch {batch.number} already.")
    else:
        count = f"{batch.item_count:,} items" if batch.item_count != 1 else "1 item"
        messages.success(request, f"{count} of runs {baseline.number} and {candidate.number} "
                                  "wait to be judged blind.")  # fmt: skip
    return redirect("batch", study.slug, batch.number)
