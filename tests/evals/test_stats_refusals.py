"""What cannot be known or cannot be is refused in a sentence, never with NaN or a trace."""

import json
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.stats.agreement import (
    agreement_summary,
    fleiss_kappa,
    krippendorff_alpha,
    percent_agreement,
    scott_pi,
)
from evals.stats.bradley_terry import bradley_terry
from evals.stats.clusters import vote_columns
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Estimate, Undefined, attempt
from evals.stats.gwet import gwet_ac1, gwet_ac2
from evals.stats.judges import alternative_annotator_test, ppi_mean
from evals.stats.kappa import cohen_kappa, kappa_pairs
from evals.stats.latency import quantile_hazen, quantile_ratio
from evals.stats.multiplicity import benjamini_hochberg, holm
from evals.stats.paired import mcnemar_exact, newcombe_paired_difference, noninferiority_paired
from evals.stats.planning import (
    design_effect,
    judgements_needed,
    more_needed,
    sample_size_proportion,
)
from evals.stats.preference import (
    clustered_left_share,
    clustered_win_rate,
    win_rate_from_sums,
)
from evals.stats.proportions import (
    binomial_test_exact,
    clopper_pearson_interval,
    newcombe_independent_difference,
    wilson_interval,
    zero_failure_bound,
)
from evals.stats.sequential import (
    asymptotic_confidence_sequence,
    beta_binomial_e_value,
    normal_mixture_boundary,
)

NAN = math.nan
INF = math.inf

IMPOSSIBLE: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
    (wilson_interval, (5, 4)),
    (wilson_interval, (-1, 4)),
    (wilson_interval, (1.5, 4)),
    (wilson_interval, (True, 4)),
    (wilson_interval, ("1", 4)),
    (wilson_interval, (None, 4)),
    (wilson_interval, (1, NAN)),
    (wilson_interval, (1, INF)),
    (wilson_interval, (1, 10**400)),
    (wilson_interval, (1, 4, 1.0)),
    (wilson_interval, (1, 4, 95)),
    (clopper_pearson_interval, (9, 8)),
    (clopper_pearson_interval, (0, 0)),
    (newcombe_independent_difference, (1, 2, 3, 2)),
    (newcombe_independent_difference, (1, 2, -3, 2)),
    (binomial_test_exact, (1, 4, 1.2)),
    (binomial_test_exact, (1, 4, 0.5, "both")),
    (zero_failure_bound, (-1,)),
    (zero_failure_bound, (10, 0.0)),
    (newcombe_paired_difference, ([[1, -1], [7, 12]],)),
    (newcombe_paired_difference, ([[1, 1], [7]],)),
    (newcombe_paired_difference, ([1, 1, 7, 12],)),
    (newcombe_paired_difference, ([[1, None], [7, 12]],)),
    (noninferiority_paired, ([[1, 1], [7, 12]], -0.05)),
    (noninferiority_paired, ([[1, 1], [7, 12]], 5)),
    (mcnemar_exact, ([],)),
    (cohen_kappa, ([[1, 2, 3], [4, 5, 6]],)),
    (cohen_kappa, ([[1, NAN], [4, 5]],)),
    (cohen_kappa, ([[1, 2], [4, 5]], "cubic")),
    (cohen_kappa, ([[12]],)),
    (cohen_kappa, ([],)),
    (kappa_pairs, (np.zeros((2, 3, 2), int),)),
    (scott_pi, ([[1, 2]],)),
    (scott_pi, ([[0, 0], [0, 0]],)),
    (fleiss_kappa, ([[3, 0], [1, 1]],)),
    (fleiss_kappa, ([[1, 0], [0, 1]],)),
    (fleiss_kappa, ([[2, -1], [1, 0]],)),
    (fleiss_kappa, ([],)),
    (percent_agreement, ([],)),
    (percent_agreement, ([[]],)),
    (percent_agreement, ([[1, 2], [1]],)),
    (percent_agreement, ([[1, NAN], [1, 2]],)),
    (percent_agreement, (7,)),
    (percent_agreement, ([[[1], 2], [1, 2]],)),
    (krippendorff_alpha, ([[1, 2], [1, 1]], "ratio")),
    (krippendorff_alpha, ([["a", "b"], ["a", "a"]], "interval")),
    (krippendorff_alpha, ([[1, INF], [1, 1]],)),
    (gwet_ac1, ([[1, 2], [1, 9]], [1, 2, 3])),
    (gwet_ac1, ([[1, 2], [1, 2]], [1, 2, 2])),
    (gwet_ac1, ([[1, None], [None, 2]], [1, 2])),
    (gwet_ac1, ([[1], [2]], [1, 2])),
    (gwet_ac1, ([[1, 1], [1, 1]], 5)),
    (gwet_ac2, ([[1, 2], [1, 2]], [1, 2], "unweighted")),
    (agreement_summary, ([[1, 2], [1, 1]], [1])),
    (agreement_summary, ([[1, -2], [1, 1]],)),
    (clustered_win_rate, (["i"], ["a", "b"], [1, 0])),
    (clustered_win_rate, (["i", "j"], ["a", "b"], [1, 1.5])),
    (clustered_win_rate, (["i", "j"], ["a", "b"], [1, NAN])),
    (clustered_win_rate, (["i", "j"], ["a", "b"], [1, None])),
    (clustered_win_rate, (["i", None], ["a", "b"], [1, 0])),
    (clustered_win_rate, (["i", NAN], ["a", "b"], [1, 0])),
    (clustered_win_rate, (np.array([1.0, NAN]), ["a", "b"], [1, 0])),
    (clustered_win_rate, ([["i"], ["j"]], ["a", "b"], [1, 0])),
    (clustered_win_rate, (3, ["a", "b"], [1, 0])),
    (clustered_left_share, ([], [], [])),
    (vote_columns, ([["i", "a"]],)),
    (vote_columns, ([1],)),
    (vote_columns, (None,)),
    (holm, ([0.2, -0.1],)),
    (holm, ([0.2, NAN],)),
    (holm, ([],)),
    (holm, ([0.2], 0)),
    (benjamini_hochberg, ([0.2, "x"],)),
    (bradley_terry, (3, [[0, 1, 2]])),
    (bradley_terry, (3, [[0, 5, 1, 1, 0]])),
    (bradley_terry, (3, [[1, 1, 1, 1, 0]])),
    (bradley_terry, (3, [[0, 1, -1, 1, 0]])),
    (bradley_terry, (3, [])),
    (bradley_terry, (1, [])),
    (bradley_terry, (2, [[0, 1, 3, 0, 0]])),
    (quantile_hazen, ([1, 2], 1.1)),
    (quantile_hazen, ([1, NAN], 0.5)),
    (quantile_hazen, ([], 0.5)),
    (quantile_ratio, ([0.0] * 400, [1.0] * 400)),
    (sample_size_proportion, (0.5, 0.4, 0.05, 0.8, "greater")),
    (sample_size_proportion, (0.5, 1.4)),
    (sample_size_proportion, (0.0, 0.4)),
    (sample_size_proportion, (0.5, 0.6, 0.05, 1.0)),
    (sample_size_proportion, (0.5, 0.5000001)),
    (judgements_needed, (1.2, 0.6)),
    (more_needed, (Estimate(0.7, 0.5, 0.8, 9, ""), 0.6, "under")),
    (design_effect, (0.5, 0.2)),
    (normal_mixture_boundary, (-1,)),
    (normal_mixture_boundary, (1, 2)),
    (asymptotic_confidence_sequence, (0.5, -0.1, 30)),
    (asymptotic_confidence_sequence, (0.5, 0.1, 1)),
    (asymptotic_confidence_sequence, (NAN, 0.1, 30)),
    (beta_binomial_e_value, (13, 12)),
    (beta_binomial_e_value, (0, 0)),
    (beta_binomial_e_value, (3, 12, 0.5, 0, 5)),
    (ppi_mean, ([1, 0, 1], [1, 0], [1, 0])),
    (ppi_mean, ([1, 0, 1], [1, 1, 1], [1, 1])),
    (ppi_mean, ([0.3, 0.3, 0.3], [1, 0, 1], [1, 0])),
    (ppi_mean, ([1, 0, 1e300], [1, 0, 1], [1, 0])),
    (krippendorff_alpha, ([[1, 1e300], [1, 1]], "interval")),
    (normal_mixture_boundary, (1, 0.05, 1e-320)),
    (ppi_mean, ([1, 0, NAN], [1, 0, 1], [1, 0])),
    (alternative_annotator_test, ([["a"] * 30] * 3, ["a"] * 29)),
    (alternative_annotator_test, ([["a", "b"] * 20] * 3, ["a", "b"] * 20)),
    (alternative_annotator_test, ([["a"] * 40] * 3, [None] * 40)),
    (alternative_annotator_test, ([["a"] * 40] * 3, ["a"] * 40, -1)),
    (alternative_annotator_test, ([], ["a"])),
]


@pytest.mark.parametrize(
    ("statistic", "given_"), IMPOSSIBLE, ids=lambda part: getattr(part, "__name__", None)
)
def test_impossible_input_is_refused_in_a_sentence(
    statistic: Callable[..., Any], given_: tuple[Any, ...]
) -> None:
    with pytest.raises(UndefinedError) as refused:
        statistic(*given_)

    reason = refused.value.reason
    assert len(reason.split()) >= 3
    assert not reason.endswith(".")
    assert "nan" not in reason.lower().split()


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 60)
    | st.floats(allow_nan=True)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4),
    max_leaves=12,
)


@given(junk=st.lists(ANYTHING, min_size=3, max_size=3))
@settings(max_examples=150, deadline=None)
def test_junk_is_refused_or_answered_with_finite_numbers(junk: list[Any]) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: wilson_interval(junk[0], junk[1]),
        lambda: cohen_kappa(junk[0]),
        lambda: percent_agreement(junk[0], draws=10),
        lambda: krippendorff_alpha(junk, "ordinal", draws=10),
        lambda: gwet_ac1(junk[0], junk[1]),
        lambda: fleiss_kappa(junk[0], draws=10),
        lambda: agreement_summary(junk[0], junk[1], draws=10),
        lambda: clustered_win_rate(*junk),
        lambda: holm(junk[0]),
        lambda: bradley_terry(3, junk[0]),
        lambda: quantile_hazen(junk[0], junk[1]),
        lambda: ppi_mean(*junk),
        lambda: alternative_annotator_test(junk[0], junk[1], min_items=2),
        lambda: beta_binomial_e_value(junk[0], junk[1]),
        lambda: noninferiority_paired(junk[0], 0.05),
    ]
    for call in calls:
        result = attempt(call)
        if isinstance(result, Estimate):
            json.dumps(result.as_json(), allow_nan=False)


def test_an_estimate_never_holds_nan() -> None:
    with pytest.raises(UndefinedError, match="the high left the range of numbers"):
        Estimate(0.5, 0.1, NAN, 3, "m")


def test_json_of_an_estimate_has_the_fields_of_the_contract() -> None:
    plain = Estimate(np.float64(0.5), 0.25, None, np.int64(3), "m")  # type: ignore[arg-type]

    assert json.dumps(plain.as_json()) == (
        '{"value": 0.5, "low": 0.25, "high": null, "confidence": 0.95, "n": 3, "method": "m"}'
    )
    full = Estimate(0.5, 0.25, 0.75, 3, "m", 0.9, se=0.1, design_effect=2.0).as_json()
    assert (full["se"], full["design_effect"], full["confidence"]) == (0.1, 2.0, 0.9)
    assert Undefined("nothing was judged", 0, "m").as_json() == {
        "value": None,
        "reason": "nothing was judged",
        "n": 0,
    }


def test_sums_of_a_database_may_be_decimals() -> None:
    result = win_rate_from_sums(
        3,
        Decimal("2.0"),  # type: ignore[arg-type]
        Decimal("2.0"),  # type: ignore[arg-type]
        [(1, Decimal("1.0"), 2), (1, Decimal("0.0"), 1)],  # type: ignore[arg-type]
        [(2, Decimal("1.0"), 1), (1, Decimal("1.0"), 1)],  # type: ignore[arg-type]
    )

    assert result.value == 2 / 3
    with pytest.raises(UndefinedError, match="finite"):
        wilson_interval(Decimal("NaN"), 4)  # type: ignore[arg-type]
    with pytest.raises(UndefinedError, match="finite"):
        holm([10**400, 0.5])
