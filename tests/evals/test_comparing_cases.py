"""Single cases of a comparison: which are found, in which order, page by page."""

from uuid import uuid4

import pytest

from annotate.models import Study
from evals.models import Generation, Score, ScorerVersion
from evals.queries.compared_cases import (
    Looking,
    case_around,
    case_counts,
    case_of,
    case_page,
    changed_cases,
)
from evals.queries.runs import RunPair
from tests.evals.factories import make_run, make_suite

pytestmark = pytest.mark.django_db


def pair_of(study: Study, cases: int = 6, **marks: list[bool | None]) -> RunPair:
    suite, together = make_suite(cases=cases), uuid4()
    return RunPair(
        *(
            make_run(study, suite, system, passed=marks.get(system, ()), pair=together)
            for system in ("baseline", "candidate")
        )  # type: ignore[arg-type]
    )


@pytest.fixture
def pair(study: Study) -> RunPair:
    """Case by case: both, regression, improvement, both failed, an error, both."""
    return pair_of(
        study,
        baseline=[True, True, False, False, True, True],
        candidate=[True, False, True, False, None, True],
    )


def positions(pair: RunPair, **looking: object) -> list[int]:
    return [row.position for row in case_page(pair, Looking(**looking)).rows]  # type: ignore[arg-type]


def test_each_filter_finds_its_cases(pair: RunPair) -> None:
    assert {
        show: positions(pair, show=show)
        for show in ("all", "regressions", "improvements", "failed", "passed", "errors", "unscored")
    } == {
        "all": [1, 2, 3, 4, 5, 6],
        "regressions": [2, 5],
        "improvements": [3],
        "failed": [4],
        "passed": [1, 6],
        "errors": [5],
        "unscored": [],
    }


def test_counts_say_what_each_filter_would_show(pair: RunPair) -> None:
    for looking in (Looking(), Looking(category="simple"), Looking(words="not")):
        counts = case_counts(pair, looking)
        for show, count in counts.items():
            there = Looking(show=show, category=looking.category, words=looking.words)
            assert len(case_page(pair, there).rows) == count


def test_split_and_category_narrow_the_list(pair: RunPair) -> None:
    assert positions(pair, category="edge_case") == [1, 4]
    assert positions(pair, split="general") == []


@pytest.mark.parametrize(
    ("words", "found"),
    [("What is 3", [3]), ("NOT 3", [3]), ("%", []), ("_", []), ("capitals-6", [6]), ("'", [])],
)
def test_words_are_found_in_ids_prompts_and_outputs_as_they_stand(
    pair: RunPair, words: str, found: list[int]
) -> None:
    assert positions(pair, words=words) == found


def test_pages_lead_through_all_cases_forth_and_back(study: Study) -> None:
    pair = pair_of(study, 60)
    first = case_page(pair, Looking())
    second = case_page(pair, Looking(), after=first.after)
    third = case_page(pair, Looking(), after=second.after)
    back = case_page(pair, Looking(), before=third.before)

    assert [len(page.rows) for page in (first, second, third)] == [25, 25, 10]
    assert (first.before, third.after) == (None, None)
    assert back == second
    assert case_page(pair, Looking(), before=second.before).before is None
    assert case_page(pair, Looking(), after=999).rows == []


def test_a_case_knows_its_neighbours_among_those_looked_at(pair: RunPair) -> None:
    around = case_around(pair, Looking(show="passed"), 6)

    assert (around.previous, around.next, around.number, around.total) == (1, None, 2, 2)
    assert case_around(pair, Looking(show="passed"), 3).number is None


def test_by_the_value_of_a_scorer_the_higher_one_wins(pair: RunPair) -> None:
    rouge = ScorerVersion.objects.create(name="rouge_l", signature="rouge_l|version:1")
    for position, values in enumerate([(0.5, 0.7), (0.5, 0.5), (0.9, 0.1), (0.4, None)], start=1):
        for run, value in zip(pair.runs, values, strict=True):
            Score.objects.create(
                generation=run.generations.get(position=position), scorer=rouge, own=False,
                value=value, reason="" if value is not None else "no words",
            )  # fmt: skip
    by = {"scorer": rouge.pk, "scorer_name": "rouge_l"}

    assert positions(pair, show="improvements", **by) == [1]
    assert positions(pair, show="ties", **by) == [2]
    assert positions(pair, show="regressions", **by) == [3]
    assert positions(pair, show="unscored", **by) == [4]
    assert positions(pair, show="all", **by) == [1, 2, 3, 4]


def test_own_scores_are_looked_at_by_the_name_of_their_scorer(pair: RunPair) -> None:
    assert positions(pair, show="regressions", scorer_name="exact_match") == [2, 5]


def test_a_case_comes_whole(pair: RunPair) -> None:
    found = case_of(pair, 5)

    assert found is not None
    case, baseline, candidate = found
    assert (case.position, baseline.run_id, candidate.run_id) == (5, *(r.pk for r in pair.runs))
    assert candidate.error == "No answer within 60 s."
    assert case_of(pair, 99) is None


def test_changed_cases_are_told_by_name(pair: RunPair) -> None:
    assert [row.case_id for row in changed_cases(pair, "regressions")] == [
        "capitals-2", "capitals-5",
    ]  # fmt: skip


def test_the_start_of_the_last_question_stands_for_a_conversation(study: Study) -> None:
    pair = pair_of(study, 1)
    row = case_page(pair, Looking()).rows[0]

    assert row.prompt == "What is 1?"
    assert row.baseline.text == "1"
    assert Generation.objects.count() == 2
