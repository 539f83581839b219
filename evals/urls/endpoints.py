"""Model services, for admins."""

from django.urls import path

from evals.views import endpoints

urlpatterns = [
    path("endpoints/", endpoints.endpoints, name="endpoints"),
    path("endpoints/new", endpoints.endpoint_new, name="endpoint_new"),
    path("endpoints/<int:endpoint_id>", endpoints.endpoint, name="endpoint"),
    path("endpoints/<int:endpoint_id>/test", endpoints.endpoint_test, name="endpoint_test"),
    path(
        "endpoints/<int:endpoint_id>/archive", endpoints.endpoint_archive, name="endpoint_archive"
    ),
]
