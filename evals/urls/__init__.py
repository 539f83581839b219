"""The addresses of the weighing, room by room."""

from evals.urls import automated, decision, endpoints, runs, study, suites

urlpatterns = [
    *study.urlpatterns,
    *decision.urlpatterns,
    *automated.urlpatterns,
    *runs.urlpatterns,
    *suites.urlpatterns,
    *endpoints.urlpatterns,
]
