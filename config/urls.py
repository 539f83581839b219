"""All addresses. Everything needs a sign-in unless its view says otherwise."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.http import require_safe

from annotate.emergency import site


@require_safe
@login_not_required
def healthz(request: HttpRequest) -> HttpResponse:
    """One word: the process answers and reaches its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("", include("annotate.urls")),
    path("", include("evals.urls")),
    path("accounts/", include("config.account_urls")),
    path("emergency/", site.urls),
]

handler400 = "config.http.bad_request"
handler403 = "config.http.permission_denied"
handler404 = "config.http.page_not_found"
handler500 = "config.http.server_error"
