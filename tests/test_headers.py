"""The headers that every answer bears, whatever it is: a page, a refusal or an error."""

import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from pytest_django import DjangoDbBlocker

from config.urls import handler400, handler403, handler404, handler500, urlpatterns
from tests.access import TABLE
from tests.conftest import ROOT
from tests.world import ROLES, World, passing_world

__all__ = ["handler400", "handler403", "handler404", "handler500"]

POLICY = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "object-src 'none'",
}
# What is saved as a file gets nothing at all, should a browser show it after all.
DOWNLOAD = {"sandbox", "default-src 'none'"}
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@login_not_required
def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("canary-of-a-stack-trace /srv/secret.py")


# What this module serves when it is the ROOT_URLCONF: the site, and a page that fails.
urlpatterns = [*urlpatterns, path("fail", fail, name="fail")]


def assert_guarded(answer: Any, what: str) -> None:
    policy = DOWNLOAD if answer.headers.get("Content-Disposition", "") else POLICY
    assert set(answer["Content-Security-Policy"].split("; ")) == policy, what
    assert {name: answer.get(name) for name in EVERYWHERE} == EVERYWHERE, what
    assert "no-store" in answer["Cache-Control"], what
    assert not [name for name in answer.headers if name.startswith("Access-Control")], what
    assert "ETag" not in answer.headers, what
    assert "Last-Modified" not in answer.headers, what


@pytest.fixture(scope="module")
def made(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    with django_db_blocker.unblock(), passing_world() as world:
        yield world


@pytest.fixture
def world(db: None, made: World) -> World:
    return made.anew()


@pytest.mark.parametrize("role", ROLES)
def test_every_page_of_the_site_bears_them(world: World, role: str) -> None:
    for name in TABLE:
        for method in ("get", "post", "options"):
            answer = getattr(world.client(role), method)(world.path(name))
            assert_guarded(answer, f"{method} {name} {answer.status_code}")


def answers_of_errors() -> Iterator[tuple[int, Any]]:
    visitor = Client(raise_request_exception=False)
    yield 404, visitor.get("/nothing/here")
    yield 500, visitor.get("/fail")
    yield 400, visitor.get("/", headers={"host": "evil.example"})
    yield 403, Client(enforce_csrf_checks=True).post("/accounts/login/")
    yield 302, visitor.get("/me/")
    yield 401, visitor.get("/me/", headers={"hx-request": "true"})
    yield 301, visitor.get("/me")
    yield 405, visitor.post("/healthz")


@pytest.mark.filterwarnings("ignore")
def test_errors_bear_them_too_and_say_nothing_of_the_inside(
    db: None, settings: LazySettings
) -> None:
    settings.ROOT_URLCONF = "tests.test_headers"
    settings.LOGGING_CONFIG = None
    for status, answer in answers_of_errors():
        assert answer.status_code == status
        assert_guarded(answer, str(status))
        for canary in (b"canary", b"secret.py", b"Traceback", b"RuntimeError", b"postgres"):
            assert canary not in answer.content


def test_other_origins_get_no_permission(db: None) -> None:
    for origin in ("https://evil.example", "null"):
        answer = Client().options(
            "/me/", headers={"origin": origin, "access-control-request-method": "POST"}
        )
        assert_guarded(answer, origin)
        strict = Client(enforce_csrf_checks=True)
        strict.get("/accounts/login/")
        token = strict.cookies["csrf"].value
        said = {"csrfmiddlewaretoken": token, "login": "x", "password": "y"}
        refused = strict.post("/accounts/login/", said, headers={"origin": origin})
        assert refused.status_code == 403


def test_no_page_holds_a_script_a_style_or_a_handler_of_its_own(world: World) -> None:
    for role in ROLES:
        for name in TABLE:
            answer = world.client(role).get(world.path(name))
            page = getattr(answer, "content", b"").decode(errors="replace")
            if not answer.headers.get("Content-Type", "").startswith("text/html"):
                continue
            if answer.headers.get("Content-Disposition"):
                continue  # a file to keep brings its own style, and is shown to nobody here
            for forbidden in ("<style", " style=", " onclick=", " onload=", "javascript:", "data:"):
                assert forbidden not in page, f"{name} for {role}: {forbidden}"
            inline = [part for part in page.split("<script")[1:] if not part.startswith(" src=")]
            assert [part for part in inline if 'type="application/json"' not in part] == []


SERVING = {
    "TOUCHSTONE_HOSTS": "touchstone.example.org",
    "TOUCHSTONE_SECRET_KEY": "0123456789" * 6,
    "DATABASE_URL": "postgresql://nobody@localhost:1/none",
}
ASK = """
import json
from django.conf import settings
names = ["SESSION_COOKIE_NAME", "SESSION_COOKIE_SECURE", "SESSION_COOKIE_HTTPONLY",
         "SESSION_COOKIE_SAMESITE", "CSRF_COOKIE_NAME", "SECURE_SSL_REDIRECT",
         "SECURE_HSTS_SECONDS", "ALLOWED_HOSTS", "BASE_URL", "DEBUG"]
print(json.dumps([getattr(settings, name) for name in names]))
"""


def started_with(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_serving_others_means_https_and_host_bound_cookies() -> None:
    said = started_with(SERVING, "-c", ASK)

    assert said.stdout.strip() == (
        '["__Host-session", true, true, "Lax", "__Host-csrf", true, 31536000, '
        '["touchstone.example.org"], "https://touchstone.example.org", false]'
    )


@pytest.mark.parametrize(("port", "begins"), [("", ":8000"), ("8123", ":8123")])
def test_links_lead_to_the_port_that_is_served(port: str, begins: str) -> None:
    ask = "from django.conf import settings; print(settings.BASE_URL)"
    local = {"TOUCHSTONE_HOSTS": "", "TOUCHSTONE_URL": "", "PORT": port}

    assert started_with(local, "-c", ask).stdout.strip() == f"http://localhost{begins}"


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({"TOUCHSTONE_SECRET_KEY": ""}, "TOUCHSTONE_SECRET_KEY is missing, simple"),
        ({"TOUCHSTONE_SECRET_KEY": "short"}, "TOUCHSTONE_SECRET_KEY is missing, simple or shorter"),
        ({"TOUCHSTONE_HOSTS": "*"}, "name the hosts"),
        ({"TOUCHSTONE_URL": "touchstone"}, "write the whole address"),
        ({"OIDC_SERVER_URL": "https://id.example.org"}, "also needs OIDC_CLIENT_ID"),
    ],
)
def test_an_unsafe_start_is_refused(environment: dict[str, str], complaint: str) -> None:
    said = started_with({**SERVING, **environment}, "-c", ASK)

    assert said.returncode == 1
    assert complaint in said.stderr.splitlines()[-1]


def test_djangos_own_checks_for_deployment_have_nothing_to_say() -> None:
    said = started_with(
        SERVING, "manage.py", "check", "--deploy", "--tag", "security", "--fail-level", "WARNING"
    )

    assert said.returncode == 0, said.stderr


def test_the_sign_on_service_is_the_only_other_place_that_forms_lead_to() -> None:
    service = {
        "OIDC_SERVER_URL": "https://id.example.org/realm",
        "OIDC_CLIENT_ID": "c",
        "OIDC_CLIENT_SECRET": "s",
    }
    ask = (
        "from django.conf import settings;"
        "print(settings.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action'])"
    )
    said = started_with(SERVING | service, "-c", ask)

    assert said.stdout.strip() == "[\"'self'\", 'https://id.example.org']"
