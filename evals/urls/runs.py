"""Runs: started, watched, cancelled, taken in from files, handed to people."""

from django.urls import URLPattern, path

from evals.views import run_batch

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/runs/<int:run_number>/batch", run_batch.run_batch, name="run_batch"),
]
