"""Findings follow from where intervals lie; figures lie where their numbers say."""

import re
from datetime import date, timedelta

import pytest
from scipy.stats import binomtest

from evals import queries
from evals.charts import Axis, columns, gate_strip, outcome_bar, share_axis, strip, vote_strip
from evals.gate import DEFAULT_GATES, Evidence, judge_gate
from evals.matching import is_structured, matches, parses
from evals.reporting import items, preference, progress, report
from evals.reporting.agreement import page as agreement
from evals.reporting.annotators import in_seconds, in_time, is_below
from evals.reporting.gates import headline
from evals.reporting.numbers import listed, shown
from evals.reporting.tested import (
    Headline,
    Part,
    corrected_over,
    headline_tests,
    parts_of,
    where_it_wins,
)
from evals.reporting.words import report_in_words
from evals.stats.estimates import Estimate, Undefined
from evals.stats.latency import median_interval
from evals.stats.preference import ClusteredRate
from evals.tallies import Tally, Ties, counts_of, with_others
from tests.factories import make_batch, make_study

PREFERENCE = next(gate for gate in DEFAULT_GATES if gate.key == "human_preference")


def share(low: float, value: float, high: float, n: int = 100) -> Estimate:
    return Estimate(value, low, high, n, "mean score, clustered by item")


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (share(0.61, 0.7, 0.8), "At least 60\u202f% prefer the candidate"),
        (
            share(0.55, 0.64, 0.7),
            "People prefer the candidate, but not yet surely by the 60\u202f% that was agreed",
        ),
        (
            share(0.51, 0.55, 0.59),
            "People prefer the candidate, but by less than the 60\u202f% that was agreed",
        ),
        (share(0.45, 0.52, 0.59), "Fewer than the 60\u202f% that was agreed prefer the candidate"),
        (share(0.4, 0.55, 0.7), "It cannot be told yet which system people prefer"),
        (share(0.3, 0.4, 0.49), "People prefer the baseline"),
        (
            Undefined("nothing has been judged yet"),
            "Nobody has judged yet, so there is no preference to report",
        ),
        (
            Undefined("all votes are of a single item", 3),
            "No win rate can be given yet: all votes are of a single item",
        ),
    ],
)
def test_the_finding_says_where_the_interval_lies(
    estimate: Estimate | Undefined, said: str
) -> None:
    result = judge_gate(PREFERENCE, Evidence("human_preference", estimate, "judgements"))

    assert preference.finding(result) == said


def test_where_it_wins_sorts_rows_by_their_intervals() -> None:
    parts = [
        Part("Helpfulness", share(0.6, 0.7, 0.8), 0.002),
        Part("Safety", share(0.4, 0.5, 0.6), 1.0),
        Part("Billing", share(0.2, 0.3, 0.4), 0.05),
        Part("Loyalty", Undefined("nothing has been judged yet")),
    ]

    assert where_it_wins(parts) == (
        "Ahead on Helpfulness. Behind on Billing. On Safety the interval holds 50\u202f%."
    )


def test_an_interval_alone_makes_no_difference_of_a_row() -> None:
    parts = [
        Part("Billing", share(0.51, 0.6, 0.69), 0.08),
        Part("", share(0.3, 0.4, 0.49), 0.06),
        Part("Safety", share(0.501, 0.6, 0.69), None),
    ]

    assert where_it_wins(parts[:1]) == (
        "On Billing the interval leaves out 50\u202f%, but the corrected test does not: no "
        "difference is shown."
    )
    assert where_it_wins(parts).startswith(
        "On Billing, no category and Safety the intervals leave out 50\u202f%"
    )


def judged_once(wins: int, ties: int, losses: int, people: int) -> Tally:
    """One judgement on each item; every annotator leans alike."""
    items = [(0, 0, 1, wins), (0, 1, 0, ties), (1, 0, 0, losses)]
    each = (losses // people, ties // people, wins // people, people)
    return Tally(counts_of(row for row in items if row[3]), counts_of([each]))


def headline_of(tally: Tally, ties: Ties = "half", threshold: float = 0.6) -> Headline:
    return Headline(tally, tally.preferred(0.95, ties), threshold, ties)


def test_items_judged_once_are_tested_exactly_as_well() -> None:
    found = headline_tests(headline_of(judged_once(40, 0, 20, 10)))

    assert found
    assert [(row.against, row.n) for row in found.rows] == [
        ("50\u202f%, no preference", "60 judgements"),
        ("60\u202f%, the gate", "60 judgements"),
        ("50\u202f%, no preference", "60 decided judgements"),
        ("60\u202f%, the gate", "60 decided judgements"),
    ]
    assert found.rows[2].method == (
        "Two-sided exact sign test on decided judgements, one on each item."
    )
    assert found.rows[2].p == f"{binomtest(40, 60).pvalue:.3f}"
    assert found.rows[3].p == f"{binomtest(40, 60, 0.6).pvalue:.2f}"
    assert (found.is_exact, found.share_people) == (True, True)


def test_half_a_win_has_no_exact_test_against_the_gate() -> None:
    tally = judged_once(30, 20, 10, 10)
    half, decided = (
        headline_tests(headline_of(tally)),
        headline_tests(headline_of(tally, "decided")),
    )

    assert half
    assert decided
    assert half.rows[3].method.startswith("No test: ties count as half a win here")
    assert decided.rows[3].p == f"{binomtest(30, 40, 0.6).pvalue:.3f}"
    assert {row.n for row in decided.rows} == {"40 decided judgements"}


def test_tests_and_intervals_that_differ_are_said_to() -> None:
    # Ties shrink what was seen to vary, but not what the interval takes to vary.
    many = Tally(
        counts_of([(0, 3, 0, 270), (0, 1, 2, 28), (2, 1, 0, 2)]),
        counts_of([(1, 84, 5, 4), (0, 84, 6, 6)]),
    )

    odd = headline_tests(headline_of(many, threshold=0.5))

    assert odd
    assert odd.at_odds == "50\u202f%"
    assert len(odd.rows) == 1
    assert odd.said.startswith("The win rate lies above 50\u202f% by more than chance explains")


def test_a_small_p_is_no_difference_where_the_interval_holds_one_half() -> None:
    assert Part("Billing", share(0.49, 0.6, 0.7), 0.01).place == "across"


def test_p_values_of_rows_are_corrected_over_those_that_can_be_tested() -> None:
    rates: dict[str, ClusteredRate | Undefined] = {
        name: ClusteredRate(0.6, 0.51, 0.7, 90, "", p_value=p)
        for name, p in (("a", 0.01), ("b", 0.04), ("c", 0.03), ("still", None))
    }
    parts = parts_of(rates | {"none": Undefined("nothing has been judged yet")})

    # Holm: 3 x 0.01, 2 x 0.03, and 0.04 raised to the one before it.
    assert [part.p for part in parts] == pytest.approx([0.03, 0.06, 0.06, None, None])
    assert [part.place for part in parts] == ["ahead", "doubtful", "doubtful", "doubtful", ""]
    assert corrected_over(parts, parts[:1]) == (
        "over three criteria and, by themselves, over one category"
    )
    assert corrected_over([], []) == ""


def test_agreement_names_what_chance_explains() -> None:
    percent = Estimate(0.68, 0.6, 0.75, 271, "")

    assert agreement.finding(percent, Estimate(0.47, 0.4, 0.53, 271, "")) == (
        "Two annotators agree on 68 of 100 items; 40 of these by chance alone"
    )
    assert agreement.finding(percent, Estimate(0.02, -0.05, 0.1, 271, "")) == (
        "Two annotators agree on 68 of 100 items, which chance alone could explain"
    )


def test_a_missing_number_is_a_dash_with_its_reason() -> None:
    number = shown(Undefined("every rating is 4", 12), "coefficient", "items")

    assert (number.value, number.interval, number.why) == ("\u2013", "", "every rating is 4")


def test_an_estimate_without_interval_says_why() -> None:
    number = shown(
        Estimate(1.0, None, None, 9, "Cohen's kappa, linear; no spread, so no interval"),
        "coefficient",
        "items",
    )

    assert (number.value, number.interval) == ("1.00", "")
    assert number.why == "no spread, so no interval"


def test_lists_of_names_read_as_sentences() -> None:
    assert listed(["a"]) == "a"
    assert listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert listed([str(n) for n in range(7)]) == "0, 1, 2, 3 and three more"


@pytest.mark.parametrize(
    ("statuses", "said"),
    [
        (["met"] * 7, "All seven gates are met"),
        (["met"], "The one gate is met"),
        (["not measured"] * 2, "Two gates are still open, and none has failed"),
        (
            ["met", "not enough evidence"],
            "One gate is met and none has failed, but one is still open",
        ),
        (["met", "not met", "not measured"], "One gate is not met: title 1"),
    ],
)
def test_the_headline_counts_required_gates(statuses: list[str], said: str) -> None:
    gates = [
        {"title": f"Title {number}", "status": status, "required": True}
        for number, status in enumerate(statuses)
    ]
    gates.append({"title": "Left aside", "status": "not met", "required": False})

    assert headline({"gates": gates}) == said


def test_the_pace_foretells_the_end() -> None:
    today = date(2026, 11, 21)
    week = queries.Week(700, 30 * 24 * 3600)

    assert progress.pace(week, 250, today).done_on == today + timedelta(days=3)
    assert progress.pace(week, 0, today).words == "All judgements are in."
    assert progress.pace(queries.Week(0, None), 9, today).words == "Nobody has judged yet."
    assert progress.pace(queries.Week(0, 9e6), 9, today).done_on is None
    # A study of two days is not averaged over seven.
    assert progress.pace(queries.Week(100, 2 * 24 * 3600), 100, today).per_day == 50


def test_days_without_judgements_are_columns_too() -> None:
    today = date(2026, 11, 21)

    chart = progress.day_chart([(today - timedelta(days=3), 10), (today, 5)], today)

    assert len(chart.columns) == 7
    assert [column.count for column in chart.columns] == ["", "", "", "10", "", "", "5"]
    assert chart.columns[-1].is_last
    assert progress.day_chart([], today).columns == ()


def test_figures_lie_on_their_axis() -> None:
    axis = Axis(0.3, 0.9)

    drawn = strip(share(0.3, 0.6, 0.9), axis, 0.5)

    assert (drawn.low, drawn.x, drawn.high, drawn.half) == (0.0, 50.0, 100.0, 33.33)
    assert strip(Undefined("none"), axis).x is None
    assert axis.at(2.0) == 100
    assert share_axis([share(0.2, 0.5, 0.7)]) == Axis(0.0, 1.0)
    assert share_axis([share(0.4, 0.5, 0.7), Undefined("none")]) == Axis(0.3, 0.9)


def test_a_gate_is_drawn_with_its_whole_interval() -> None:
    far = gate_strip(share(0.12, 0.3, 0.45), 0.6, "at least", "share", "60 %")
    ratio = gate_strip(Estimate(1.3, 1.1, 1.6, 1000, ""), 2.0, "at most", "ratio", "2 ×")

    assert far.low_label == "10\u202f%"
    assert far.strip.low is not None
    assert far.strip.low > 0
    assert far.zone_x == far.threshold
    assert (ratio.zone_x, ratio.zone_width) == (0.0, ratio.threshold)


def test_the_bar_of_outcomes_fills_its_width() -> None:
    parts = outcome_bar(446, 126, 28, 212)

    assert [(part.kind, part.count) for part in parts] == [
        ("c", "446"), ("t", "126"), ("x", "28"), ("b", "212"),
    ]  # fmt: skip
    assert sum(part.width + 0.3 for part in parts) == pytest.approx(100, abs=0.1)
    assert [part.kind for part in outcome_bar(1, 0, 0, 1)] == ["c", "t", "b"]


def test_votes_of_one_strength_are_stacked() -> None:
    drawn = vote_strip([-2, 1, 1], 2, "")

    assert [(vote.kind, vote.x) for vote in drawn.votes] == [("b", 8.0), ("c", 71.0), ("c", 71.0)]
    assert drawn.votes[1].y != drawn.votes[2].y
    assert columns([], []) == []


def test_preferences_have_words_for_their_strength() -> None:
    assert items.preference_words(-1, 1) == "baseline better"
    assert items.preference_words(2, 2) == "candidate much better"
    assert items.preference_words(1, 3) == "candidate slightly better"
    assert items.preference_words(0, 3) == "tie"
    assert items.preference_words(0, 3, both_bad=True) == "both bad"


def test_a_closed_study_forecasts_nothing() -> None:
    week = queries.Week(10, 86_400.0)

    assert "Complete around" in progress.pace(week, 20).words
    assert progress.pace(week, 20, closed=True).words == (
        "The study is closed: no more judgements come in."
    )


def test_times_are_read_in_minutes_and_seconds() -> None:
    assert in_time(None) == "\u2013"
    assert in_time(47.6) == "48\u202fs"
    assert in_time(125) == "2\u202fmin 5\u202fs"


def test_a_median_of_few_times_has_a_reason_in_place_of_an_interval() -> None:
    few, many = median_interval([30, 40, 50, 60, 70]), median_interval(range(10, 70, 10))

    assert (in_seconds(few).value, in_seconds(few).interval) == ("50\u202fs", "")
    assert in_seconds(few).why == "no interval: it takes 6 judgements"
    # Of six values all lie above the median once in 64 times, and all below it once in 64.
    assert (many.value, many.low, many.high, many.n) == (35, 10, 60, 6)
    assert in_seconds(many).interval == "10\u202fs to 1\u202fmin"
    assert in_seconds(Undefined("nothing was timed")).why == "nothing was timed"


def test_the_interval_of_a_median_is_that_of_the_sign_test() -> None:
    # Conover (1999), example 3.2.1, has 16 values: P(X <= 3) = 0.0106, P(X <= 4) = 0.0384.
    found = median_interval(range(1, 17))

    assert (found.value, found.low, found.high) == (8.5, 4, 13)
    assert found.method == "median; interval of order statistics (binomial)"


def test_somebody_stands_apart_only_beyond_their_interval() -> None:
    everybody = share(0.6, 0.7, 0.8)

    assert is_below(share(0.3, 0.4, 0.5), everybody)
    assert not is_below(share(0.5, 0.6, 0.75), everybody)
    assert not is_below(Undefined("nobody else"), everybody)


def test_agreement_with_others_is_a_share_of_pairs() -> None:
    found = with_others([(2, 2, 10), (2, 1, 5), (1, 0, 5)])

    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(25 / 35)
    assert found.n == 20
    assert isinstance(with_others([]), Undefined)


def test_a_tally_counts_items_and_annotators() -> None:
    tally = Tally(counts_of([(0, 1, 2, 3), (1, 0, 0, 2)]), counts_of([(1, 2, 3, 1), (1, 1, 3, 1)]))

    assert tally.totals == (2, 3, 6)
    assert (tally.n, tally.decided, tally.item_count, tally.annotator_count) == (11, 8, 5, 2)
    assert isinstance(Tally().win_rate(), Undefined)
    only_ties = Tally(counts_of([(0, 1, 0, 4)]), counts_of([(0, 4, 0, 1)]))
    rate = only_ties.win_rate_decided()
    assert isinstance(rate, Undefined)
    assert rate.reason == "every judgement is a tie, so nothing was decided"


@pytest.mark.parametrize(
    ("reference", "output", "same"),
    [
        ("Paris", " Paris\n", True),
        ("Paris", "paris", False),
        ('{"a": 1, "b": 2}', '{"b":2,"a":1}', True),
        ('{"a": 1}', '{"a": true}', False),
        ('{"a": "1"}', '{"a": 1}', False),
        ("[1, 2]", "[2, 1]", False),
        ('"\\u00e9"', '"é"', True),
        ("1.0", "1", False),
        ("9" * 5000, "9" * 5000, True),
    ],
)
def test_outputs_match_their_reference_by_one_rule(reference: str, output: str, same: bool) -> None:
    assert matches(reference, output) is same


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("{}", True), ("[1e400]", True), ('{"a": NaN}', False), ("{} {}", False), ("", False),
        ("9" * 5000, True), ("[" * 100_000, False), ("'a'", False), ('{"a": 1,}', False),
    ],
)  # fmt: skip
def test_valid_json_is_that_of_its_standard(text: str, valid: bool) -> None:
    assert parses(text) is valid
    assert is_structured(text) is (valid and text[0] in "{[")


@pytest.mark.django_db
def test_a_report_of_nothing_reads_without_numbers() -> None:
    study = make_study("June")
    make_batch(study, 2)

    text = report_in_words(report(study))

    assert "Win rate, ties half: \u2013  0 judgements (nothing has been judged yet)" in text
    said = [line.partition(":")[2] for line in text.splitlines() if ":" in line]
    assert len(said) > 10
    assert [told for told in said if re.search(r"\d[.]\d|\d %", told)] == []
