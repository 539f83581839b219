"""Words for the browser tests of the judging page."""

import re
from typing import Any

from playwright.sync_api import Page, expect

from annotate.claiming import claim_task
from annotate.models import Study, Task, User
from tests.factories import make_batch, make_study, make_user

COMPARED = [(name, "comparative") for name in ("correctness", "helpfulness", "safety", "format")]
SCORED = [(name, "score") for name, _ in COMPARED]
PATIENT = 15_000


def study_of(alice: User, items: Any = 3, **fields: Any) -> Study:
    study = make_study(annotators=[alice], overlap=1, **fields)
    make_batch(study, items)
    return study


def judging(name: str = "Alice", items: Any = 3, **fields: Any) -> tuple[User, Study, Task]:
    """A person with a task in hand."""
    user = make_user(name)
    study = study_of(user, items, **fields)
    return user, study, claim_task(study, user)


def open_task(page: Page, task: Task) -> None:
    page.goto(f"/tasks/{task.pk}/")
    expect(page.locator("#rubric .strip.now")).to_have_count(1)


def press(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def expect_judged(page: Page, count: int) -> None:
    """The page of the next item has come, and takes keys again."""
    expect(page.locator(".bar b")).to_have_text(str(count), timeout=PATIENT)
    page.wait_for_function("() => !window.judge.isFresh() && !window.judge.isSending")


def expect_done(page: Page) -> None:
    page.wait_for_url(re.compile("/done$"), timeout=PATIENT)
