"""What automated runs say of the two systems, and where they meet people's judgements."""

from django.urls import URLPattern, path

from evals.views import automated, compared_figures, metrics

urlpatterns: list[URLPattern] = [
    path("studies/<slug:slug>/automated/", automated.automated, name="automated"),
    path("studies/<slug:slug>/automated/<int:suite_id>/", automated.comparison, name="comparison"),
    path(
        "studies/<slug:slug>/automated/<int:suite_id>/judge",
        automated.judge,
        name="comparison_judge",
    ),
    path("studies/<slug:slug>/automated/<int:suite_id>/cases", automated.cases, name="cases"),
    path(
        "studies/<slug:slug>/automated/<int:suite_id>/cases/<int:position>",
        automated.case,
        name="case",
    ),
    path(
        "studies/<slug:slug>/automated/<int:suite_id>/figures/<slug:figure_key>",
        compared_figures.page,
        name="comparison_figure",
    ),
    path(
        "studies/<slug:slug>/automated/<int:suite_id>/figures/<slug:figure_key>.<slug:file_format>",
        compared_figures.image,
        name="comparison_figure_image",
    ),
    path("studies/<slug:slug>/metrics/", metrics.metrics, name="metrics"),
]
