"""Judging by keyboard and mouse: so many keys and no more, and none that surprises."""

import random
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from annotate.models import Flag, Judgement, Task
from tests.browser.conftest import Visitor
from tests.browser.judging import (
    COMPARED,
    SCORED,
    expect_done,
    expect_judged,
    judging,
    open_task,
    press,
)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("criteria", "keys"), [([], "2"), (COMPARED, "21323"), (SCORED, "212345123")]
)
def test_a_judgement_takes_so_many_keys(
    visitor: Visitor, criteria: list[tuple[str, str]], keys: str
) -> None:
    alice, _, task = judging(items=2, criteria=criteria)
    page = visitor.page(alice)
    open_task(page, task)

    press(page, keys[:-1])
    assert not Judgement.objects.exists()
    press(page, keys[-1])
    expect_judged(page, 1)
    press(page, keys)
    expect_done(page)

    assert len(keys) == 1 + sum(2 if kind == "score" else 1 for _, kind in criteria)
    assert Judgement.objects.count() == 2
    first = Judgement.objects.get(task=task)
    assert first.choice == 0
    assert first.ratings.count() == len(criteria)


def test_keys_are_dead_in_text_fields_and_sheets_and_with_modifiers(visitor: Visitor) -> None:
    alice, _, task = judging(items=1)
    page = visitor.page(alice)
    open_task(page, task)

    page.keyboard.press("Control+1")
    page.keyboard.press("Alt+2")
    page.keyboard.press("c")
    page.keyboard.type("1 us dfg?")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("1")
    page.keyboard.press("Escape")

    assert page.locator("#rubric input:checked").count() == 0
    assert page.input_value("textarea[name=comment]") == "1 us dfg?"
    page.keyboard.press("1")
    expect_done(page)
    assert Judgement.objects.get().comment == "1 us dfg?"


def test_every_key_does_what_its_button_says(visitor: Visitor) -> None:
    row = {"prompt": "p", "baseline_output": "**same** one", "candidate_output": "**same** two"}
    alice, _, task = judging(items=[row])
    page = visitor.page(alice)
    open_task(page, task)

    page.keyboard.press("d")
    expect(page.locator("#pair mark")).to_have_count(2)
    page.keyboard.press("m")
    expect(page.locator("#pair strong")).to_have_count(2)
    page.keyboard.press("m")
    expect(page.locator("#pair[data-view=plain]")).to_have_count(1)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("1")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.locator("#flag-button")).to_have_text(re.compile("Flagged"))

    assert set(Flag.objects.values_list("kind", flat=True)) == {"recognised", "harmful"}
    page.keyboard.press("s")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect_done(page)
    task.refresh_from_db()
    assert task.skip_reason == "known"


def test_undo_corrects_and_comes_back(visitor: Visitor) -> None:
    alice, _, task = judging(items=3)
    page = visitor.page(alice)
    open_task(page, task)
    press(page, "1")
    expect_judged(page, 1)
    second = page.url

    page.keyboard.press("u")
    expect(page.locator("#title")).to_have_text(re.compile("Correct your answer"))
    page.wait_for_function("() => !window.judge.isFresh()")
    assert page.locator("#rubric input:checked").get_attribute("value") == "-1"
    press(page, "3")
    expect(page.locator("#title")).to_have_text("Judge item 2 of 3")

    assert page.url == second
    assert list(Judgement.objects.order_by("version").values_list("choice", flat=True)) == [-1, 1]


def test_arrows_choose_without_moving_on_and_a_click_moves_on(visitor: Visitor) -> None:
    alice, _, task = judging(criteria=COMPARED)
    page = visitor.page(alice)
    open_task(page, task)

    page.locator("#q-overall input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    assert page.locator("#q-overall.now").count() == 1
    page.locator("#q-overall label").nth(2).click()
    expect(page.locator("#q-correctness.now")).to_have_count(1)
    page.locator("#q-format label").nth(0).click()
    expect(page.locator("#q-correctness.now")).to_have_count(1)

    assert not Judgement.objects.exists()
    assert page.locator("#to-go").inner_text() == "3 keys to go"


def test_save_with_something_missing_names_it_and_sends_nothing(visitor: Visitor) -> None:
    alice, _, task = judging(criteria=COMPARED[:2])
    page = visitor.page(alice)
    open_task(page, task)
    methods: list[str] = []
    page.on("request", lambda request: methods.append(request.method))

    press(page, "1")
    page.locator("#save").click()

    expect(page.locator("#notes")).to_contain_text("Correctness: choose an answer.")
    assert methods == []


def test_double_clicks_save_one_judgement_each(visitor: Visitor) -> None:
    count = 12
    alice, _, task = judging(items=count)
    page = visitor.page(alice)
    open_task(page, task)

    for number in range(1, count + 1):
        page.locator("#q-overall label").nth(number % 3).click()
        page.locator("#save").dblclick()
        if number < count:
            expect_judged(page, number)
            assert page.locator("#notes .note").count() == 0
    expect_done(page)

    assert Judgement.objects.count() == count
    assert Task.objects.filter(state="judged").count() == count


def test_choosing_the_side_of_a_text_prefers_the_system_that_wrote_it(visitor: Visitor) -> None:
    chance = random.Random(11)
    rows = [
        {"prompt": f"p{number}", "baseline_output": texts[0], "candidate_output": texts[1]}
        for number in range(16)
        for texts in [chance.sample(["It is ALPHA.", "It is BETA."], 2)]
    ]
    alice, _, task = judging(items=rows, scale=7)
    page = visitor.page(alice)
    open_task(page, task)

    for number in range(1, len(rows) + 1):
        is_left = "ALPHA" in page.locator("#left").inner_text()
        strength = chance.randint(1, 3)
        press(page, str(4 - strength if is_left else 4 + strength))
        if number < len(rows):
            expect_judged(page, number)
    expect_done(page)

    for judgement in Judgement.objects.select_related("task__item"):
        alpha_is_candidate = "ALPHA" in judgement.task.item.candidate_output
        assert (judgement.preference > 0) == alpha_is_candidate
        assert abs(judgement.preference) == abs(judgement.choice or 0) >= 1


def test_next_task_begins_at_its_top_with_the_focus_on_its_title(visitor: Visitor) -> None:
    long = {"baseline_output": "line\n\n" * 200, "candidate_output": "row\n\n" * 200}
    alice, _, task = judging(items=[{"prompt": f"p{number}", **long} for number in (1, 2)])
    page = visitor.page(alice)
    open_task(page, task)
    page.evaluate("() => window.scrollTo(0, 2000)")

    tops = page.evaluate(
        "() => ['left', 'right'].map((id) => document.getElementById(id).getBoundingClientRect().y)"
    )
    press(page, "1")
    expect_judged(page, 1)

    assert tops[0] == tops[1]
    assert page.evaluate("() => [window.scrollY, document.activeElement.id]") == [0, "title"]


@pytest.mark.parametrize("criteria", [COMPARED, SCORED])
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_page_is_accessible(
    visitor: Visitor, criteria: list[tuple[str, str]], width: int, scheme: str
) -> None:
    alice, _, task = judging(criteria=criteria, scale=7, both_bad=True, guidelines="**Be** fair.")
    viewport = {"width": width, "height": 900}
    page = visitor.page(alice, viewport=viewport, color_scheme=scheme)
    open_task(page, task)

    found = Axe().run(page).response["violations"]
    page.locator("[popovertarget=skip]").click()
    found += Axe().run(page).response["violations"]
    page.goto("/")
    found += Axe().run(page).response["violations"]

    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_judging_works_without_javascript(visitor: Visitor) -> None:
    alice, study, _ = judging(items=2, criteria=COMPARED[:1] + SCORED[1:2])
    page = visitor.page(alice, java_script_enabled=False)

    page.goto("/")
    page.get_by_role("button", name="Start judging").click()
    page.locator("#q-overall label").nth(0).click()
    page.locator("#save").click()
    expect(page.locator("#notes")).to_contain_text("Correctness: choose an answer.")
    assert page.locator("#q-overall input:checked").get_attribute("value") == "-1"
    page.locator("#q-correctness label").nth(2).click()
    for strip in (0, 1):
        page.locator("#q-helpfulness .scale").nth(strip).locator("label").nth(3).click()
    page.locator("#save").click()
    expect(page.locator(".bar b")).to_have_text("1")
    page.get_by_role("link", name="Differences").click()
    expect(page.locator("#pair mark")).not_to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#title")).to_have_text(re.compile("Correct your answer"))
    page.get_by_role("button", name="Leave as it was").click()
    page.locator("[popovertarget=skip]").click()
    page.get_by_label("The prompt is broken").check()
    page.locator("#skip").get_by_role("button", name="Skip").click()
    page.wait_for_url(re.compile("/done$"))

    assert Judgement.objects.count() == 1
    assert study.tasks.filter(state="skipped").count() == 1
