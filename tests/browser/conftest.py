"""A real Chromium in front of a real server; whatever it complains about fails the test."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import LazySettings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from annotate.models import User
from tests.browser.chromium import find_chromium
from tests.browser.touring import TELL, Tour
from tests.conftest import client_of

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What Chromium and HTMX say of an answer that is no 2xx, or of none: the page deals with it.
ANSWERS = (
    "Failed to load resource",
    "Response Status Error Code",
    "htmx:sendError",
    "htmx:afterRequest",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: python -m tests.browser.chromium says what to do")
    with pytest.MonkeyPatch.context() as patch:
        # Playwright keeps an event loop in this thread; the tests' own queries are not in it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            yield started
            started.close()


@dataclass
class Visitor:
    """A browser of one person: contexts like theirs, and all that went wrong in them."""

    browser: Browser
    server: str
    complaints: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def context(self, user: User | None = None, **options: object) -> BrowserContext:
        options.setdefault("viewport", {"width": 1440, "height": 900})
        context = self.browser.new_context(base_url=self.server, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        if user is not None:
            self.sign_in(context, user)
        context.on("page", self.listen)
        return context

    def page(self, user: User | None = None, **options: object) -> Page:
        return self.context(user, **options).new_page()

    def sign_in(self, context: BrowserContext, user: User) -> None:
        cookie = client_of(user).cookies["session"].value
        context.add_cookies([{"name": "session", "value": cookie, "url": self.server}])

    def listen(self, page: Page) -> None:
        page.on("console", lambda said: self._heard(said.type, said.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not text.startswith(ANSWERS):
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if not url.startswith((self.server, "data:")):
            self.foreign.append(url)


@pytest.fixture
def visitor(
    transactional_db: None, settings: LazySettings, browser: Browser, live_server: LiveServer
) -> Iterator[Visitor]:
    made = Visitor(browser, live_server.url)
    yield made
    for context in made.contexts:
        context.close()
    assert made.complaints == []
    assert made.foreign == []


@pytest.fixture
def tour(visitor: Visitor) -> Iterator[Any]:
    tours: list[Tour] = []

    def start(user: User | None = None) -> Tour:
        context = visitor.context(user, reduced_motion="reduce")
        context.add_init_script(TELL)
        tours.append(Tour(context.new_page()))
        return tours[-1]

    yield start
    assert [line for one in tours for line in one.wrong] == []
