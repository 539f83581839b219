"""A long context leaves room for the outputs on a phone, and stands open on a wide screen."""

import json

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.judging import expect_done, judging, open_task, press

pytestmark = pytest.mark.browser
PHONE = {"width": 390, "height": 844}
CONTEXT = "You answer questions of customers about their orders, in full sentences. " * 12
SHIFTS = """() => new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 300);
})"""


def rows(context: str) -> list[dict[str, str]]:
    prompt = [{"role": "system", "content": context}, {"role": "user", "content": "Where is it?"}]
    return [
        {
            "prompt": json.dumps(prompt),
            "baseline_output": "On its way. " * 20,
            "candidate_output": "It was sent yesterday. " * 20,
        }
    ]


def top_of_outputs(page: Page) -> float:
    box = page.locator("#left").bounding_box()
    assert box is not None
    return box["y"]


def test_on_a_phone_the_context_is_folded_and_opens_by_key_and_by_tap(visitor: Visitor) -> None:
    alice, _, task = judging(items=rows(CONTEXT))
    page = visitor.page(alice, viewport=PHONE)
    open_task(page, task)
    summary = page.locator(".folds summary")
    context = page.locator(".folds .text")

    expect(summary).to_have_text("Context, given to both")
    expect(context).to_be_hidden()
    assert top_of_outputs(page) < PHONE["height"] / 3
    assert page.evaluate(SHIFTS) < 0.01

    summary.focus()
    page.keyboard.press("Enter")
    expect(context).to_be_visible()
    page.keyboard.press("Enter")
    expect(context).to_be_hidden()
    summary.click()
    expect(context).to_be_visible()
    press(page, "1")
    expect_done(page)


def test_on_a_wide_screen_the_context_stands_open_without_anything_to_press(
    visitor: Visitor,
) -> None:
    alice, _, task = judging(items=rows(CONTEXT))
    page = visitor.page(alice)
    open_task(page, task)

    expect(page.locator(".folds .text")).to_be_visible()
    expect(page.locator(".folds summary")).to_be_hidden()
    assert page.evaluate(SHIFTS) < 0.01


def test_a_short_context_is_never_folded(visitor: Visitor) -> None:
    alice, _, task = judging(items=rows("Be brief."))
    page = visitor.page(alice, viewport=PHONE)
    open_task(page, task)

    expect(page.locator(".given .text")).to_be_visible()
    assert page.locator("details").count() == 0
