"""Comparisons in a browser: led through by keys, nothing overflows, hostile outputs do nothing."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from annotate.models import Study, User
from tests.browser.conftest import Visitor
from tests.evals.comparing_inputs import calling, knowledge


def test_j_and_k_lead_from_case_to_case_and_are_dead_in_fields(
    visitor: Visitor, lena: User, study: Study
) -> None:
    suite = knowledge(study)
    page = visitor.page(lena)
    page.goto(reverse("cases", args=[study.slug, suite.pk]) + "?show=regressions")
    page.get_by_role("link", name="knowledge-2", exact=True).click()
    page.wait_for_url(re.compile(r"/cases/2\?show=regressions"))

    page.keyboard.press("j")
    page.wait_for_url(re.compile(r"/cases/7\?show=regressions"))
    page.keyboard.press("k")
    page.wait_for_url(re.compile(r"/cases/2\?show=regressions"))

    page.goto(reverse("cases", args=[study.slug, suite.pk]))
    page.get_by_role("searchbox").fill("")
    page.get_by_role("searchbox").press("j")
    expect(page.get_by_role("searchbox")).to_have_value("j")
    assert "after=" not in page.url


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_is_wider_than_its_window(
    visitor: Visitor, lena: User, study: Study, width: int
) -> None:
    general, calls = knowledge(study), calling(study)
    page = visitor.page(lena, viewport={"width": width, "height": 900})
    addresses = [
        reverse("automated", args=[study.slug]),
        reverse("comparison", args=[study.slug, general.pk]) + "?scorer=exact_match&corpus=1",
        reverse("cases", args=[study.slug, calls.pk]),
        reverse("case", args=[study.slug, calls.pk, 3]) + "?view=markdown",
    ]

    for address in addresses:
        page.goto(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        assert not pwned(page)


def pwned(page: Page) -> bool:
    return bool(page.evaluate("'__pwned' in window"))
