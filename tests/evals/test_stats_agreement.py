"""Agreement: published figures, second implementations, and what must always hold."""

import itertools
from typing import Any, Literal

import krippendorff
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from statsmodels.stats import inter_rater

from evals.stats.agreement import (
    agreement_summary,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
)
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.gwet import gwet_ac1, gwet_ac2
from evals.stats.kappa import cohen_kappa, kappa_pairs, percent_pairs

Counts = npt.NDArray[np.int64]
Level = Literal["nominal", "ordinal", "interval"]

# Krippendorff (2011), section C: 12 units, 4 observers.
SECTION_C: list[list[int | None]] = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
]
TABLES = hnp.arrays(np.int64, (3, 3), elements=st.integers(0, 40))
UNITS = hnp.arrays(np.int64, st.tuples(st.integers(1, 12), st.just(3)), elements=st.integers(0, 4))


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.743), ("ordinal", 0.815)])
def test_alpha_matches_the_published_example(level: str, expected: float) -> None:
    assert round(krippendorff_alpha(SECTION_C, level).value, 3) == expected


def test_alpha_interval_matches_the_published_example() -> None:
    result = krippendorff_alpha(SECTION_C, "interval")

    assert round(result.value, 3) == 0.849
    assert result.n == 11  # one unit has a single rating
    assert "fewer than 50 units: interval too short" in result.method


def test_kappa_of_skin_conditions_matches_the_sas_guide() -> None:
    # SAS/STAT User's Guide, PROC FREQ, agreement study.
    table = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]

    result = cohen_kappa(table)

    assert f"{result.value:.4f} {result.se:.4f} {result.low:.4f} {result.high:.4f}" == (
        "0.3449 0.0724 0.2030 0.4868"
    )


def test_fleiss_kappa_matches_the_published_example() -> None:
    # Fleiss (1971), table 1, in short: 14 raters, 10 subjects, 5 categories (Wikipedia).
    counts = [
        [0, 0, 0, 0, 14], [0, 2, 6, 4, 2], [0, 0, 3, 5, 6], [0, 3, 9, 2, 0], [2, 2, 8, 1, 1],
        [7, 7, 0, 0, 0], [3, 2, 6, 3, 0], [2, 5, 3, 2, 2], [6, 5, 2, 1, 0], [0, 2, 2, 3, 7],
    ]  # fmt: skip

    assert round(fleiss_kappa(counts).value, 3) == 0.210


def test_ac1_resists_prevalence_where_kappa_collapses() -> None:
    # Feinstein & Cicchetti (1990): 85 % agreement, kappa .32.
    ratings = [[0] * 90 + [1] * 10, [0] * 80 + [1] * 10 + [0] * 5 + [1] * 5]

    assert round(cohen_kappa([[80, 10], [5, 5]]).value, 2) == 0.32
    assert gwet_ac1(ratings, [0, 1]).value > 0.8


@given(table=TABLES, weights=st.sampled_from(["unweighted", "linear", "quadratic"]))
@settings(max_examples=60, deadline=None)
def test_kappa_and_its_error_match_statsmodels(table: Counts, weights: str) -> None:
    ours = attempt(cohen_kappa, table, weights)
    if isinstance(ours, Undefined):
        assert np.count_nonzero(table) <= 1
        return

    with np.errstate(all="ignore"):  # statsmodels divides by 0 on tables of one cell
        theirs = inter_rater.cohens_kappa(table, wt=None if weights == "unweighted" else weights)

    assert ours.value == pytest.approx(theirs.kappa, abs=1e-9)
    assert ours.se == pytest.approx(np.sqrt(max(0.0, theirs.var_kappa)), abs=1e-7)


@given(units=UNITS, level=st.sampled_from(["nominal", "ordinal", "interval"]))
@settings(max_examples=60, deadline=None)
def test_alpha_matches_the_krippendorff_package(units: Counts, level: Level) -> None:
    ratings = ratings_of(units)
    ours = attempt(krippendorff_alpha, ratings, level, draws=50)
    paired = units[units.sum(axis=1) >= 2].sum(axis=0)
    if isinstance(ours, Undefined):
        assert (paired > 0).sum() <= 1
        return

    theirs = krippendorff.alpha(value_counts=units, level_of_measurement=level)

    assert ours.value == pytest.approx(theirs, abs=1e-9)


@given(units=hnp.arrays(np.int64, (9, 4), elements=st.integers(0, 2)))
@settings(max_examples=40, deadline=None)
def test_fleiss_matches_statsmodels(units: Counts) -> None:
    units = np.eye(3, dtype=np.int64)[units].sum(axis=1)
    ours = attempt(fleiss_kappa, units, draws=50)
    if isinstance(ours, Undefined):
        assert (units.sum(axis=0) > 0).sum() == 1
        return

    assert ours.value == pytest.approx(inter_rater.fleiss_kappa(units), abs=1e-9)


def ratings_of(units: Counts) -> list[list[int | None]]:
    """Some matrix of raters by items with these counts."""
    rows = [[c for c, times in enumerate(unit) for _ in range(times)] for unit in units.tolist()]
    width = max((len(row) for row in rows), default=0)
    padded = [row + [None] * (width - len(row)) for row in rows]
    return [list(column) for column in zip(*padded, strict=True)]


def assert_whole(result: Estimate | Undefined) -> None:
    """A reason, or a number inside its interval."""
    if isinstance(result, Undefined):
        assert result.reason
        return
    assert result.value <= 1
    if result.low is not None and result.high is not None:
        assert -1.5 <= result.low <= result.value <= result.high <= 1


@given(table=TABLES)
@settings(max_examples=60)
def test_kappa_does_not_know_who_is_first_nor_what_categories_are_called(table: Counts) -> None:
    def value(of: Counts, weights: str) -> Any:
        result = attempt(cohen_kappa, of, weights)
        return None if isinstance(result, Undefined) else pytest.approx(result.value, abs=1e-9)

    assert_whole(attempt(cohen_kappa, table))
    for weights in ("unweighted", "quadratic"):
        assert value(table, weights) == value(table.T, weights)
        assert value(table, weights) == value(table[::-1, ::-1], weights)
    for order in itertools.permutations(range(3)):
        assert value(table, "unweighted") == value(table[np.ix_(order, order)], "unweighted")


@given(units=UNITS, order=st.permutations(range(3)))
@settings(max_examples=40, deadline=None)
def test_summary_is_whole_and_does_not_know_the_order(units: Counts, order: list[int]) -> None:
    summary = agreement_summary(units, draws=100)
    relabelled = agreement_summary(units[::-1, order], draws=100)

    for key, result in summary.items():
        assert_whole(result)
        other = relabelled[key]
        assert isinstance(other, Undefined) == isinstance(result, Undefined)
        if key != "alpha_ordinal" and isinstance(result, Estimate) and isinstance(other, Estimate):
            assert other.value == pytest.approx(result.value, abs=1e-9)


@given(units=UNITS)
@settings(max_examples=40, deadline=None)
def test_summary_agrees_with_the_single_functions(units: Counts) -> None:
    ratings = ratings_of(units)
    summary = agreement_summary(units, draws=50)
    singles = {
        "percent": attempt(percent_agreement, ratings, draws=50),
        "alpha_nominal": attempt(krippendorff_alpha, ratings, "nominal", draws=50),
        "alpha_ordinal": attempt(krippendorff_alpha, ratings, "ordinal", draws=50),
        "gwet_ac1": attempt(gwet_ac1, ratings, [0, 1, 2]),
    }

    for key, single in singles.items():
        result = summary[key]
        if isinstance(single, Undefined):
            # One item alone has a value in the summary, but never an interval.
            assert isinstance(result, Undefined) or result.low is None
        else:
            assert isinstance(result, Estimate)
            assert single.value == pytest.approx(result.value, abs=1e-9)
            assert single.n == result.n


def test_permuting_annotators_changes_nothing() -> None:
    swapped = [SECTION_C[place] for place in (2, 0, 3, 1)]

    assert krippendorff_alpha(swapped, "ordinal") == krippendorff_alpha(SECTION_C, "ordinal")
    assert gwet_ac1(swapped, range(1, 6)) == gwet_ac1(SECTION_C, range(1, 6))
    assert percent_agreement(swapped) == percent_agreement(SECTION_C)


def test_multiplicity_is_the_same_as_repeated_rows() -> None:
    rows = np.array([[3, 0, 0], [2, 1, 0], [0, 1, 2], [1, 1, 1]])
    times = np.array([20, 11, 9, 4])

    short = agreement_summary(rows, times, seed=7)
    long = agreement_summary(np.repeat(rows, times, axis=0), seed=7)

    assert short == long


def test_the_same_seed_gives_the_same_interval_and_another_seed_nearly_so() -> None:
    units = np.random.default_rng(1).multinomial(3, [0.5, 0.2, 0.3], size=300)

    one, same, other = (agreement_summary(units, seed=s)["alpha_nominal"] for s in (1, 1, 2))

    assert isinstance(one, Estimate)
    assert isinstance(other, Estimate)
    assert one == same
    assert one.low != other.low
    assert one.low == pytest.approx(other.low, abs=0.01)


def test_the_histogram_bootstrap_is_that_of_the_items() -> None:
    # Against resampling the items one by one, as textbooks do.
    rng = np.random.default_rng(3)
    tendency = rng.dirichlet([0.6, 0.3, 0.6], size=120)
    units = np.array([rng.multinomial(4, p) for p in tendency])

    ours = agreement_summary(units, draws=4000)["alpha_nominal"]
    plain = [
        krippendorff.alpha(value_counts=units[rng.integers(0, 120, 120)],
                           level_of_measurement="nominal")
        for _ in range(1500)
    ]  # fmt: skip

    assert isinstance(ours, Estimate)
    assert ours.low == pytest.approx(np.quantile(plain, 0.025), abs=0.02)
    assert ours.high == pytest.approx(np.quantile(plain, 0.975), abs=0.02)


def test_all_pairs_at_once_are_the_pairs_one_by_one() -> None:
    tables = np.random.default_rng(5).integers(0, 30, size=(40, 3, 3))

    for weights in ("unweighted", "linear", "quadratic"):
        assert kappa_pairs(tables, weights) == [cohen_kappa(table, weights) for table in tables]


def test_a_pair_without_variety_is_undefined_and_says_what_both_chose() -> None:
    tables = [[[0, 0, 0], [0, 0, 0], [0, 0, 9]], np.zeros((3, 3), int), np.diag([4, 1, 3])]
    labels = ["the baseline", "a tie", "the candidate"]

    uniform, empty, perfect = kappa_pairs(np.array(tables), labels=labels)

    assert isinstance(uniform, Undefined)
    assert uniform.reason == (
        "both chose the candidate on all 9 items they share, so chance agreement is 100\u202f%"
    )
    assert isinstance(empty, Undefined)
    assert empty.reason == "they share no items"
    assert isinstance(perfect, Estimate)
    assert (perfect.value, perfect.low, perfect.se) == (1.0, None, 0.0)
    share = percent_pairs(np.array(tables))[0]
    assert isinstance(share, Estimate)
    assert (share.value, share.high, share.n) == (1.0, 1.0, 9)
    assert share.low == pytest.approx(0.025 ** (1 / 9))


def test_uneven_overlap_leaves_fleiss_undefined_and_the_rest_defined() -> None:
    summary = agreement_summary([[2, 1, 0], [0, 2, 0], [1, 0, 0], [0, 1, 2]])

    fleiss = summary.pop("fleiss_kappa")
    assert isinstance(fleiss, Undefined)
    assert "between 2 and 3 judgements" in fleiss.reason
    assert {type(result) for result in summary.values()} == {Estimate}
    assert {result.n for result in summary.values()} == {3}


def test_unanimity_is_not_certainty() -> None:
    summary = agreement_summary([[3, 0, 0], [0, 0, 3]], [6, 4])
    percent, alpha = summary["percent"], summary["alpha_nominal"]

    assert isinstance(percent, Estimate)
    assert isinstance(alpha, Estimate)
    assert percent.low == pytest.approx(0.025 ** (1 / 10))  # exact, 10 of 10
    assert (alpha.value, alpha.low, alpha.high) == (1.0, None, None)
    assert "no interval" in alpha.method


def test_one_category_leaves_the_percentage_and_takes_the_rest() -> None:
    summary = agreement_summary([[3, 0, 0]], [12])

    assert isinstance(summary["percent"], Estimate)
    for key in ("alpha_nominal", "alpha_ordinal", "fleiss_kappa"):
        assert isinstance(summary[key], Undefined), key
    assert summary["alpha_nominal"].as_json() == {
        "value": None,
        "reason": "every judgement is the same, so chance agreement is 100\u202f%",
        "n": 12,
    }


def test_nothing_judged_yet_is_a_reason_not_a_number() -> None:
    for nothing in ([], np.zeros((0, 3), int), [[1, 0, 0], [0, 1, 0]]):
        assert {type(result) for result in agreement_summary(nothing).values()} == {Undefined}


def test_scott_pi_of_two_raters_is_fleiss_kappa() -> None:
    table = np.array([[31, 6, 4], [9, 12, 7], [2, 5, 24]])
    eye = np.eye(3)
    pairs = [eye[i] + eye[j] for i in range(3) for j in range(3) for _ in range(table[i, j])]

    assert scott_pi(table).value == pytest.approx(fleiss_kappa(pairs).value, abs=1e-12)


def test_words_are_ratings_too() -> None:
    words: list[list[str | None]] = [["win", "tie", "loss", None], ["win", "win", "loss", "tie"]]

    assert percent_agreement(words).value == pytest.approx(2 / 3)
    assert gwet_ac2(words, ["loss", "tie", "win"]).value == pytest.approx(
        gwet_ac2([[2, 1, 0, None], [2, 2, 0, 1]], [0, 1, 2]).value
    )
    with pytest.raises(UndefinedError, match="needs numbers"):
        krippendorff_alpha(words, "ordinal")
