"""The addresses of the weighing, room by room."""

from evals.urls import automated, endpoints, runs, study, suites

urlpatterns = [
    *study.urlpatterns,
    *automated.urlpatterns,
    *runs.urlpatterns,
    *suites.urlpatterns,
    *endpoints.urlpatterns,
]
