"""Position: does the win rate go with the side? And what the report tells of a running study."""

import json
from io import StringIO
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from annotate.models import Study, User
from evals import deciding, queries
from evals.gate import DEFAULT_GATES
from evals.reporting.preference import forecast
from evals.reporting.sides import both_bad_rate, gap_words, side_gap
from evals.stats import wording
from evals.stats.checks import Ints
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.planning import collected_for, more_needed
from evals.stats.preference import win_rate_from_sums
from evals.stats.side_gap import side_gap_from_sums
from tests.evals.simulation import Leaning, judged_study

Votes = tuple[Ints, Ints, Ints, Any]


def rows_by(codes: Ints, left: Ints, scores: Any) -> Any:
    """One row for each cluster: votes and score sum left, the same right, and a one."""
    size = int(codes.max()) + 1
    columns = [
        np.bincount(codes, weights=weights, minlength=size)
        for side in (left, 1 - left)
        for weights in (side, side * scores)
    ]
    return np.column_stack((*columns, np.ones(size)))


def gap_of(votes: Votes, confidence: float = 0.95) -> Estimate:
    items, people, left, scores = votes
    squares = [float(((scores**2) * side).sum()) for side in (left, 1 - left)]
    return side_gap_from_sums(
        rows_by(items, left, scores), rows_by(people, left, scores),
        (squares[0], squares[1]), confidence,
    )  # fmt: skip


def drawn(
    rng: np.random.Generator, *, items: int = 60, people: int = 8, each: int = 2, lean: float = 0.0
) -> Votes:
    """Each item with the candidate on either side, items and people leaning."""
    item = np.repeat(np.arange(items), each)
    who = np.concatenate([rng.permutation(people)[:each] for _ in range(items)])
    left = np.tile(np.arange(each) % 2, items)
    chance = 0.6 + rng.normal(0, 0.15, items)[item] + rng.normal(0, 0.05, people)[who]
    chance += np.where(left == 1, lean / 2, -lean / 2)
    won = (rng.random(item.size) < np.clip(chance, 0, 1)).astype(float)
    return item, who, left, np.where(rng.random(item.size) < 0.15, 0.5, won)


def test_the_variance_is_the_sandwich_of_a_regression_on_the_side() -> None:
    """Second implementation: least squares on the side, scores summed by cluster."""
    item, who, left, scores = votes = drawn(np.random.default_rng(1))
    design = np.column_stack((np.ones(left.size), left))
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ scores
    pulls = design * (scores - design @ beta)[:, None]

    def meat(codes: Ints) -> float:
        sums = np.zeros((int(codes.max()) + 1, 2))
        np.add.at(sums, codes, pulls)
        size = len(sums)
        return float((bread @ sums.T @ sums @ bread)[1, 1]) * size / (size - 1)

    parts = [meat(item), meat(who), meat(np.arange(left.size))]
    found = gap_of(votes)

    assert found.value == pytest.approx(beta[1])
    expected = max(parts[0] + parts[1] - parts[2], parts[0], parts[1])
    assert found.se == pytest.approx(np.sqrt(expected))
    assert found.n == left.size
    assert "by item and by annotator" in found.method


@given(seed=st.integers(0, 10_000))
def test_exchanging_sides_or_systems_turns_the_difference_round(seed: int) -> None:
    item, who, left, scores = drawn(np.random.default_rng(seed), items=14)
    there = attempt(gap_of, (item, who, left, scores))
    for back in (
        attempt(gap_of, (item, who, 1 - left, scores)),
        attempt(gap_of, (item, who, left, 1 - scores)),
    ):
        assert isinstance(there, Estimate)
        assert isinstance(back, Estimate)
        assert back.value == pytest.approx(-there.value, abs=1e-12)
        assert (back.low is None) == (there.low is None)
        if there.low is not None and there.high is not None and back.low is not None:
            assert back.low == pytest.approx(-there.high, abs=1e-12)
            assert there.low <= there.value <= there.high


@given(seed=st.integers(0, 10_000))
def test_names_of_items_and_annotators_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    item, who, left, scores = drawn(rng, items=14, people=6)
    order = rng.permutation(item.size)
    renamed = rng.permutation(14)[item][order], rng.permutation(6)[who][order]

    one = gap_of((item, who, left, scores))
    other = gap_of((*renamed, left[order], scores[order]))

    assert other.n == one.n
    assert other.value == pytest.approx(one.value, abs=1e-12)
    assert (other.se or 0) == pytest.approx(one.se or 0, abs=1e-12)


@pytest.mark.parametrize("lean", [0.0, 0.2])
def test_the_interval_of_the_difference_covers(lean: float) -> None:
    rng = np.random.default_rng(20261121)
    hits = 0
    for _ in range(400):
        found = gap_of(drawn(rng, items=120, people=10, each=2, lean=lean))
        hits += (found.low or -1) <= 0.85 * lean <= (found.high or 1)

    # What people say of an item is half of each rate: ties (15 %) take their part of the lean.
    assert 0.93 <= hits / 400 <= 0.99


def test_without_votes_on_both_sides_there_is_no_difference() -> None:
    item, who = np.arange(4), np.zeros(4, dtype=np.int64)
    with pytest.raises(UndefinedError, match="no judgement has the candidate on the right"):
        gap_of((item, who, np.ones(4, dtype=np.int64), np.ones(4)))
    with pytest.raises(UndefinedError, match="single item"):
        gap_of((np.zeros(2, dtype=np.int64), np.arange(2), np.array([0, 1]), np.ones(2)))
    alike = gap_of((item, who, np.array([0, 1, 0, 1]), np.ones(4)))
    assert (alike.value, alike.low, alike.high) == (0.0, None, None)
    with pytest.raises(UndefinedError, match="do not add up"):
        side_gap_from_sums([[1, 1, 1, 0, 3]], [[1, 1, 1, 0, 2]], (3, 0))
    with pytest.raises(UndefinedError, match="no votes"):
        side_gap_from_sums([], [], (0, 0))


def test_words_follow_the_interval() -> None:
    assert gap_words(Estimate(0.02, -0.1, 0.14, 90, "")).startswith("No sign")
    assert "more often on the left" in gap_words(Estimate(0.2, 0.1, 0.3, 90, ""))
    assert "more often on the right" in gap_words(Estimate(-0.2, -0.3, -0.1, 90, ""))
    assert gap_words(Undefined("no judgement says")).endswith("cannot be told: no judgement says.")


# From rows.


def reported(study: Study) -> dict[str, Any]:
    out = StringIO()
    call_command("report", study.slug, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())["preference"]
    return found


def test_page_and_report_say_whether_the_win_rate_goes_with_the_side(
    db: None, lena_client: Client
) -> None:
    leaning = judged_study(items=80, overlap=2, leaning=Leaning(left=0.5), name="Leaning")
    even = judged_study(items=80, overlap=2, name="Even")

    for study, said in ((leaning, "wins more often on the left"), (even, "No sign that the win")):
        page = lena_client.get(reverse("preference", args=[study.slug])).text
        position = reported(study)["position"]
        gap = position["difference"]
        assert said in page
        assert wording.points(gap["value"]) in page
        assert wording.interval(gap["low"], gap["high"], "points") in page
        rates = [position[f"win_rate_candidate_{side}"]["value"] for side in ("left", "right")]
        assert gap["value"] == pytest.approx(rates[0] - rates[1])
        assert len(position["left_share_by_annotator"]) == 4


def test_both_bad_has_its_interval_on_page_and_in_the_report(db: None, lena_client: Client) -> None:
    study = judged_study(items=40, leaning=Leaning(tie=0.3, both_bad=0.6))
    votes = queries.sided_votes(study)

    rate, found = both_bad_rate(votes, 0.95), reported(study)["both_bad_rate"]

    assert isinstance(rate, Estimate)
    assert rate.value == pytest.approx(votes.overall.both_bad / votes.overall.n)
    assert (found["value"], found["low"], found["n"]) == (rate.value, rate.low, rate.n)
    # Second implementation: a row for each item, one after the other.
    rows: dict[int, list[bool]] = {}
    for item, bad in queries.counted_judgements(study).values_list("item_id", "both_bad"):
        rows.setdefault(item, []).append(bad)
    people = [(one.n, one.both_bad, 1) for one in votes.each_annotator.values()]
    plain = win_rate_from_sums(
        rate.n, votes.overall.both_bad, votes.overall.both_bad,
        [(len(said), sum(said), 1) for said in rows.values()], people,
    )  # fmt: skip
    assert (rate.low, rate.high) == pytest.approx((plain.low, plain.high))
    page = lena_client.get(reverse("preference", args=[study.slug])).text
    assert wording.percent(rate.value) in page
    assert wording.interval(rate.low, rate.high) in page


def test_the_report_tells_of_looking_every_day_and_of_what_is_left(
    db: None, lena: User, lena_client: Client
) -> None:
    study = judged_study(items=60, leaning=Leaning(candidate=0.6, tie=0.2))
    few = judged_study(items=12, name="Few")

    found = reported(study)
    once, always = (found["watching"][f"looking_{when}"] for when in ("once", "always"))
    assert once["n"] == always["n"] == 60
    assert once["value"] == always["value"] == pytest.approx(found["win_rate"]["value"])
    assert always["low"] < once["low"] < once["high"] < always["high"]
    assert "fewer than 20 items" in reported(few)["watching"]["looking_always"]["reason"]
    figure = lena_client.get(reverse("figure", args=[study.slug, "watched"])).text
    assert wording.interval(always["low"], always["high"]) in figure
    rate = queries.sided_votes(study).overall.win_rate()
    assert isinstance(rate, Estimate)
    more = found["planning"]["more_judgements"]
    needed = more_needed(rate, 0.6)
    assert more["value"] == needed.more if needed.more is not None else more["reason"]
    least = found["planning"]["detectable_win_rate"]["value"]
    page = lena_client.get(reverse("planning", args=[study.slug])).text
    assert wording.percent(least) in page


def test_the_forecast_counts_in_the_ties_that_are_left_out(
    db: None, lena: User, lena_client: Client
) -> None:
    study = judged_study(items=40, leaning=Leaning(candidate=0.55, tie=0.3))
    deciding.change_policy(
        study, DEFAULT_GATES, confidence=0.95, ties="decided", made_by=lena, reason="As agreed"
    )
    policy = deciding.policy_in_force(study)
    tally = queries.sided_votes(study).overall
    result = deciding.judge_preference(tally, policy)
    assert isinstance(result.estimate, Estimate)
    needed = more_needed(result.estimate, 0.6).more
    assert needed
    assert tally.tie_share == tally.ties / tally.n

    page = lena_client.get(reverse("preference", args=[study.slug])).text
    decision = lena_client.get(reverse("decision", args=[study.slug])).text
    report = reported(study)["planning"]["more_judgements"]

    in_all = collected_for(needed, tally.tie_share)
    assert in_all > needed
    assert report["value"] == in_all
    for text in (page, decision):
        assert f"{wording.about(needed)} more decided judgements".capitalize() in text
        assert f"{wording.about(in_all)} judgements, if as many of them count as so far" in text
    assert f"{wording.count(-(-in_all // study.overlap))} items at {study.overlap} each" in page
    assert "at the present pace" in page
    # Nobody knows how many will be ties before some items are judged.
    assert forecast(result, 3, 10.0, None) == result.missing


def test_nothing_that_is_collected_may_count() -> None:
    assert collected_for(80, 0.2) == 100
    assert collected_for(0, 0.5) == 0
    with pytest.raises(UndefinedError, match="nothing that is collected counts"):
        collected_for(80, 1.0)


def test_the_gap_leaves_ties_out_where_the_policy_does(db: None) -> None:
    votes = queries.sided_votes(judged_study(items=40, leaning=Leaning(tie=0.3)))

    half, decided = (side_gap(votes, 0.95, ties) for ties in ("half", "decided"))

    assert isinstance(half, Estimate)
    assert isinstance(decided, Estimate)
    left, right = (side.without_ties() for side in votes.by_side)
    assert decided.n == left.n + right.n < half.n
    assert decided.value == pytest.approx(left.wins / left.n - right.wins / right.n)
