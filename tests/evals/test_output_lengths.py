"""How long two systems' outputs are, beside what is preferred: counted, shown, told."""

import html
import io
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from scipy import stats

from annotate.models import Study
from evals.comparing import Lengths, compare
from evals.models import Case, Generation, Run, Suite
from evals.queries.output_lengths import Answers, LengthCell, LengthCells, length_cells, run_lengths
from evals.queries.runs import RunPair
from evals.reporting.output_lengths import length_finding, length_rows, run_length
from evals.reporting.run_report import run_report, run_report_in_words
from evals.stats.estimates import Estimate, Undefined
from tests.evals.factories import make_suite

pytestmark = pytest.mark.django_db

TIMED_OUT = {"text": None, "error": "No answer within 60 s.", "error_kind": "timeout"}
CALLED = {"text": None, "tool_calls": [{"name": "track", "arguments": "{}"}]}
REFUSED = {"text": None, "refusal": "I cannot."}


def answered(
    study: Study, suite: Suite, system: str, answers: Sequence[str | dict[str, Any]]
) -> Run:
    """A run that is done with these answers, case by case: texts, or columns of a generation."""
    run = Run.objects.create(
        study=study, number=Run.objects.filter(study=study).count() + 1, suite=suite, system=system,
        source="imported", model=f"{system}-model", state="done", ended_at=timezone.now(),
    )  # fmt: skip
    for case, answer in zip(suite.cases.order_by("position"), answers, strict=True):
        columns = {"text": answer} if isinstance(answer, str) else answer
        Generation.objects.create(
            run=run, case=case, position=case.position, state="done", done_at=timezone.now(),
            **columns,
        )  # fmt: skip
    return run


def pair_of(
    study: Study, baseline: Sequence[str | dict[str, Any]],
    candidate: Sequence[str | dict[str, Any]], categories: Sequence[str] = (),
) -> RunPair:  # fmt: skip
    suite = make_suite("open", len(baseline), categories=categories)
    return RunPair(
        answered(study, suite, "baseline", baseline), answered(study, suite, "candidate", candidate)
    )


def texts(*lengths: int) -> list[str]:
    return ["x" * length for length in lengths]


def lengths_of(pair: RunPair) -> Lengths:
    return compare(pair).lengths


def the(found: Estimate | Undefined) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def told(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def compared(study: Study, **options: Any) -> str:
    out = io.StringIO()
    call_command("compare", study.slug, stdout=out, **options)
    return out.getvalue()


def test_means_and_their_paired_difference_are_those_of_the_textbook(study: Study) -> None:
    old, new = (10, 30, 20, 45, 5), (25, 60, 30, 80, 22)
    found = lengths_of(pair_of(study, texts(*old), texts(*new))).overall

    interval = stats.ttest_rel(new, old).confidence_interval(0.95)
    assert the(found.baseline).value == pytest.approx(np.mean(old))
    assert the(found.candidate).value == pytest.approx(np.mean(new))
    difference = the(found.difference)
    assert difference.value == pytest.approx(np.mean(new) - np.mean(old))
    assert (difference.low, difference.high) == pytest.approx((interval.low, interval.high))
    assert the(found.ratio).value == pytest.approx(sum(new) / sum(old))
    assert {one.n for one in map(the, (found.baseline, found.candidate, found.ratio))} == {5}


def test_characters_are_counted_not_bytes(study: Study) -> None:
    found = lengths_of(pair_of(study, ["日本語", "Straße"], ["naïve 🙂", "ok"])).overall

    assert (the(found.baseline).value, the(found.candidate).value) == (4.5, 4.5)


def test_a_failed_answer_has_no_length_and_its_case_counts_on_neither_side(study: Study) -> None:
    pair = pair_of(study, [*texts(10, 20), "x" * 999], [*texts(30, 50), TIMED_OUT])
    found = lengths_of(pair)

    assert (found.overall.cell.cases, found.overall.n) == (3, 2)
    assert the(found.overall.baseline).value == 15
    assert found.cells.candidate == Answers(cases=3, outputs=2, failed=1, empty=0)
    # What the system's own run says holds all that it wrote.
    assert run_lengths(pair.baseline).answers.outputs == 3
    assert run_lengths(pair.baseline).mean == pytest.approx((10 + 20 + 999) / 3)


def test_empty_text_is_an_output_and_a_call_without_a_word_is_none(study: Study) -> None:
    pair = pair_of(study, ["", "abcd", CALLED, REFUSED], texts(2, 4, 6, 7))
    found = lengths_of(pair)

    assert found.cells.baseline == Answers(cases=4, outputs=3, failed=0, empty=1)
    assert found.cells.baseline.without_text == 1
    # The refusal stands where the text would.
    assert the(found.overall.baseline).value == pytest.approx((0 + 4 + len("I cannot.")) / 3)


def test_categories_have_their_own_cases(study: Study) -> None:
    pair = pair_of(study, texts(1, 2, 3, 4, 5), texts(2, 4, 6, 8, 10), ("koala", "vicuna"))
    found = lengths_of(pair)

    cells = {group.cell.category: group for group in found.categories}
    assert {name: group.cell.cases for name, group in cells.items()} == {"koala": 2, "vicuna": 3}
    assert the(cells["koala"].baseline).value == 3
    assert the(cells["vicuna"].candidate).value == 6


def test_no_text_on_one_side_leaves_a_reason_and_no_number(study: Study) -> None:
    found = compare(pair_of(study, texts(3, 4), [TIMED_OUT, CALLED]))

    assert found.lengths.overall.ratio == Undefined("no case has a text of both systems")
    assert length_finding(found) == (
        "Nothing can be said of lengths: no case has a text of both systems."
    )
    rows, _ = length_rows(found)
    assert (rows[0].baseline.value, rows[0].left_out) == ("–", 2)


def test_the_interval_of_a_length_does_not_begin_below_none(study: Study) -> None:
    found = the(lengths_of(pair_of(study, texts(1, 400), texts(2, 900))).overall.candidate)

    assert found.low == 0
    assert found.method.endswith("cut at 0")


def finding(study: Study, old: Sequence[int], new: Sequence[int]) -> str:
    return length_finding(compare(pair_of(study, texts(*old), texts(*new))))


def test_a_much_longer_system_is_named_with_what_it_does_to_a_preference(study: Study) -> None:
    some, more = [*range(80, 120)], [*range(170, 210)]
    up, down = finding(study, some, more), finding(study, more, some)

    assert up.startswith("The candidate’s outputs are 1.90 times as long as the baseline’s (95")
    assert up.endswith("a preference for the candidate may be one for length.")
    assert down.startswith("The candidate’s outputs are 0.53 times as long as the baseline’s (95")
    assert down.endswith("a preference for the baseline may be one for length.")


def test_like_lengths_are_said_to_show_nothing_and_a_small_gap_warns_of_nothing(
    study: Study,
) -> None:
    some = [*range(80, 120)]
    turned = finding(study, some, some[::-1])
    little = finding(study, some, [one + 3 + one % 2 for one in some])

    assert turned.startswith("Neither system is shown to write longer: the candidate’s outputs are")
    assert little.startswith("The candidate’s outputs are 1.04 times as long")
    assert "preference" not in turned + little


def test_lengths_that_never_differ_are_told_without_an_interval(study: Study) -> None:
    assert finding(study, [7, 9], [7, 9]) == "On each of 2 cases both outputs are equally long."
    assert finding(study, [7, 9], [14, 18]) == (
        "On each of 2 cases the candidate’s output is 2.00 times as long as the baseline’s."
    )
    assert finding(study, [4], [4]) == "On the one case both outputs are equally long."


def test_a_suite_without_categories_has_one_row_and_splits_have_theirs(study: Study) -> None:
    pair = pair_of(study, texts(1, 2, 3), texts(2, 3, 5))
    assert [row.name for row in length_rows(compare(pair))[0]] == ["All cases"]

    first = Case.objects.filter(suite=pair.suite).first()
    assert first is not None
    Case.objects.create(
        suite=pair.suite, position=4, case_id="g", messages=[], category="maths", split="general"
    )
    for run in pair.runs:
        run.generations.create(
            case=pair.suite.cases.get(position=4), position=4, state="done", text="four",
            done_at=timezone.now(),
        )  # fmt: skip
    names = [row.name for row in length_rows(compare(pair))[0]]
    assert names == ["All cases", "Target", "(no category)", "General", "maths"]


def test_many_categories_are_cut_on_the_page_and_counted() -> None:
    cells = LengthCells(
        categories=[LengthCell("target", f"c{n}", 1, 1) for n in range(70)],
        splits=[LengthCell("target", "", 70, 70)],
    )

    class Found:
        lengths = Lengths(cells)

    rows, left_out = length_rows(Found, most=60)  # type: ignore[arg-type]
    assert (len(rows), left_out) == (60, 11)


def test_the_page_of_a_comparison_shows_both_lengths_and_who_is_left_out(
    study: Study, lena_client: Client
) -> None:
    pair = pair_of(
        study, [*texts(1000, 1100, 1200), "x"], [*texts(2300, 2100, 2500), TIMED_OUT],
        ("koala", "vicuna"),
    )  # fmt: skip
    page = told(lena_client.get(reverse("comparison", args=[study.slug, pair.suite.pk])).text)

    assert "Length of the outputs The candidate’s outputs are 2.09 times as long" in page
    assert "All cases 3 1 without a text of both 2,300.0 1,803 to 2,797 1,100.0" in page
    assert "+1,200.0 +770 to +1,630 2.09 ×" in page
    assert "koala 1 1 without a text of both 2,100.0 one value has no interval" in page
    assert "Of the candidate: 1 that failed has no length." in page


def test_the_page_of_a_run_sums_its_own_outputs_up(study: Study, lena_client: Client) -> None:
    pair = pair_of(study, texts(1, 2, 3, 4), [*texts(10, 20), "", CALLED])
    address = reverse("run", args=[study.slug, pair.candidate.number])

    assert (
        "Mean length of an output, in characters: 10.0 0.0 to 34.8 3 outputs t interval at 95 %. "
        "1 without text (calls of tools alone) has no length; 1 is empty and counts 0 characters."
    ) in told(lena_client.get(address).text)
    assert run_length(pair.baseline).note == ""


def test_a_run_tells_the_length_of_its_outputs_in_json(study: Study) -> None:
    length = run_report(pair_of(study, texts(1, 3), [TIMED_OUT, "x"]).candidate)["length"]

    assert (length["unit"], length["mean"]["value"], length["mean"]["n"]) == ("characters", 1, 1)
    assert "Mean length: 1.0" in run_report_in_words(run_report(Run.objects.latest("number")))
    assert length["outputs"] == {"with_text": 1, "empty": 0, "without_text": 0, "failed": 1}


def test_the_run_of_a_judge_has_no_length(study: Study, lena_client: Client) -> None:
    run = answered(study, make_suite("judged", 2), "judge", ["A", "B"])

    page = lena_client.get(reverse("run", args=[study.slug, run.number])).text
    assert "Mean length" not in page


def test_compare_tells_lengths_in_eighty_columns_and_in_json(study: Study) -> None:
    old, new = texts(1000, 1100, 1200, 900), texts(12300, 12100, 12500, 12900)
    pair_of(study, old, new, ("instructions in several steps", "koala"))

    text, answer = compared(study), json.loads(compared(study, json=True))

    lines = text[text.index("Length, characters") :].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[1].split(maxsplit=3) == [
        "All", "cases", "4", "12,450 (11,906 to 12,994)     1,050.0 (845 to 1,255)",
    ]  # fmt: skip
    # A name without room stands on a line of its own.
    assert lines[2] == "    instructions in several steps"
    assert "Mean paired difference: +11,400 (" in text
    length = answer["length"]
    assert length["unit"] == "characters"
    assert length["overall"]["difference"]["value"] == pytest.approx(11_400)
    assert [(one["category"], one["cases"]) for one in length["categories"]] == [
        ("instructions in several steps", 2),
        ("koala", 2),
    ]
    assert length["outputs"]["candidate"] == {
        "with_text": 4, "empty": 0, "without_text": 0, "failed": 0,
    }  # fmt: skip


def test_compare_says_why_there_is_no_length(study: Study) -> None:
    pair_of(study, texts(3), [TIMED_OUT])

    assert "Nothing can be said of lengths: no case has a text of both" in compared(study)


def test_lengths_take_one_query_however_many_cases(
    study: Study, django_assert_num_queries: Any
) -> None:
    pair = pair_of(study, texts(*range(30)), texts(*range(30)))
    with django_assert_num_queries(1):
        length_cells(pair)
