"""Automated scores beside people's verdicts of the same items: agreement, order, calibration."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotate.blinding import Side, unblind
from annotate.models import Item, Study, Task, User
from evals.pairing import batch_from_runs
from evals.queries.metrics import Leaning, leanings
from evals.reporting.metrics import metrics
from evals.reporting.model_judges import judge_leanings
from evals.stats.concordance import (
    agreement_gap,
    agreement_scores,
    calibration,
    separation,
    side_agreement,
)
from evals.stats.errors import UndefinedError
from evals.stats.preference import clustered_win_rate
from tests.evals.answers import make_answers
from tests.evals.simulation import judge_slots
from tests.evals.test_model_judge import judge, make_pair
from tests.factories import judge_next, make_batch, make_study, make_user, rows_of

# Formulas.


def test_a_metric_gets_one_for_people_s_side_half_for_a_tie_and_nothing_for_the_other() -> None:
    scores = agreement_scores([2.0, 0.0, -1.0, 3.0], [1.0, -1 / 3, 0.5, 0.0])

    assert scores[:3].tolist() == [1.0, 0.5, 0.0]
    assert np.isnan(scores[3])


def test_side_agreement_is_the_win_rate_of_these_scores_with_an_item_as_a_vote() -> None:
    people = np.array([1, 1, 1, 1, 1, -1, -1, -1, 1, 1])
    metric = np.array([1, 1, 1, 0, -1, -1, -1, 1, 1, 1])

    found = side_agreement(metric, people)

    scores = agreement_scores(metric, people)
    same = clustered_win_rate(list(range(10)), [0] * 10, scores)
    assert found.value == pytest.approx(same.value)
    assert (found.low, found.high) == (same.low, same.high)
    assert (found.n, same.exact) == (10, True)


@pytest.mark.parametrize("value", [-1.0, 1.0])
def test_a_metric_that_always_agrees_or_never_has_an_interval_all_the_same(value: float) -> None:
    found = side_agreement([value] * 30, [1.0] * 30)

    assert found.low is not None
    assert found.high is not None
    assert 0.05 < found.high - found.low < 0.2


def test_exchanging_the_systems_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    metric, people = rng.normal(size=60), rng.choice([-1, 0, 1], size=60).astype(float)

    assert side_agreement(metric, people) == side_agreement(-metric, -people)
    one, other = separation(metric, people), separation(-metric, -people)
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_separation_is_the_share_of_pairs_in_order() -> None:
    metric, people = [3.0, 1.0, 1.0, 0.0, 2.0], [1, 1, -1, -1, 0]

    found = separation(metric, people)

    # Of (3, 1), (3, 0), (1, 1), (1, 0): three in order and one tie.
    assert found.value == 3.5 / 4
    assert found.n == 4


def test_separation_forgives_a_constant_and_side_agreement_does_not() -> None:
    people = np.array([1.0] * 20 + [-1.0] * 20)
    metric = people + 5

    assert separation(metric, people).value == 1.0
    assert side_agreement(metric, people).value == 0.5


@pytest.mark.parametrize(("won", "lost"), [(20, 20), (50, 10)])
def test_the_interval_of_separation_solves_its_own_equation(won: int, lost: int) -> None:
    rng = np.random.default_rng(1)
    metric = np.concatenate([rng.normal(1, 1, won), rng.normal(0, 1, lost)])
    people = np.array([1.0] * won + [-1.0] * lost)

    found = separation(metric, people)

    for limit in (found.low, found.high):
        assert limit is not None
        extra = (won + lost) / 2 - 1
        spread = 1 + extra * ((1 - limit) / (2 - limit) + limit / (1 + limit))
        error = 1.959963984540054 * np.sqrt(limit * (1 - limit) * spread / (won * lost))
        assert abs(found.value - limit) == pytest.approx(error, abs=1e-9)


def test_full_separation_still_has_a_lower_end() -> None:
    found = separation([1.0] * 15 + [0.0] * 15, [1.0] * 15 + [-1.0] * 15)

    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low is not None
    assert 0.7 < found.low < 1


@pytest.mark.parametrize("true_area", [0.6, 0.8])
def test_the_interval_of_separation_covers(true_area: float) -> None:
    from_normal = {0.6: 0.3583, 0.8: 1.1902}  # AUC = Phi(shift / sqrt 2)
    rng = np.random.default_rng(11)
    people = np.array([1.0] * 30 + [-1.0] * 20)
    hits = 0
    for _ in range(400):
        metric = rng.normal(size=50) + from_normal[true_area] * (people > 0)
        found = separation(metric, people)
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= true_area <= found.high

    assert hits / 400 >= 0.92


def test_the_gap_is_paired_by_item() -> None:
    people = np.array([1.0] * 40 + [-1.0] * 40)
    good, bad = people.copy(), people.copy()
    bad[:20] *= -1

    found = agreement_gap(good, bad, people)

    assert found.value == 0.25
    assert found.low is not None
    assert 0.1 < found.low < 0.25
    assert agreement_gap(good, good, people).low is None


def test_nothing_to_agree_with_is_undefined() -> None:
    with pytest.raises(UndefinedError, match="fewer than two items"):
        side_agreement([1.0, 2.0], [0.0, 1.0])
    with pytest.raises(UndefinedError, match="people gave no item to the baseline"):
        separation([1.0, 2.0], [1.0, 1.0])
    with pytest.raises(UndefinedError, match="different items"):
        side_agreement([1.0], [1.0, 1.0])


def test_calibration_halves_each_side_and_keeps_ties_apart() -> None:
    metric = [-4.0] * 6 + [-1.0] * 6 + [0.0] * 3 + [1.0] * 6 + [9.0] * 6
    people = [-1.0] * 12 + [0.0] * 3 + [1.0] * 12

    found = calibration(metric, people)

    assert [(part.low, part.high, part.n) for part in found] == [
        (-4.0, -4.0, 6), (-1.0, -1.0, 6), (0.0, 0.0, 3), (1.0, 1.0, 6), (9.0, 9.0, 6)
    ]  # fmt: skip
    assert [part.people.value for part in found if part.people] == [0.0, 0.0, 0.5, 1.0, 1.0]


# From rows.


@pytest.fixture
def judged(db: None) -> Study:
    """Forty items of two runs: BLEU knows what people prefer, token F1 is tied throughout."""
    study = make_study(overlap=1)
    people = [make_user(f"Judge {number}") for number in range(3)]
    pairs: list[tuple[dict[str, Any], ...]] = []
    for number in range(40):
        better = number % 4 != 0
        pairs.append(
            (
                {"text": "no", "passed": not better, "scores": {"bleu|v:1": 0.2, "f1|v:1": 0.5}},
                {
                    "text": "yes, of course" if number % 2 else "y",
                    "passed": better,
                    "scores": {"bleu|v:1": 0.2 + 0.1 * (1 if better else -1), "f1|v:1": 0.5},
                },
            )
        )
    batch_from_runs(*make_answers(study, pairs))
    judge_slots(study, people)
    vote(study, lambda item: 1 if int(item.item_id.split("-")[1]) % 4 != 1 else -1)
    return study


def vote(study: Study, says: Any) -> None:
    """Let every vote be what `says` of its item: rows of judgements are only added, so anew."""
    from_tasks = Task.objects.filter(study=study, state="judged").select_related("item")
    for task in from_tasks:
        said = says(task.item)
        choice = unblind(said, Side(task.candidate_side or ""))
        latest = task.judgements.order_by("-version").first()
        assert latest is not None
        latest.pk, latest.version = None, latest.version + 1
        latest.preference, latest.choice, latest.both_bad = said, choice, False
        latest.submission_key = task.pk
        latest.save(force_insert=True)
        Task.objects.filter(pk=task.pk).update(version=latest.version)


def by_name(study: Study) -> dict[str, Any]:
    return {one.name: one for one in leanings(study)}


def test_scores_and_votes_of_the_same_items_meet(judged: Study) -> None:
    found = by_name(judged)

    assert set(found) == {"bleu", "f1", "exact_match", "length"}
    bleu = found["bleu"]
    assert bleu.items.size == 40
    assert np.sign(bleu.metric).tolist() == np.sign(bleu.people).tolist()
    assert found["exact_match"].own
    assert not found["f1"].metric.any()
    items = Item.objects.in_bulk(found["length"].items.tolist())
    assert found["length"].metric.tolist() == [
        len(items[pk].candidate_output) - len(items[pk].baseline_output)
        for pk in found["length"].items.tolist()
    ]


def test_the_best_comes_first_and_the_rest_says_how_far_it_is(judged: Study) -> None:
    page = metrics(leanings(judged), 0.95)

    assert {row.title for row in page.rows[:2]} == {"bleu", "exact_match"}
    assert page.rows[0].agreement.value == "100.0\u202f%"
    assert page.rows[1].apart == "not told apart from the best"
    f1 = next(row for row in page.rows if row.title == "f1")
    assert f1.agreement.value == "50.0\u202f%"
    assert f1.tied == "40"
    assert f1.apart.startswith("50.0\u202fpoints below the best")
    assert "cannot be told apart from exact_match" in page.finding


def test_items_that_nobody_judged_are_no_evidence(db: None, alice: User) -> None:
    study = make_study(overlap=1, annotators=[alice])
    pairs = [({"text": "a", "passed": True}, {"text": "b", "passed": False})] * 5
    batch_from_runs(*make_answers(study, pairs))

    before = leanings(study)
    judge_next(study, alice)

    assert before == []
    assert {one.items.size for one in leanings(study)} == {1}


def test_uploaded_items_join_in_by_their_references(db: None, alice: User) -> None:
    study = make_study(overlap=1, annotators=[alice])
    wanted = [("x", "x", "y"), ("x", "y", " x"), ('{"a": 1}', "{}", '{"a":1}'), ("x", "x", "x")]
    rows = [
        row | {"reference": reference, "baseline_output": old, "candidate_output": new}
        for row, (reference, old, new) in zip(rows_of(4), wanted, strict=True)
    ]
    make_batch(study, [*rows, rows_of(5)[4]])
    for _ in range(5):
        judge_next(study, alice)

    found = by_name(study)

    assert found["reference"].metric.tolist() == [-1.0, 1.0, 1.0, 0.0]
    assert found["length"].items.size == 5


def test_a_model_judge_is_one_more_metric_on_the_items_people_judged(db: None, alice: User) -> None:
    study = make_study(overlap=1, annotators=[alice])
    runs = make_pair(study, [("Old.", "New.")] * 3)
    said: list[str | None] = ["[[A]]", "[[B]]", "[[B]]", "[[A]]", "[[A]]", "[[A]]"]
    judge(study, runs, said)
    before = judge_leanings(study)
    batch_from_runs(*runs)
    judge_next(study, alice)
    judge_next(study, alice)
    vote(study, lambda item: 1)

    (found,) = judge_leanings(study)

    assert before == []
    assert found.name == "model judge, judge-model"
    assert found.items.size == 2
    # For the baseline in both orders, for the candidate in both, and once each: a tie.
    lean = {"judged-1": -1.0, "judged-2": 1.0, "judged-3": 0.0}
    items = Item.objects.in_bulk(found.items.tolist())
    assert found.metric.tolist() == [lean[str(items[pk].item_id)] for pk in found.items.tolist()]
    assert found.people.tolist() == [1.0, 1.0]
    assert "judge-model" in found.signature


def test_of_two_runs_of_the_same_judge_the_later_one_speaks(db: None, alice: User) -> None:
    study = make_study(overlap=1, annotators=[alice])
    runs = make_pair(study, [("Old.", "New.")])
    judge(study, runs, ["[[A]]", "[[B]]"])
    judge(study, runs, ["[[B]]", "[[A]]"])
    batch_from_runs(*runs)
    judge_next(study, alice)

    (found,) = judge_leanings(study)

    assert found.metric.tolist() == [1.0]


def test_few_items_never_set_the_measure(judged: Study) -> None:
    found = leanings(judged)
    few = next(one for one in found if one.name == "bleu")
    lucky = Leaning("lucky", few.items[:5], few.people[:5], few.people[:5])
    poor = [one for one in found if one.name in ("f1", "length")]

    page = metrics([*poor, lucky], 0.95)

    assert page.rows[-1].title == "lucky"
    assert page.rows[-1].is_few
    assert "lucky" not in page.finding.partition("cannot")[0]


def test_the_page_shows_the_ranking_and_the_calibration(judged: Study, lena_client: Client) -> None:
    text = lena_client.get(reverse("metrics", args=[judged.slug])).content.decode()

    assert "Which metric agrees with people" in text
    assert "the longer output, in characters" in text
    assert "bleu|v:1" in text


def test_without_judged_items_the_page_says_what_it_waits_for(
    study: Study, lena_client: Client
) -> None:
    text = lena_client.get(reverse("metrics", args=[study.slug])).content.decode()

    assert "No automated score can be held against people yet" in text
    assert f"manage.py batch_from_runs {study.slug}" in text
