"""Every page that each role may open, in a real browser: readable, reachable, and quiet.

The table of who may open what names the pages, so a new page is toured as soon as it has its row.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Page

from annotate.models import Study, User
from tests.access import TABLE
from tests.browser.conftest import Visitor
from tests.factories import judge_next, make_batch, make_study
from tests.world import ROLES, World, make_world

pytestmark = pytest.mark.browser

WIDTHS = (1440, 390)
# Answers that are no page: files, a picture, a word for machines.
FILES = {"export", "healthz", "mfa_totp_picture", "mfa_download_recovery_codes"}
RESULTS = ("study", "progress", "annotators", "preference", "agreement", "disputed", "decision")
MATERIAL = ("rubric", "assignments", "batches", "exports", "policy")
BROKEN = b"item_id,prompt,baseline_output,candidate_output\nq-1,Why?,,Because\nq-1,,Yes,No\n"
# The page says it in its log, where the visitor hears every error.
TELL = """document.addEventListener("securitypolicyviolation",
  (event) => console.error(`policy: ${event.effectiveDirective} ${event.blockedURI}`))"""
SKELETON = """() => ({
  headings: document.querySelectorAll("h1").length,
  landmarks: document.querySelectorAll("main").length,
  title: document.title.replace("Touchstone", "").replace("·", "").trim() !== "",
  language: document.documentElement.lang,
  overflow: Math.max(0, document.documentElement.scrollWidth - innerWidth),
})"""
WHOLE = {"headings": 1, "landmarks": 1, "title": True, "language": "en", "overflow": 0}
# A radio of a strip is drawn by its label, and so is its ring.
RING = """() => {
  const here = document.activeElement;
  if (here === document.body) return "";
  const drawn = [here, here.closest("label")].filter(Boolean).map((one) => getComputedStyle(one));
  const ringed = drawn.some((one) => one.outlineStyle !== "none" && one.outlineWidth !== "0px");
  return ringed ? "" : here.outerHTML.slice(0, 120);
}"""
TABS = 6
AXE = """axe.run({resultTypes: ["violations"], elementRef: false})"""


@dataclass
class Tour:
    """One visit of many pages; what is wrong is gathered, and told at once."""

    page: Page
    script: str = field(default_factory=lambda: Axe().axe_script)
    wrong: list[str] = field(default_factory=list)

    def visit(self, path: str, *, status: int = 200) -> None:
        self.page.set_viewport_size({"width": WIDTHS[0], "height": 900})
        answer = self.page.goto(path)
        if answer is None or answer.status != status:
            self.wrong.append(f"{path}: {answer and answer.status}, not {status}")
        self.look(path)

    def look(self, path: str) -> None:
        """Both widths and both themes of the page that is open."""
        for width in WIDTHS:
            self.page.set_viewport_size({"width": width, "height": 900})
            found = self.page.evaluate(SKELETON)
            if found != WHOLE:
                self.wrong.append(f"{path} at {width}: {found}")
        self.page.evaluate(self.script)
        # Colours change with the theme, places with the width: two looks see each of the four.
        self._check(path, "light", WIDTHS[1])
        self._check(path, "dark", WIDTHS[0])
        self._tab(path)

    def _check(self, path: str, theme: Any, width: int) -> None:
        self.page.emulate_media(color_scheme=theme)
        self.page.set_viewport_size({"width": width, "height": 900})
        for found in self.page.evaluate(AXE)["violations"]:
            if found["impact"] in ("serious", "critical"):
                places = [node["html"][:160] for node in found["nodes"][:3]]
                self.wrong.append(f"{path} {theme} at {width}: {found['id']} {places}")

    def _tab(self, path: str) -> None:
        self.page.evaluate("scrollTo(0, 0)")
        for _ in range(TABS):
            self.page.keyboard.press("Tab")
            bare = self.page.evaluate(RING)
            if bare:
                self.wrong.append(f"{path}: no focus ring on {bare}")


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


@pytest.fixture
def world(transactional_db: None) -> World:
    return make_world()


def pages(role: str, unlike: str = "") -> list[str]:
    """The names of what `role` is shown, and `unlike` is not."""
    shown = {
        of: [name for name, (get, _) in TABLE.items() if get[column] == "K"]
        for column, of in enumerate(ROLES)
    }
    return [name for name in shown[role] if name not in [*shown.get(unlike, []), *FILES]]


def test_pages_before_signing_in(tour: Any, world: World) -> None:
    visit = tour().visit
    for name in pages("anonymous"):
        visit(world.path(name))
    visit("/nothing/here", status=404)
    visit("/join/nonsense", status=404)


def test_pages_of_annotators(tour: Any, world: World) -> None:
    visit = tour(world.users["alice"]).visit
    for name in ["home", *pages("alice", unlike="anonymous")]:
        visit(world.path(name))
    visit("/nothing/here", status=404)


def test_a_lead_who_judges_is_refused_on_a_whole_page(tour: Any, world: World) -> None:
    visit = tour(world.users["judy"]).visit
    visit(world.path("home"))
    visit(world.path("preference"), status=403)


def test_pages_of_leads(tour: Any, world: World) -> None:
    visit = tour(world.users["lena"]).visit
    for name in ["home", *pages("lena", unlike="alice")]:
        visit(world.path(name))


def test_pages_of_results_that_are_undefined(tour: Any, world: World) -> None:
    visit = tour(world.users["lena"]).visit
    for study in (empty(), unanimous(world.users["alice"], world.users["judy"])):
        for name in RESULTS:
            visit(reverse(name, args=[study.slug]))


def test_pages_of_admins(tour: Any, world: World) -> None:
    admin = tour(world.users["adam"])
    for name in ["home", "studies", *MATERIAL, *pages("adam", unlike="lena")]:
        admin.visit(world.path(name))


def test_an_upload_that_is_refused_says_so_on_a_whole_page(tour: Any, world: World) -> None:
    admin = tour(world.users["adam"])
    admin.page.goto(world.path("batch_new"))
    file: Any = {"name": "june.csv", "mimeType": "text/csv", "buffer": BROKEN}
    admin.page.locator("input[name=file]").set_input_files(file)
    admin.page.get_by_role("button", name="Upload and check").click()
    admin.page.get_by_role("heading", name="3 errors").wait_for()

    admin.look("the refused upload")


def empty() -> Study:
    """Nothing in it, nobody on it."""
    return make_study("Empty")


def unanimous(*annotators: User) -> Study:
    """All say the same of every item: agreement has nothing to be above chance."""
    study = make_study("Unanimous", annotators=annotators)
    make_batch(study, 3)
    for annotator in annotators:
        for _ in range(3):
            judge_next(study, annotator, choice=0)
    study.assignments.all().delete()
    return study
