"""Suites of automated tests."""

from django.urls import path

from evals.views import suite_uploads, suites

urlpatterns = [
    path("suites/", suites.suites, name="suites"),
    path("suites/upload", suite_uploads.new, name="suite_new"),
    path("suites/shipped", suites.shipped, name="suite_shipped"),
    path("suites/staged/<uuid:staged_id>", suite_uploads.preview, name="suite_preview"),
    path("suites/staged/<uuid:staged_id>/accept", suite_uploads.accept, name="suite_accept"),
    path("suites/staged/<uuid:staged_id>/discard", suite_uploads.throw_away, name="suite_discard"),
    path("suites/<int:suite_id>/", suites.suite, name="suite"),
    path("suites/<int:suite_id>/delete", suites.delete, name="suite_delete"),
]
