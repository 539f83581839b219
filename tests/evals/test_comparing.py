"""Two runs of a suite against each other."""

import json
from collections.abc import Sequence
from uuid import uuid4

import pytest

from annotate.models import Study
from evals.comparing import Comparison, compare, is_adversarial
from evals.models import Case, Generation
from evals.queries.runs import RunPair, latest_pair
from evals.stats.estimates import Estimate, Undefined
from tests.evals.factories import make_run, make_suite

pytestmark = pytest.mark.django_db
FIVE = ("arts", "geography", "history", "maths", "science")


def pair_of(
    study: Study, *, cases: int = 50, lost: str = "", split: str = "general",
    latencies: Sequence[float] = (),
) -> RunPair:  # fmt: skip
    """Both systems on a suite of five categories; of `lost` the candidate fails seven cases."""
    suite = make_suite("knowledge", cases, categories=FIVE, split=split)
    left, marks = 7, []
    for case in suite.cases.order_by("position"):
        fails = case.category == lost and left > 0
        left -= fails
        marks.append(not fails)
    together = uuid4()
    make_run(study, suite, "baseline", pair=together, latencies=latencies)
    make_run(study, suite, "candidate", pair=together, passed=marks, latencies=latencies)
    pair = latest_pair(study, "knowledge")
    assert pair is not None
    return pair


def comparison(study: Study, **fields: object) -> Comparison:
    return compare(pair_of(study, **fields))  # type: ignore[arg-type]


def test_the_one_category_that_fell_is_flagged_and_no_other(study: Study) -> None:
    found = comparison(study, lost="history")

    assert [row.name for row in found.regressed] == ["history"]
    assert {row.status for row in found.regression[1:]} == {"not enough cases"}
    assert all(row.more is not None and row.more > 50 for row in found.regression[1:])


def test_alike_systems_on_many_cases_show_that_nothing_was_lost(study: Study) -> None:
    found = comparison(study, cases=400)

    assert {row.status for row in found.regression} == {"no regression shown"}


def test_target_categories_are_no_matter_of_regression(study: Study) -> None:
    found = comparison(study, lost="history", split="target")

    assert found.regression == []
    assert found.split("general") is None


def test_a_wider_margin_tolerates_more(study: Study) -> None:
    pair = pair_of(study, lost="history")

    assert compare(pair, margin=0.8).regressed == []


def test_rates_are_of_the_same_cases_and_the_difference_is_theirs(study: Study) -> None:
    found = comparison(study, lost="arts").overall

    assert isinstance(found.baseline, Estimate)
    assert isinstance(found.candidate, Estimate)
    assert isinstance(found.difference, Estimate)
    assert (found.baseline.value, found.candidate.value) == (1.0, 43 / 50)
    assert found.difference.value == pytest.approx(-7 / 50)
    assert found.p == pytest.approx(2 * 2**-7)


def test_all_passed_says_what_it_means_at_least(study: Study) -> None:
    found = comparison(study, cases=20).overall

    assert found.least["candidate"] == pytest.approx(0.861, abs=5e-4)
    assert isinstance(found.p, Undefined)


def test_a_category_named_adversarial_is_gathered_from_both_splits(study: Study) -> None:
    suite = make_suite("mixed", 4, categories=("adversarial", "simple"))
    Case.objects.create(
        suite=suite, position=5, case_id="g", messages=[], category="Adversarial, injection",
        split="general", expected={"answers": ["5"]},
    )  # fmt: skip
    pair = RunPair(make_run(study, suite, "baseline"), make_run(study, suite, "candidate"))

    found = compare(pair).adversarial

    assert found is not None
    assert found.n == 3


@pytest.mark.parametrize(
    ("category", "expected"),
    [("adversarial", True), ("general/adversarial", True), ("Adversarial_2", True),
     ("nonadversarial", False), ("simple", False), ("", False)],
)  # fmt: skip
def test_adversarial_is_said_by_the_name_of_the_category(category: str, expected: bool) -> None:
    assert is_adversarial(category) is expected


def test_few_requests_give_no_ratio_of_p99_and_say_how_many_more(study: Study) -> None:
    found = comparison(study, latencies=[100.0 + n for n in range(50)]).speed

    assert found.more_for_p99 == 249
    assert isinstance(found.row("p99").ratio, Undefined)
    assert isinstance(found.row("p50").ratio, Estimate)
    # Outputs that were imported were not asked in turns, whoever measured them.
    assert not found.is_interleaved


def test_without_latencies_there_is_a_reason(study: Study) -> None:
    found = comparison(study).speed

    assert found.row("p50").baseline == Undefined("no request was measured")


def test_unscored_cases_are_counted_and_left_out(study: Study) -> None:
    suite = make_suite("open", 3, categories=())
    pair = RunPair(make_run(study, suite, "baseline"), make_run(study, suite, "candidate"))
    case = Case.objects.create(suite=suite, position=4, case_id="o", messages=[], expected={})
    for run in pair.runs:
        Generation.objects.create(
            run=run, case=case, position=4, state="done", text="x", done_at=run.ended_at
        )

    found = compare(pair).overall

    assert (found.n, found.cell.unscored) == (3, 1)


def test_json_is_one_document_without_a_number_that_is_none(study: Study) -> None:
    document = comparison(study, lost="maths").as_json()

    text = json.dumps(document, allow_nan=False)

    assert json.loads(text) == document
    assert document["regression"]["categories"][0] == {
        "category": "maths",
        "status": "regressed",
        "n": 10,
        "difference": document["categories"][3]["difference"],
        "p": 2**-7,
        "p_adjusted": 2**-7,
        "more_cases": None,
    }
    assert set(document["overall"]["difference"]) == {
        "value", "low", "high", "confidence", "n", "method",
    }  # fmt: skip
