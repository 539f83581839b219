"""Every page that each role may open, in a real browser: readable, reachable, and quiet.

The table of who may open what names the pages, so a new page is toured as soon as it has its row.
"""

from typing import Any

import pytest
from django.urls import reverse

from annotate.models import Study, User
from tests.access import TABLE
from tests.factories import judge_next, make_batch, make_study
from tests.world import ROLES, World, make_world

pytestmark = pytest.mark.browser

# Answers that are no page: files, a picture, a word for machines.
FILES = {
    "decision_file",
    "export",
    "comparison_figure_image",
    "figure_image",
    "healthz",
    "mfa_totp_picture",
    "mfa_download_recovery_codes",
    "verdict_file",
}
RESULTS = ("study", "progress", "annotators", "preference", "agreement", "disputed", "decision")
MATERIAL = ("rubric", "assignments", "batches", "exports", "policy")
BROKEN = b"item_id,prompt,baseline_output,candidate_output\nq-1,Why?,,Because\nq-1,,Yes,No\n"


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
