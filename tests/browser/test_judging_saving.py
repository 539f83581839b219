"""Nothing typed is lost, nothing is saved twice, and the page never lies about it."""

import re

import pytest
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, Route, expect

from annotate.models import Judgement, Rating, Study
from tests.browser.conftest import Visitor
from tests.browser.judging import (
    COMPARED,
    expect_done,
    expect_judged,
    judging,
    open_task,
    press,
)
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.browser


def write_comment(page: Page, text: str) -> None:
    page.keyboard.press("c")
    page.locator("textarea[name=comment]").fill(text)
    page.keyboard.press("Escape")
    expect(page.locator("#comment")).to_be_hidden()


def drafts(page: Page) -> int:
    return int(page.evaluate("() => Object.keys(localStorage).length"))


def test_draft_comes_back_when_the_page_was_closed_and_goes_when_it_is_saved(
    visitor: Visitor,
) -> None:
    alice, _, task = judging(items=2, criteria=COMPARED)
    context = visitor.context(alice)
    page = context.new_page()
    open_task(page, task)
    press(page, "213")
    write_comment(page, "half a thought")
    page.close()

    page = context.new_page()
    open_task(page, task)
    assert page.locator("#rubric input:checked").count() == 3
    assert page.input_value("textarea[name=comment]") == "half a thought"
    expect(page.locator("#q-safety.now")).to_have_count(1)
    press(page, "12")
    expect_judged(page, 1)

    assert Judgement.objects.get().comment == "half a thought"
    assert drafts(page) == 0
    assert page.input_value("textarea[name=comment]") == ""


def test_answer_given_offline_is_sent_once_when_the_network_is_back(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    context = visitor.context(alice)
    page = context.new_page()
    open_task(page, task)
    context.set_offline(True)

    press(page, "3")

    expect(page.locator("#saved")).to_have_text("Not saved, trying again")
    expect(page.locator("#notes")).to_contain_text("The server cannot be reached.")
    assert page.locator("#rubric input:checked").get_attribute("value") == "1"
    assert not Judgement.objects.exists()
    context.set_offline(False)
    expect_judged(page, 1)
    expect(page.locator("#saved")).to_have_text(re.compile(r"^Saved \d\d:\d\d$"))
    assert Judgement.objects.get().choice == 1


def test_answer_whose_acknowledgement_was_lost_is_one_judgement(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    page = visitor.page(alice)
    open_task(page, task)
    tries: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        tries.append(1)
        if len(tries) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route(re.compile(f"/tasks/{task.pk}/$"), lose_the_first_answer)
    press(page, "1")
    expect_judged(page, 1)

    assert len(tries) == 2
    assert Judgement.objects.count() == 1


def test_server_error_keeps_the_answer_and_tries_again(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    page = visitor.page(alice)
    open_task(page, task)
    codes = iter([503, 500])

    def fail_twice(route: Route) -> None:
        code = next(codes, None)
        if code is None:
            route.continue_()
        else:
            route.fulfill(status=code, body="<h1>broken</h1>", content_type="text/html")

    page.route(re.compile(f"/tasks/{task.pk}/$"), fail_twice)
    press(page, "1")
    expect(page.locator("#notes")).to_contain_text("The server cannot answer now.")
    expect(page.locator("#saved.not")).to_have_count(1)
    expect_judged(page, 1)

    assert Judgement.objects.count() == 1


def test_signed_out_and_in_again_the_answer_is_sent_once_and_whole(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    alice.set_password(PASSWORD)
    alice.save()
    context = visitor.context(alice)
    page = context.new_page()
    open_task(page, task)
    write_comment(page, "kept over the sign-in")
    Session.objects.all().delete()

    press(page, "1")
    expect(page.locator("#notes")).to_contain_text("You have been signed out.")
    expect(page.locator("#saved")).to_have_text("Not saved")
    assert not Judgement.objects.exists()
    with context.expect_page() as opened:
        page.get_by_role("link", name="Sign in").click()
    login = opened.value
    login.locator("[name=login]").fill(alice.email)
    login.locator("[name=password]").fill(PASSWORD)
    login.locator("[name=password]").press("Enter")
    login.wait_for_url(re.compile(r":\d+/$"))
    page.bring_to_front()

    expect_judged(page, 1)
    assert Judgement.objects.get().comment == "kept over the sign-in"


def test_form_whose_token_went_out_of_date_is_sent_again_with_a_new_one(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    context = visitor.context(alice)
    page = context.new_page()
    open_task(page, task)
    context.clear_cookies(name="csrf")

    press(page, "1")

    expect_judged(page, 1)
    assert Judgement.objects.count() == 1


def test_answer_is_not_sent_in_the_name_of_somebody_else(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    context = visitor.context(alice)
    page = context.new_page()
    open_task(page, task)
    context.clear_cookies()
    visitor.sign_in(context, make_user("Bob"))

    press(page, "1")

    expect(page.locator("#notes")).to_contain_text("not open to the account that is signed in now")
    assert not Judgement.objects.exists()


def test_second_tab_is_told_what_the_first_one_saved(visitor: Visitor) -> None:
    alice, _, task = judging(items=2)
    context = visitor.context(alice)
    first, second = context.new_page(), context.new_page()
    open_task(first, task)
    open_task(second, task)

    press(first, "1")
    expect_judged(first, 1)
    press(second, "3")

    expect(second.locator("#notes")).to_contain_text("Left better. That answer is kept.")
    expect(second.locator("#saved")).to_have_text("Not saved")
    assert second.locator("#rubric input:checked").get_attribute("value") == "1"
    second.get_by_role("button", name="go on to the next item").click()
    expect(second.locator("#title")).to_have_text("Judge item 2 of 2")
    assert Judgement.objects.get().choice == -1


def test_back_and_sending_again_changes_nothing(visitor: Visitor) -> None:
    alice, _, task = judging(items=3)
    page = visitor.page(alice)
    open_task(page, task)
    press(page, "1")
    expect_judged(page, 1)

    page.go_back()
    expect(page.locator("#title")).to_have_text(re.compile("Correct your answer"))
    page.wait_for_function("() => !window.judge.isFresh()")
    page.locator("#save").click()
    expect(page.locator("#title")).to_have_text("Judge item 2 of 3")

    assert Judgement.objects.count() == 1


def test_closed_study_says_so_and_keeps_what_was_typed(visitor: Visitor) -> None:
    alice, study, task = judging(items=2)
    page = visitor.page(alice)
    open_task(page, task)
    write_comment(page, "too late")
    Study.objects.filter(pk=study.pk).update(state="closed")

    press(page, "1")

    expect(page.locator("#notes")).to_contain_text("This study is closed")
    assert page.input_value("textarea[name=comment]") == "too late"
    assert not Judgement.objects.exists()


def test_required_comment_is_asked_for_before_anything_is_sent(visitor: Visitor) -> None:
    alice, _, task = judging(items=1, comments="required")
    page = visitor.page(alice)
    open_task(page, task)

    press(page, "1")
    expect(page.locator("#comment")).to_be_visible()
    page.keyboard.type("Because.")
    page.keyboard.press("Control+Enter")
    expect_done(page)

    assert Judgement.objects.get().comment == "Because."


def test_only_time_that_was_seen_and_used_is_counted(visitor: Visitor) -> None:
    alice, _, task = judging(items=1)
    # The server's clock bounds the time: it must have begun long ago.
    task.__class__.objects.filter(pk=task.pk).update(claimed_at="2026-01-01T00:00:00Z")
    page = visitor.page(alice)
    page.clock.install()
    open_task(page, task)
    set_hidden = """(hidden) => {
      Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
      document.dispatchEvent(new Event('visibilitychange'));
    }"""

    page.clock.run_for(20_000)
    page.evaluate(set_hidden, True)
    page.clock.run_for(300_000)
    page.evaluate(set_hidden, False)
    page.clock.run_for(10_000)
    page.reload()
    page.clock.run_for(400_000)
    page.keyboard.press("Shift")
    page.clock.run_for(5_000)
    press(page, "1")
    page.clock.run_for(1_000)
    expect_done(page)

    # 20 s, hidden, 10 s, reloaded, 60 s until it counts as idle, 5 s.
    judgement = Judgement.objects.get()
    assert 95_000 <= judgement.active_ms <= 98_000
    assert judgement.active_ms <= judgement.wall_ms


HOSTILE = [
    "<script>window.__pwned = 1</script>",
    '<img src="https://canary.invalid/x.png" onerror="window.__pwned = 1">',
    "![x](https://canary.invalid/x.png) [y](javascript:window.__pwned=1)",
    '<div hx-get="/" hx-trigger="load" hx-on::load="window.__pwned = 1">x</div>',
    '<form id="rubric"><input name="overall" autofocus onfocus="window.__pwned=1"></form>',
    '</div></section></main><style>*{display:none!important}</style><base href="//canary.invalid">',
    '{"name": "<img src=x onerror=window.__pwned=1>", "arguments": {"<b>": "<svg onload=1>"}}',
    "\u202eevil\u202c a\u200bb " + "Z\u0335\u0321" * 200 + " " + "w" * 20_000,
]


@pytest.mark.parametrize("view", ["plain", "markdown", "diff", "hidden"])
def test_hostile_texts_stay_texts(visitor: Visitor, view: str) -> None:
    rows = [
        {"prompt": text, "baseline_output": text, "candidate_output": f"{text} ."}
        for text in HOSTILE
    ]
    alice, _, task = judging(items=rows)
    page = visitor.page(alice)
    page.on("dialog", lambda dialog: visitor.complaints.append(dialog.message))
    page.goto(f"/tasks/{task.pk}/")
    height = page.locator("#rubric").bounding_box()

    for number in range(1, len(HOSTILE) + 1):
        page.goto(f"{page.url.split('?')[0]}?view={view}")
        expect(page.locator("#rubric .strip.now")).to_have_count(1)
        assert page.evaluate("() => window.__pwned") is None
        live = page.locator(".text :is(script, img, a, form, input, style, svg, base, [hx-get])")
        assert live.count() == 0
        assert page.locator("#rubric").bounding_box() == height
        assert page.evaluate("() => document.documentElement.scrollWidth") <= 1440
        press(page, "1")
        if number < len(HOSTILE):
            expect_judged(page, number)
    expect_done(page)

    assert not Rating.objects.exists()


def test_plain_text_in_the_page_is_what_was_stored(visitor: Visitor) -> None:
    text = "  Zwei\n\n\nAbsätze \t é e\u0301 مرحبا <b>&amp;</b>\n\n- end\n"
    row = {"prompt": text, "baseline_output": text, "candidate_output": "other"}
    alice, _, task = judging(items=[row])
    page = visitor.page(alice)
    open_task(page, task)

    side = "left" if task.candidate_side == "right" else "right"
    assert page.locator(f"#{side} .text").evaluate("(box) => box.textContent") == text


def test_two_outputs_of_200_000_characters_stay_usable(visitor: Visitor) -> None:
    paragraph = "The quick brown fox jumps over the lazy dog, again and again. " * 8 + "\n\n"
    long = paragraph * (200_000 // len(paragraph))
    row = {"prompt": "p", "baseline_output": long, "candidate_output": long[::-1]}
    alice, _, task = judging(items=[row, row | {"prompt": "q"}], criteria=COMPARED)
    page = visitor.page(alice)
    open_task(page, task)

    paint = page.evaluate("""() => new Promise((done) => {
      const begun = performance.now();
      document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '1', bubbles: true }));
      requestAnimationFrame(() => setTimeout(() => done(performance.now() - begun)));
    })""")
    loaded = page.evaluate("() => performance.getEntriesByType('navigation')[0].duration")
    press(page, "1231")
    expect_judged(page, 1)

    print(f"key to paint {paint:.0f} ms, page load {loaded:.0f} ms")
    assert paint < 200
    assert loaded < 4_000
