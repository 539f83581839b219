"""Pages of runs in a browser: what a choice would take, and a page that follows its run."""

from annotate.models import Role
from evals.models import Generation
from evals.running import start_runs, work_on
from tests.browser.conftest import Visitor
from tests.evals.factories import make_endpoint, make_suite
from tests.evals.running_inputs import answering, here, questions, suite_of
from tests.factories import make_study, make_user


def test_what_is_chosen_is_reckoned_at_once_and_started_by_one_press(visitor: Visitor) -> None:
    adam = make_user("Adam", role=Role.ADMIN)
    study, suite = make_study("Runs"), make_suite(cases=12)
    service = make_endpoint("Fern", max_tries=2)
    page = visitor.page(adam)

    page.goto(f"/studies/{study.slug}/runs/new")
    page.select_option("#id_suite", str(suite.pk))
    page.select_option("#id_candidate", str(service.pk))
    page.wait_for_selector("#forecast table")
    told = page.inner_text("#forecast")
    page.dblclick("button:text-is('Start')")
    page.wait_for_url(f"**/studies/{study.slug}/runs/1")

    assert "12" in told
    assert "24 if every case needs all its tries" in told
    assert study.runs.count() == 1
    assert "0 of 12 cases answered" in page.inner_text("h1")


def test_a_page_follows_its_run_and_rests_when_it_has_ended(visitor: Visitor) -> None:
    adam, study = make_user("Adam", role=Role.ADMIN), make_study("Runs")
    (run,) = start_runs(study, suite_of(questions(6)), {"candidate": make_endpoint(concurrency=1)})
    page = visitor.page(adam)
    page.goto(f"/studies/{study.slug}/runs/1")
    page.click("#cancel-button")

    def three_are_done() -> bool:
        return Generation.objects.filter(state="done").count() >= 3

    work_on([run], ask=answering(), connect=here, should_stop=three_are_done)
    page.wait_for_selector("h1:has-text('3 of 6 cases answered')")
    # What was opened stays open while the page follows.
    assert page.is_visible("#cancel")
    page.click("#cancel >> text=Go on")

    work_on([run], ask=answering(), connect=here)
    page.wait_for_selector("h1:has-text('All 6 cases are answered')")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)

    assert asked == []
    assert page.locator("#cancel-button").count() == 0
    assert page.get_by_role("button", name="Let people judge these answers").is_visible()
