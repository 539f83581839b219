"""From an empty site to a signed decision: without JavaScript, and by keyboard alone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotate.models import Judgement, Role, State, Study
from evals.models import Decision
from tests.browser.conftest import Visitor
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.browser

LINES = "prompt,baseline_output,candidate_output\nWhy?,No.,Because.\nWhen?,Never.,Now.\n"
FILE: Any = {"name": "june.csv", "mimeType": "text/csv", "buffer": LINES.encode()}
WIDE = 60


def test_a_study_goes_from_a_file_to_a_signed_decision_without_javascript(visitor: Visitor) -> None:
    make_user("Adam", role=Role.ADMIN, password=PASSWORD)
    alice = make_user("Alice")
    adam = visitor.page(java_script_enabled=False)
    adam.goto("/")

    adam.get_by_label("E-mail address").fill("adam@example.org")
    adam.get_by_label("Password").fill(PASSWORD)
    adam.get_by_role("button", name="Sign in").click()
    adam.get_by_role("link", name="New study").click()
    adam.get_by_label("Name", exact=True).fill("Answers of June")
    adam.get_by_label("Baseline").fill("Old 1")
    adam.get_by_label("Candidate").fill("New 2")
    adam.get_by_label("Judgements per item").fill("1")
    adam.get_by_role("button", name="Make the study").click()
    study = Study.objects.get()
    assert (study.name, study.overlap, study.criteria.count()) == ("Answers of June", 1, 4)

    follow(adam, "Batches")
    adam.get_by_role("link", name="Upload a batch").click()
    adam.get_by_label("File", exact=True).set_input_files(FILE)
    adam.get_by_role("button", name="Upload and check").click()
    expect(adam.get_by_role("heading", level=1)).to_have_text("2 items can come in")
    assert not study.items.exists()
    adam.get_by_role("button", name="Import 2 items").click()
    expect(adam.get_by_role("heading", level=1)).to_contain_text("2 items, imported")

    follow(adam, "People")
    adam.get_by_label("Person").select_option(label=str(alice))
    adam.get_by_role("button", name="Put on the study").click()
    expect(adam.get_by_role("heading", level=1)).to_have_text("1 annotator on this study")
    follow(adam, "Rubric")
    adam.get_by_role("button", name="Open the study").click()
    expect(adam.get_by_role("heading", level=1)).to_have_text("Answers of June is open")

    judge(visitor.page(alice, java_script_enabled=False))
    assert Judgement.objects.get().ratings.count() == 4

    follow(adam, "Preference")
    expect(adam.locator("main")).to_contain_text("1 judgement of 1 item by 1 annotator")
    follow(adam, "Decision")
    expect(adam.get_by_role("heading", level=1)).to_contain_text("NOT YET")
    adam.get_by_label("Do not ship").check()
    adam.get_by_label("Rationale").fill("One judgement is not enough.")
    adam.get_by_role("button", name="Sign as Adam").click()
    expect(adam.get_by_role("heading", level=1)).to_contain_text("signed by Adam")
    decision = Decision.objects.get()
    assert (decision.choice, decision.verdict) == ("stop", "NOT YET")
    assert decision.rationale == "One judgement is not enough."


def judge(page: Page) -> None:
    """The first item, as somebody does who has nothing but the mouse."""
    page.goto("/")
    page.get_by_role("button", name="Start judging").click()
    for strip in page.locator("#rubric .q").all():
        strip.get_by_role("radio").last.check()
    page.get_by_role("button", name="Save and next").click()
    expect(page.locator(".bar b")).to_have_text("1")


def follow(page: Page, name: str) -> None:
    """Somewhere else in the study."""
    page.get_by_role("navigation", name="Study").get_by_role("link", name=name).click()


def test_a_study_goes_from_a_file_to_a_signed_decision_by_keyboard_alone(visitor: Visitor) -> None:
    make_user("Adam", role=Role.ADMIN, password=PASSWORD)
    make_user("Alice")
    page = visitor.page()
    page.goto("/")
    keys = Keys(page)

    keys.reach("E-mail address").type("adam@example.org")
    keys.reach("Password").type(PASSWORD)
    keys.go("Sign in")
    keys.go("New study")
    keys.reach("Name").type("Answers of June")
    keys.reach("Baseline: the system in use").type("Old 1")
    keys.reach("Candidate: the system that wants to replace it").type("New 2")
    keys.reach("Preference scale").press("ArrowDown")
    keys.reach("Offer “Both bad” beside the scale").press("Space")
    keys.go("Make the study")
    study = Study.objects.get()
    assert (study.name, study.scale, study.both_bad) == ("Answers of June", 5, True)

    keys.go("Batches")
    keys.go("Upload a batch")
    with page.expect_file_chooser() as chooser:
        keys.reach("File").press("Enter")
    chooser.value.set_files(FILE)
    keys.go("Upload and check")
    keys.go("Import 2 items")
    assert study.items.count() == 2

    keys.go("People")
    keys.reach("Person").type("Al")
    keys.go("Put on the study")
    keys.go("Rubric")
    keys.go("Open the study")
    study.refresh_from_db()
    assert (study.state, study.assignments.count()) == (State.OPEN, 1)

    keys.go("Decision")
    keys.reach("Hold.", by=starts_with).press("ArrowDown").press("ArrowDown")
    keys.reach("Rationale").type("Nobody has judged.")
    keys.go("Sign as Adam")
    assert Decision.objects.get().choice == "stop"


def starts_with(name: str, sought: str) -> bool:
    return name.startswith(sought)


def equals(name: str, sought: str) -> bool:
    return name == sought


class Keys:
    """A keyboard, and no other way: Tab until a control is reached, then type."""

    # What the control is called: the label, the words on it, or what it was given as a name.
    NAME = """() => {
      const here = document.activeElement;
      const words = here.labels?.[0] ?? here;
      const own = [...words.childNodes].filter((node) => !node.classList?.contains("sub"));
      return (here.ariaLabel ?? own.map((node) => node.textContent).join("")).trim();
    }"""

    def __init__(self, page: Page) -> None:
        self.page = page

    def reach(self, sought: str, by: Callable[[str, str], bool] = equals) -> "Keys":
        met = []
        for _ in range(WIDE):
            self.page.keyboard.press("Tab")
            met.append(self.page.evaluate(self.NAME))
            if by(met[-1], sought):
                return self
        raise AssertionError(f"Tab does not reach {sought!r}, only {met}")

    def press(self, key: str) -> "Keys":
        self.page.keyboard.press(key)
        return self

    def type(self, text: str) -> "Keys":
        self.page.keyboard.type(text)
        return self

    def go(self, sought: str) -> None:
        """Reach it, press Enter, and wait for the page that it leads to."""
        self.reach(sought)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
