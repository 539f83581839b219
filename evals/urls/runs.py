"""Runs: started, watched, cancelled, taken in from files, handed to people."""

from django.urls import URLPattern, path

from evals.views import outputs, run_batch, run_scores, runs

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/runs/", runs.runs, name="runs"),
    path("studies/<slug:slug>/runs/new", runs.run_new, name="run_new"),
    path("studies/<slug:slug>/runs/<int:run_number>", runs.run, name="run"),
    path(
        "studies/<slug:slug>/runs/<int:run_number>/progress",
        runs.run_progress,
        name="run_progress",
    ),
    path("studies/<slug:slug>/runs/<int:run_number>/cancel", runs.run_cancel, name="run_cancel"),
    path("studies/<slug:slug>/runs/<int:run_number>/resume", runs.run_resume, name="run_resume"),
    path("studies/<slug:slug>/outputs/new", outputs.new, name="outputs_new"),
    path("studies/<slug:slug>/outputs/<uuid:staged_id>", outputs.preview, name="outputs_preview"),
    path(
        "studies/<slug:slug>/outputs/<uuid:staged_id>/accept",
        outputs.accept,
        name="outputs_accept",
    ),
    path(
        "studies/<slug:slug>/outputs/<uuid:staged_id>/discard",
        outputs.throw_away,
        name="outputs_discard",
    ),
    path("studies/<slug:slug>/runs/<int:run_number>/score", run_scores.run_score, name="run_score"),
    path("studies/<slug:slug>/runs/<int:run_number>/batch", run_batch.run_batch, name="run_batch"),
]
