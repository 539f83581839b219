"""The renderer of a tab dies under the hands of its annotator: what was typed is there again."""

import os
import signal

import pytest
from playwright.sync_api import Browser, expect

from annotate.models import Judgement
from tests.browser.conftest import Visitor
from tests.browser.judging import COMPARED, expect_judged, judging, open_task, press

pytestmark = pytest.mark.browser


def renderers(browser: Browser) -> set[int]:
    """The processes that draw pages."""
    session = browser.new_browser_cdp_session()
    listed = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return {int(one["id"]) for one in listed if one["type"] == "renderer"}


def test_what_was_typed_survives_a_crashed_tab(visitor: Visitor) -> None:
    alice, _, task = judging(items=2, criteria=COMPARED)
    context = visitor.context(alice)
    others = renderers(visitor.browser)
    page = context.new_page()
    open_task(page, task)
    press(page, "21")
    page.keyboard.press("c")
    page.keyboard.type("half a thought")
    # What was typed last is kept a quarter of a second later.
    page.wait_for_timeout(600)

    with page.expect_event("crash"):
        for process in renderers(visitor.browser) - others:
            os.kill(process, signal.SIGKILL)

    assert not Judgement.objects.exists()
    page = context.new_page()
    open_task(page, task)
    assert page.locator("#rubric input:checked").count() == 2
    assert page.input_value("textarea[name=comment]") == "half a thought"
    expect(page.locator("#q-helpfulness.now")).to_have_count(1)
    press(page, "312")
    expect_judged(page, 1)
    judgement = Judgement.objects.get()
    assert judgement.comment == "half a thought"
    assert judgement.choice == 0
