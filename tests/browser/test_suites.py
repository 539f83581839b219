"""Suites in a real browser: refused, looked at, imported; with scripts and without."""

from pathlib import Path

import pytest

from evals.models import Suite
from evals.suites import add_shipped
from tests.browser.conftest import Visitor
from tests.browser.touring import Tour
from tests.evals.suite_inputs import CASES, lines
from tests.factories import make_user

pytestmark = pytest.mark.browser

HOSTILE = [
    *CASES,
    {
        "id": "h-" + "1" * 200,
        "prompt": "<script>document.title = 'taken over'</script> \u202e" + "x" * 500,
        "expected": ["<img src=x onerror=\"document.title = 'taken over'\">"],
        "category": "<b>" + "y" * 300,
        "note": {"<i>": "z" * 400},
    },
    {"id": "open", "prompt": "Hi", "tools": CASES[2]["tools"]},
]
FAULTY = [{"prompt": "Hi", "scorer": "rouge"}, {"prompt": "x" * 50, "split": "w" * 500}]


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    made = {"hostile": HOSTILE, "faulty": FAULTY}
    for name, records in made.items():
        (tmp_path / f"{name}.jsonl").write_text(lines(records), "utf-8")
    return {name: tmp_path / f"{name}.jsonl" for name in made}


def test_a_suite_is_refused_mended_looked_at_and_imported(
    visitor: Visitor, files: dict[str, Path]
) -> None:
    adam = make_user("Adam", role="admin")
    tour = Tour(visitor.context(adam, reduced_motion="reduce").new_page())
    page = tour.page
    tour.visit("/suites/")
    tour.visit("/suites/upload")

    page.set_input_files("input[name=file]", files["faulty"])
    page.click("text=Upload and check")
    page.wait_for_selector(".faults")
    assert page.text_content("h1") == "Fix two lines, then the suite can come in"
    tour.look("refused")

    page.set_input_files("input[name=file]", files["hostile"])
    page.click("text=Check again")
    page.wait_for_url("**/staged/**")
    assert page.text_content("h1") == "5 cases can come in"
    for closed in page.query_selector_all("details"):
        closed.evaluate("one => one.open = true")
    tour.look("preview")

    page.click("text=Import 5 cases")
    page.wait_for_url("**/suites/*/")
    for closed in page.query_selector_all("details"):
        closed.evaluate("one => one.open = true")
    tour.look("suite")
    assert "taken over" not in page.title()
    assert Suite.objects.get().case_count == 5
    assert tour.wrong == []


def test_without_scripts_it_comes_in_just_as_well(visitor: Visitor, files: dict[str, Path]) -> None:
    add_shipped("tool_calling")
    adam = make_user("Adam", role="admin")
    page = visitor.page(adam, java_script_enabled=False)
    page.goto("/suites/upload")

    page.set_input_files("input[name=file]", files["hostile"])
    page.fill("input[name=name]", "hostile_cases")
    page.click("text=Upload and check")
    page.click("text=Import 5 cases")
    page.wait_for_url("**/suites/*/")

    assert Suite.objects.get(name="hostile_cases").case_count == 5
    page.click("text=Delete version 1")
    page.wait_for_url("**/suites/")
    assert [suite.name for suite in Suite.objects.all()] == ["tool_calling"]
