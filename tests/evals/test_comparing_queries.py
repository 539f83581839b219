"""Runs counted inside PostgreSQL, held against a recount in Python."""

import random
from collections import Counter
from uuid import uuid4

import pytest
from django.utils import timezone

from annotate.models import Study
from evals.models import Case, Generation, Run, Score, ScorerVersion, Suite
from evals.queries.run_facts import run_facts, scorer_cells, unscored_reasons
from evals.queries.runs import (
    RunPair,
    chosen_pair,
    latest_pair,
    own_counts,
    paired_counts,
    suites_run,
)
from tests.evals.factories import make_run, make_suite

pytestmark = pytest.mark.django_db
OUTCOMES = (True, False, None)


def bare_run(study: Study, suite: Suite, system: str) -> Run:
    """A run that is done, with answers and no score yet."""
    run = Run.objects.create(
        study=study, number=Run.objects.filter(study=study).count() + 1, suite=suite,
        system=system, source="imported", state="done", ended_at=timezone.now(),
    )  # fmt: skip
    for case in suite.cases.all():
        Generation.objects.create(
            run=run, case=case, position=case.position, state="done", text="some",
            done_at=timezone.now(),
        )  # fmt: skip
    return run


def score(run: Run, position: int, scorer: ScorerVersion, *, own: bool = True,
          value: float | None, passed: bool | None = None) -> None:  # fmt: skip
    Score.objects.create(
        generation=run.generations.get(position=position), scorer=scorer, own=own, value=value,
        passed=passed, reason="" if value is not None else "no mark",
    )  # fmt: skip


def scorer(name: str, **fields: object) -> ScorerVersion:
    return ScorerVersion.objects.create(name=name, signature=f"{name}|{uuid4()}", **fields)


def test_cells_equal_a_recount_case_by_case(study: Study) -> None:
    rng = random.Random(3)
    suite = make_suite(cases=60, categories=("a", "b", "c"))
    marks = [[rng.choice(OUTCOMES) for _ in range(60)] for _ in range(2)]
    baseline = make_run(study, suite, "baseline", passed=marks[0])
    candidate = make_run(study, suite, "candidate", passed=marks[1])

    cells = paired_counts(baseline, candidate)

    wanted = Counter(
        (case.category, bool(b), bool(c))
        for case, b, c in zip(suite.cases.order_by("position"), *marks, strict=True)
    )
    for cell in cells:
        told = (cell.both, cell.won, cell.lost, cell.neither)
        name = cell.category
        assert told == (
            wanted[name, True, True], wanted[name, False, True],
            wanted[name, True, False], wanted[name, False, False],
        )  # fmt: skip
    assert sum(cell.n for cell in cells) == 60
    assert [cell.category for cell in cells] == ["a", "b", "c"]


def test_target_and_general_cases_of_one_category_stay_apart(study: Study) -> None:
    suite = make_suite(cases=2, categories=("simple",))
    Case.objects.create(
        suite=suite, position=3, case_id="g", messages=[], category="simple", split="general",
        expected={"answers": ["3"]},
    )  # fmt: skip

    cells = paired_counts(make_run(study, suite, "baseline"), make_run(study, suite, "candidate"))

    assert [(cell.split, cell.n) for cell in cells] == [("target", 2), ("general", 1)]


def test_a_case_without_a_mark_on_one_side_is_unscored(study: Study) -> None:
    suite = make_suite(cases=4, categories=())
    baseline, candidate = (bare_run(study, suite, system) for system in ("baseline", "candidate"))
    exact = scorer("exact_match")
    score(baseline, 1, exact, value=1, passed=True)
    score(candidate, 1, exact, value=None)
    score(baseline, 2, exact, value=0.4)
    score(candidate, 2, exact, value=0.5)
    score(baseline, 3, exact, value=1, passed=True)
    score(candidate, 3, exact, value=0, passed=False)

    (cell,) = paired_counts(baseline, candidate)

    assert (cell.n, cell.lost, cell.unscored) == (1, 1, 3)
    assert unscored_reasons(RunPair(baseline, candidate)) == [("no mark", 1)]


def test_an_error_fails_even_where_the_scorer_had_nothing_to_say(study: Study) -> None:
    suite = make_suite(cases=1, categories=())
    baseline = bare_run(study, suite, "baseline")
    mark = scorer("perplexity")
    score(baseline, 1, mark, value=3.0, passed=True)
    candidate = Run.objects.create(
        study=study, number=9, suite=suite, system="candidate", source="imported", state="done",
        ended_at=timezone.now(),
    )  # fmt: skip
    Generation.objects.create(
        run=candidate, case=suite.cases.get(), position=1, state="done", error="late",
        error_kind="timeout", done_at=timezone.now(),
    )  # fmt: skip
    score(candidate, 1, mark, value=None)

    (cell,) = paired_counts(baseline, candidate)

    assert (cell.lost, cell.unscored) == (1, 0)


def test_marks_of_two_versions_of_a_scorer_are_not_compared(study: Study) -> None:
    suite = make_suite(cases=1, categories=())
    baseline, candidate = (bare_run(study, suite, system) for system in ("baseline", "candidate"))
    score(baseline, 1, scorer("exact_match"), value=1, passed=True)
    score(candidate, 1, scorer("exact_match"), value=0, passed=False)

    (cell,) = paired_counts(baseline, candidate)

    assert (cell.n, cell.unscored, cell.unlike) == (0, 1, 1)


def test_another_scorer_is_counted_by_its_own_marks(study: Study) -> None:
    suite = make_suite(cases=3, categories=())
    pair = RunPair(make_run(study, suite, "baseline"), make_run(study, suite, "candidate"))
    other = scorer("contains")
    score(pair.baseline, 1, other, own=False, value=0, passed=False)
    score(pair.candidate, 1, other, own=False, value=1, passed=True)
    score(pair.candidate, 2, other, own=False, value=1, passed=True)

    (cell,) = paired_counts(*pair.runs, other)

    assert (cell.n, cell.won, cell.unscored) == (1, 1, 1)


def test_graded_values_are_paired_and_the_better_one_wins(study: Study) -> None:
    suite = make_suite(cases=4, categories=("x",))
    pair = RunPair(bare_run(study, suite, "baseline"), bare_run(study, suite, "candidate"))
    loss = scorer("perplexity", higher_is_better=False)
    for position, (b, c) in enumerate([(4.0, 2.0), (3.0, 3.0), (2.0, 5.0), (1.0, None)], start=1):
        score(pair.baseline, position, loss, value=b)
        score(pair.candidate, position, loss, value=c)

    (found,) = scorer_cells(pair)

    whole = found.overall
    assert (whole.wins, whole.ties, whole.losses, whole.unscored) == (1, 1, 1, 1)
    assert (whole.baseline, whole.difference) == pytest.approx((3.0, 1 / 3))
    assert whole.marked == 0
    assert found.is_own


def test_own_scorers_of_one_name_are_one_whatever_their_parameters(study: Study) -> None:
    suite = make_suite(cases=2, categories=("x",))
    pair = RunPair(bare_run(study, suite, "baseline"), bare_run(study, suite, "candidate"))
    for position in (1, 2):
        own = scorer("regex")
        score(pair.baseline, position, own, value=0, passed=False)
        score(pair.candidate, position, own, value=1, passed=True)

    (found,) = scorer_cells(pair)

    assert (found.name, found.versions, found.overall.wins, found.overall.won) == ("regex", 2, 2, 2)
    assert [(cell.split, cell.category) for cell in found.cells] == [("target", "x")]


def test_a_scorer_of_whole_runs_counts_the_cases_that_name_it_too(study: Study) -> None:
    suite = make_suite(cases=2, categories=())
    pair = RunPair(bare_run(study, suite, "baseline"), bare_run(study, suite, "candidate"))
    exact = scorer("exact_match")
    for run in pair.runs:
        score(run, 1, exact, value=1, passed=True)
        score(run, 2, exact, own=False, value=1, passed=True)

    own, whole = scorer_cells(pair)

    assert (own.is_own, own.overall.n) == (True, 1)
    assert (whole.is_own, whole.key, whole.overall.n) == (False, exact.pk, 2)


def test_only_first_tries_that_succeeded_are_latencies(study: Study) -> None:
    suite = make_suite(cases=5)
    run = Run.objects.create(
        study=study, number=1, suite=suite, system="baseline", source="imported", state="done",
        ended_at=timezone.now(),
    )  # fmt: skip
    fields: list[dict[str, object]] = [
        {"text": "a", "latency_ms": 10.0, "tries": 1, "completion_tokens": 4},
        {"text": "a", "latency_ms": 20.0, "tries": 2, "finish_reason": "length"},
        {"text": "a", "latency_ms": 0.1, "tries": 1, "cached": True},
        {"error": "late", "error_kind": "timeout", "latency_ms": 60.0, "tries": 1},
        {"text": "a", "tries": 1, "completion_tokens": 6},
    ]
    for case, given in zip(suite.cases.order_by("position"), fields, strict=True):
        Generation.objects.create(
            run=run, case=case, position=case.position, state="done", done_at=timezone.now(),
            **given,
        )  # fmt: skip

    facts, none = run_facts(RunPair(run, make_run(study, make_suite("other"), "candidate")))

    assert facts.latencies.tolist() == [10.0]
    assert (facts.cached, facts.retried, facts.unmeasured, facts.errors) == (1, 1, 1, 1)
    assert facts.truncated == 1
    assert (facts.tokens_out.n, facts.tokens_out.mean) == (2, 5.0)
    assert facts.error_kinds == [("timeout", 1, "late")]
    assert none.tokens_in.n == 0


def test_the_candidates_latest_run_speaks_with_the_baseline_it_was_started_with(
    study: Study,
) -> None:
    suite, together = make_suite(), uuid4()
    wanted = make_run(study, suite, "baseline", pair=together)
    make_run(study, suite, "baseline")
    latest = make_run(study, suite, "candidate", pair=together)

    pair = latest_pair(study, suite.name)

    assert pair == RunPair(wanted, latest)
    assert pair.is_together
    assert [run.number for run in pair.newer] == [2]


def test_a_newer_candidate_alone_is_held_against_the_latest_baseline(study: Study) -> None:
    suite, together = make_suite(), uuid4()
    make_run(study, suite, "baseline", pair=together)
    make_run(study, suite, "candidate", pair=together)
    baseline = make_run(study, suite, "baseline")
    candidate = make_run(study, suite, "candidate")

    assert latest_pair(study, suite.name) == RunPair(baseline, candidate)


def test_runs_that_are_not_done_never_speak_and_are_named_when_newer(study: Study) -> None:
    suite = make_suite()
    pair = RunPair(make_run(study, suite, "baseline"), make_run(study, suite, "candidate"))
    under_way = make_run(study, suite, "candidate")
    Run.objects.filter(pk=under_way.pk).update(state="cancelled")

    found = latest_pair(study, suite.name)

    assert found == pair
    assert [run.state for run in found.newer] == ["cancelled"]


def test_versions_are_not_mixed_and_the_newest_that_both_answered_counts(study: Study) -> None:
    first, second, third = make_suite(), make_suite(), make_suite()
    old = RunPair(make_run(study, first, "baseline"), make_run(study, first, "candidate"))
    new = RunPair(make_run(study, second, "baseline"), make_run(study, second, "candidate"))
    make_run(study, third, "candidate")

    found = latest_pair(study, first.name)

    assert found == new
    assert (found.suite.version, found.newest_version) == (2, 3)
    assert latest_pair(study, first.name, 1) == old
    assert latest_pair(study, first.name, 3) is None


def test_one_system_alone_makes_no_pair_and_says_who_is_missing(study: Study) -> None:
    suite = make_suite()
    make_run(study, suite, "baseline")

    (found,) = suites_run(study)

    assert found.pair is None
    assert found.lacks == ["candidate"]
    assert latest_pair(study, "unknown") is None


def test_runs_of_other_studies_are_not_counted(study: Study, other_study: Study) -> None:
    suite = make_suite()
    make_run(other_study, suite, "baseline")
    foreign = make_run(other_study, suite, "candidate")

    assert suites_run(study) == []
    assert chosen_pair(study, suite, 1, foreign.number) is None


def test_only_finished_runs_of_the_suite_and_their_own_side_may_be_chosen(study: Study) -> None:
    suite = make_suite()
    baseline, candidate = (make_run(study, suite, side) for side in ("baseline", "candidate"))
    elsewhere = make_run(study, make_suite("other"), "candidate")

    assert chosen_pair(study, suite, 1, 2) == RunPair(baseline, candidate)
    assert chosen_pair(study, suite, 2, 1) is None
    assert chosen_pair(study, suite, 1, elsewhere.number) is None


def test_several_pairs_are_counted_in_one_go(study: Study) -> None:
    pairs = []
    for name, wins in (("one", 1), ("two", 2)):
        suite = make_suite(name, cases=3, categories=())
        marks = [number >= wins for number in range(3)]
        pairs.append(
            RunPair(
                make_run(study, suite, "baseline", passed=marks),
                make_run(study, suite, "candidate"),
            )
        )

    assert [cells[0].won for cells in own_counts(pairs)] == [1, 2]
