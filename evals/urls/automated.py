"""What automated runs say of the two systems, and where they meet people's judgements."""

from django.urls import URLPattern, path

from evals.views import metrics

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/metrics/", metrics.metrics, name="metrics"),
]
