"""A page of a large study in a browser: it says how far the counting is, and opens by itself."""

from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Route, expect

from annotate.models import Study, User
from evals.queries import patience
from evals.views import counting
from tests.browser.conftest import Visitor
from tests.evals.simulation import judged_study

pytestmark = pytest.mark.browser

WAITING = "The judgements are being counted"


@pytest.fixture
def study(transactional_db: None, fresh_cache: None, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A large study, and every request's time is up after one block."""
    monkeypatch.setattr(counting, "SECONDS", 0.0)
    monkeypatch.setattr(patience, "BEARABLE", 0.0)
    return judged_study(items=32, annotators=4, blocks=4)


def test_the_page_and_its_regions_open_by_themselves(
    visitor: Visitor, lena: User, study: Study
) -> None:
    page = visitor.page(lena)
    answer = page.goto(reverse("agreement", args=[study.slug]))
    assert answer is not None
    assert answer.status == 202

    expect(page.get_by_role("heading", level=1)).not_to_have_text(WAITING)
    expect(page.get_by_role("heading", name="Each against the rest")).to_be_visible()
    expect(page.get_by_role("progressbar")).to_have_count(0)
    assert page.url.endswith(reverse("agreement", args=[study.slug]))


def test_what_it_says_meanwhile_is_a_whole_page(tour: Any, lena: User, study: Study) -> None:
    journey = tour(lena)
    journey.page.route("**/*", hold_when_it_asks_again)
    journey.visit(reverse("preference", args=[study.slug]), status=202)
    expect(journey.page.get_by_role("status")).to_contain_text("1 of 4 blocks of items")

    assert journey.wrong == []


def hold_when_it_asks_again(route: Route) -> None:
    if "counting-page" not in route.request.headers:
        route.continue_()
