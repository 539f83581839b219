"""A judge beside people, as arrays: kappa and its yardstick, the test, the win rate of both."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate
from evals.stats.judge_standing import (
    kappa_gap,
    lean_gap,
    may_replace,
    on_shared_items,
    pooled_kappa,
)
from evals.stats.judged_rates import people_alone, with_the_judge, worth
from evals.stats.judges import alternative_annotator_test, ppi_mean
from evals.stats.kappa import cohen_kappa
from tests.evals.judging_inputs import Pair, drawn_pairs, items_of


def refused(fn: Callable[..., object], *args: object) -> str:
    with pytest.raises(UndefinedError) as caught:
        fn(*args)
    return caught.value.reason


def test_a_strict_majority_is_more_than_half_of_an_item_s_votes() -> None:
    items = items_of(
        [
            Pair(1, (1, 1, 0)),
            Pair(0, (1, 0, -1)),
            Pair(-1, (-1, 0, None)),
            Pair(0, (0, None, None)),
        ],
        3,
    )

    assert items.majority.tolist() == [2, -1, -1, 1]
    assert items.undecided == 2
    assert items.majority_table.tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert items.scores.tolist() == [2.5 / 3, 0.5, 0.25, 0.5]


def test_items_that_are_counted_say_the_same_as_items_one_by_one() -> None:
    pairs = drawn_pairs(40, 40)
    single, one = items_of(pairs * 3, 3), items_of(pairs, 3)
    counted = replace(one, times=np.full(40, 3))

    for fn in (kappa_gap, people_alone):
        a, b = fn(single), fn(counted)
        assert (a.value, a.low, a.high, a.n) == pytest.approx((b.value, b.low, b.high, b.n))
    assert may_replace(single, 0.2).p_values == pytest.approx(may_replace(counted, 0.2).p_values)


def test_with_one_annotator_the_pooled_kappa_is_cohen_s() -> None:
    items = items_of([Pair(1, (1,)), Pair(1, (0,)), Pair(-1, (-1,)), Pair(0, (1,))] * 10, 1)

    pooled = pooled_kappa(items.with_judge)

    assert pooled.value == pytest.approx(cohen_kappa(items.majority_table).value)
    assert pooled.n == 40
    assert refused(kappa_gap, items) == "no two annotators share an item"


def test_the_yardstick_is_taken_on_the_same_items() -> None:
    pairs = drawn_pairs(80, 80, good=0.6)
    alone = [Pair(-1, (1, None, None))] * 40

    with_strays, without = items_of([*pairs, *alone], 3), items_of(pairs, 3)

    assert on_shared_items(with_strays).tables().sum() == 240
    assert kappa_gap(with_strays).value == pytest.approx(kappa_gap(without).value)
    assert kappa_gap(with_strays).n == 80


def test_a_judge_who_is_a_fourth_person_shows_no_gap_and_a_coin_does() -> None:
    person = kappa_gap(items_of(drawn_pairs(300, 300, good=0.85), 3))
    coin = kappa_gap(items_of(drawn_pairs(300, 300, good=0.0), 3))

    assert person.low is not None
    assert person.high is not None
    assert person.low < 0 < person.high
    assert coin.high is not None
    assert coin.high < -0.3


def test_the_interval_of_the_gap_covers() -> None:
    drawn = [kappa_gap(items_of(drawn_pairs(120, 120, good=0.7, seed=n), 3)) for n in range(200)]
    truth = np.mean([one.value for one in drawn])

    hits = sum((one.low or -9) <= truth <= (one.high or 9) for one in drawn)

    assert 0.9 <= hits / 200 <= 0.99


def test_the_test_says_how_many_annotators_and_items_are_missing() -> None:
    two = items_of(drawn_pairs(40, 40, annotators=2), 2)
    few = items_of(drawn_pairs(18, 18), 3)

    assert refused(may_replace, two, 0.15) == (
        "it takes three annotators with 30 items each that another judged too; two have, and "
        "the next lacks 30 items"
    )
    assert refused(may_replace, few, 0.15).endswith(
        "nobody has, and the next 3 lack 12, 12 and 12 items"
    )


def test_each_tested_annotator_has_the_shares_and_p_of_the_paper() -> None:
    pairs = drawn_pairs(90, 90, annotators=4, good=0.8, seed=5)
    found = may_replace(items_of(pairs, 4), 0.15)

    for one in found.tested:
        human, judge = held_with_the_others(pairs, one.annotator)
        assert (one.human, one.judge) == (human.mean(), judge.mean())
        told = stats.ttest_1samp(human - judge, 0.15, alternative="less")
        assert one.p_value == pytest.approx(told.pvalue)
    adjusted = stats.false_discovery_control([one.p_value for one in found.tested], method="by")
    assert [one.adjusted for one in found.tested] == pytest.approx(adjusted.tolist())
    assert found.value == (adjusted <= 0.05).mean()


def held_with_the_others(pairs: list[Pair], left_out: int) -> tuple[Any, Any]:
    """By the words of the paper, one item after the other."""
    human, judge = [], []
    for pair in pairs:
        others = [said for number, said in enumerate(pair.people) if number != left_out]
        mine = sum(said == pair.people[left_out] for said in others)
        its = sum(said == pair.judge for said in others)
        human.append(float(mine >= its))
        judge.append(float(its >= mine))
    return np.array(human), np.array(judge)


def test_people_and_judge_are_the_prediction_powered_mean_and_say_what_they_gain() -> None:
    items = items_of(drawn_pairs(1000, 150), 3)

    alone, both = people_alone(items), with_the_judge(items)

    unseen = np.repeat([0, 0.5, 1], items.unlabelled)
    plain = ppi_mean(items.scores, items.judge / 2, unseen)
    assert (both.value, both.low, both.high) == (plain.value, plain.low, plain.high)
    assert both.n == alone.n == 150
    gained = worth(alone, both)
    assert gained is not None
    assert alone.se is not None
    assert both.se is not None
    assert gained == pytest.approx((alone.se / both.se) ** 2)
    assert gained > 1.5


def test_without_ties_the_rate_is_wins_over_decided_judgements() -> None:
    pairs = drawn_pairs(1000, 150)
    items = items_of(pairs, 3)
    said = [said for pair in pairs for said in pair.people if said is not None]

    alone = people_alone(items, without_ties=True)
    both = with_the_judge(items, without_ties=True)

    assert alone.value == pytest.approx(said.count(1) / (said.count(1) + said.count(-1)))
    assert alone.value > people_alone(items).value
    assert (alone.low or 0) < alone.value < (alone.high or 1)
    assert (both.low or 0) < both.value < (both.high or 1)
    assert both.n == alone.n <= items.labelled
    assert 0 < both.weight <= 1
    gained = worth(alone, both)
    assert gained is not None
    assert gained > 1.3


def test_without_a_tie_both_ways_of_counting_agree() -> None:
    pairs = [
        Pair(said, (said, -said if number % 3 else said))
        for number, said in enumerate([1, -1, 1, 1, -1, 1] * 20)
    ] + [Pair(1)] * 60 + [Pair(-1)] * 30  # fmt: skip
    items = items_of(pairs, 2)

    for find in (people_alone, with_the_judge):
        half, decided = find(items), find(items, without_ties=True)
        assert (half.value, half.n) == pytest.approx((decided.value, decided.n))
        assert (half.low, half.high, half.se) == pytest.approx(
            (decided.low, decided.high, decided.se)
        )


def test_swapping_the_systems_mirrors_the_rates_of_people_and_judge() -> None:
    pairs = drawn_pairs(500, 120, seed=8)
    mirrored = [
        Pair(-(pair.judge or 0), [None if said is None else -said for said in pair.people])
        for pair in pairs
    ]

    for without_ties in (False, True):
        for find in (people_alone, with_the_judge):
            there = find(items_of(pairs, 3), without_ties=without_ties)
            back = find(items_of(mirrored, 3), without_ties=without_ties)
            assert (there.value, there.low, there.high) == pytest.approx(
                (1 - back.value, 1 - (back.high or 1), 1 - (back.low or 0))
            )


def test_the_sharpened_rate_of_decided_judgements_covers() -> None:
    """600 studies of 100 judged items in 800, many of them ties."""
    draw, hits, narrower = np.random.default_rng(20261121), 0, 0
    chances = np.array([0.25, 0.35, 0.4])
    truth = chances[2] / (chances[0] + chances[2])
    for _ in range(600):
        true = draw.choice([-1, 0, 1], p=chances, size=800)
        judge = np.where(draw.random(800) < 0.75, true, draw.integers(-1, 2, 800))
        pairs = [Pair(int(judge[n]), (int(true[n]),) if n < 100 else ()) for n in range(800)]
        items = items_of(pairs, 1)
        alone = people_alone(items, without_ties=True)
        both = with_the_judge(items, without_ties=True)
        hits += (both.low or 0) <= truth <= (both.high or 1)
        narrower += (both.se or 1) < (alone.se or 0)

    assert 0.93 <= hits / 600 <= 0.97
    assert narrower > 590


def test_where_every_judgement_is_a_tie_no_rate_of_decided_ones_is_given() -> None:
    ties = items_of([Pair(1, (0, 0))] * 20 + [Pair(-1)] * 9 + [Pair(1)] * 9, 2)

    assert refused(lambda: people_alone(ties, without_ties=True)).startswith("every judgement is")
    assert refused(lambda: with_the_judge(ties, without_ties=True)).startswith(
        "every judgement is a tie"
    )
    assert people_alone(ties).value == 0.5


def test_a_share_stays_a_share() -> None:
    pairs = [Pair(1, (1,))] * 29 + [Pair(1, (-1,)), Pair(0, (1,))] + [Pair(1)] * 400

    found = with_the_judge(items_of(pairs, 1))

    assert found.high == 1.0


def test_with_every_item_judged_there_is_nothing_to_add() -> None:
    items = items_of(drawn_pairs(60, 60), 3)

    assert "people have judged every item" in refused(with_the_judge, items)
    assert "fewer than two items" in refused(lean_gap, items)


def test_a_sample_that_is_none_shows_in_the_judge_s_own_verdicts() -> None:
    fair = lean_gap(items_of(drawn_pairs(800, 200), 3))
    picked = [Pair(1, (1, 1, 0))] * 100 + drawn_pairs(400, 0)

    assert fair.low is not None
    assert fair.high is not None
    assert fair.low < 0 < fair.high
    assert (lean_gap(items_of(picked, 3)).low or 0) > 0


# Real judgements.


@pytest.fixture
def pandalm(shared: Path) -> tuple[list[Pair], dict[str, Any]]:
    """Each pair with the model's verdict (None where it wrote something else) and the people's."""
    folder = shared / "data" / "pandalm"
    files = sorted(folder.glob("*testset*.json"), key=lambda path: len(path.name))
    people, model = (json.loads(path.read_text(encoding="utf-8")) for path in files)
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    said = {row["idx"]: row["gpt_result"] for row in model}
    names = sorted(key for key in people[0] if key.startswith("annotator"))
    code = {"0": 0, "1": -1, "2": 1, "tie": 0}
    pairs = [
        Pair(code.get(str(said[row["idx"]]).lower()), [code[str(row[name])] for name in names])
        for row in people
    ]
    return pairs, reference


@pytest.mark.shared
def test_people_s_pooled_kappa_on_pandalm_follows_from_the_reference(
    pandalm: tuple[list[Pair], dict[str, Any]],
) -> None:
    pairs, reference = pandalm
    items = items_of([Pair(pair.judge or 0, pair.people) for pair in pairs], 3)

    found = pooled_kappa(items.among_people)

    figures = reference["pairs"].values()
    differing = [1 - pair["percent"] for pair in figures]
    by_chance = [
        gap / (1 - pair["cohen_kappa"]) for gap, pair in zip(differing, figures, strict=True)
    ]
    assert found.n == reference["items"]
    assert found.value == pytest.approx(1 - sum(differing) / sum(by_chance), abs=1e-5)


@pytest.mark.shared
def test_a_model_of_then_may_not_stand_in_for_the_people_of_pandalm(
    pandalm: tuple[list[Pair], dict[str, Any]],
) -> None:
    pairs, _ = pandalm
    known = [pair for pair in pairs if pair.judge is not None]
    items = items_of(pairs, 3)

    for epsilon in (0.1, 0.15, 0.2):
        found = may_replace(items, epsilon)
        plain = alternative_annotator_test(
            [[pair.people[number] for pair in known] for number in range(3)],
            [pair.judge for pair in known],
            epsilon,
        )
        assert found == plain
        assert (found.passes, found.n) == (False, len(known))
    gap = kappa_gap(items)
    assert gap.high is not None
    assert gap.high < 0


@pytest.mark.shared
def test_sharpened_intervals_on_pandalm_cover_what_all_people_said(
    pandalm: tuple[list[Pair], dict[str, Any]],
) -> None:
    known = [pair for pair in pandalm[0] if pair.judge is not None]
    truth = people_alone(items_of(known, 3)).value
    draw, hits, gains = np.random.default_rng(2), 0, []
    for _ in range(150):
        order = draw.permutation(len(known))
        pairs = [
            known[at] if place < 100 else Pair(known[at].judge) for place, at in enumerate(order)
        ]
        items = items_of(pairs, 3)
        both = with_the_judge(items)
        hits += (both.low or 0) <= truth <= (both.high or 0)
        gains.append(worth(people_alone(items), both) or 0)

    # Drawn without replacement from what is taken as all, so a little over the nominal 95 %.
    assert hits / 150 >= 0.91
    assert 1.2 < np.mean(gains) < 1.8


@pytest.mark.shared
def test_soft_verdicts_on_alpaca_eval_give_the_reference_and_sharpen_hard_ones(
    shared: Path,
) -> None:
    folder = shared / "data" / "alpaca_eval"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    (path,) = folder.glob("*/judge_preferences.json")
    rows = json.loads(path.read_text(encoding="utf-8"))
    soft = np.array([row["preference"] - 1 for row in rows])
    hard, draw = (soft > 0.5).astype(float), np.random.default_rng(4)

    assert soft.mean() == pytest.approx(reference["value"], abs=1e-7)
    assert soft.std(ddof=1) / np.sqrt(soft.size) == pytest.approx(reference["se"], abs=1e-7)
    hits = narrower = 0
    for _ in range(150):
        order = draw.permutation(soft.size)
        seen, rest = order[:200], order[200:]
        both: Estimate = ppi_mean(hard[seen], soft[seen], soft[rest])
        hits += (both.low or 0) <= hard.mean() <= (both.high or 0)
        narrower += (both.se or 1) < hard[seen].std(ddof=1) / np.sqrt(200)
    assert hits / 150 >= 0.9
    assert narrower >= 145
