"""Every case of the shared reference file, by one dispatcher that knows none of them."""

import dataclasses
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evals.stats.agreement import fleiss_kappa, krippendorff_alpha, percent_agreement, scott_pi
from evals.stats.bradley_terry import bradley_terry
from evals.stats.clusters import vote_columns
from evals.stats.errors import UndefinedError
from evals.stats.estimates import Undefined, attempt
from evals.stats.gwet import gwet_ac1, gwet_ac2
from evals.stats.judges import alternative_annotator_test, ppi_mean
from evals.stats.kappa import cohen_kappa
from evals.stats.latency import quantile_hazen
from evals.stats.multiplicity import benjamini_hochberg, holm
from evals.stats.paired import (
    mcnemar_exact,
    mcnemar_mid_p,
    newcombe_paired_difference,
    noninferiority_paired,
)
from evals.stats.planning import sample_size_proportion
from evals.stats.preference import clustered_left_share, clustered_win_rate
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

REPOSITORY = Path(__file__).resolve().parents[2]
SHARED = REPOSITORY / os.environ.get("TOUCHSTONE_SHARED", "../shared")
INDEX = SHARED / "stats" / "cases.json"

Case = dict[str, Any]


def of_votes(statistic: Callable[..., Any]) -> Callable[..., Any]:
    """The statistic of rows [item, annotator, score]."""

    def of_rows(votes: Any, **parameters: Any) -> Any:
        return statistic(*vote_columns(votes), **parameters)

    return of_rows


def of_counts(counts: Any, **parameters: Any) -> Any:
    return fleiss_kappa(counts, **parameters)


STATISTICS: dict[str, Callable[..., Any]] = {
    "clustered_win_rate": of_votes(clustered_win_rate),
    "clustered_left_share": of_votes(clustered_left_share),
    "fleiss_kappa": of_counts,
} | {
    statistic.__name__: statistic
    for statistic in (
        alternative_annotator_test,
        asymptotic_confidence_sequence,
        benjamini_hochberg,
        beta_binomial_e_value,
        binomial_test_exact,
        bradley_terry,
        clopper_pearson_interval,
        cohen_kappa,
        gwet_ac1,
        gwet_ac2,
        holm,
        krippendorff_alpha,
        mcnemar_exact,
        mcnemar_mid_p,
        newcombe_independent_difference,
        newcombe_paired_difference,
        noninferiority_paired,
        normal_mixture_boundary,
        percent_agreement,
        ppi_mean,
        quantile_hazen,
        sample_size_proportion,
        scott_pi,
        wilson_interval,
        zero_failure_bound,
    )
}
# These look at one output: tests/evals/test_metrics_overlap.py.
SCORERS = {"rouge_l_f1"}
OUR_NAMES = {"deff": "design_effect", "lambda": "weight"}
LISTS = {"Adjusted": "p_values", "Strengths": "values"}


def load_cases() -> list[Any]:
    if not INDEX.exists():
        reason = f"{INDEX} is missing: set TOUCHSTONE_SHARED"
        return [pytest.param({}, marks=pytest.mark.skip(reason=reason))]
    cases: list[Case] = json.loads(INDEX.read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["id"]) for case in cases if case["statistic"] not in SCORERS]


def answer_of(case: Case) -> Any:
    assert case["statistic"] in STATISTICS, f"{case['statistic']} is not built"
    return attempt(STATISTICS[case["statistic"]], **case["data"], **case["parameters"])


def read(result: Any, name: str) -> Any:
    """One of the result's numbers by the name that the cases use."""
    if isinstance(result, float):
        assert name == "value"
        return result
    if name == "value" and type(result).__name__ in LISTS:
        return list(getattr(result, LISTS[type(result).__name__]))
    value = getattr(result, OUR_NAMES.get(name, name))
    return list(value) if isinstance(value, tuple) else value


def read_term(result: Any, term: str) -> float:
    """`low`, `value[1]`, or a difference of two such."""
    numbers = []
    for name, place in re.findall(r"(\w+)(?:\[(\d+)\])?", term):
        value = read(result, name)
        numbers.append(value[int(place)] if place else value)
    return float(numbers[0] - numbers[1]) if len(numbers) == 2 else float(numbers[0])


def assert_close(got: Any, expected: Any, tolerance: float, name: str) -> None:
    if isinstance(expected, list):
        assert len(got) == len(expected), name
        for one, other in zip(got, expected, strict=True):
            assert_close(one, other, tolerance, name)
    elif isinstance(expected, str | bool):
        assert got == expected, name
    else:
        assert got is not None, name
        assert abs(got - expected) <= tolerance * max(1, abs(expected)), f"{name}: {got}"


@pytest.mark.shared
@pytest.mark.parametrize("case", load_cases())
def test_reference_case_is_reproduced_or_refused_with_a_reason(case: Case) -> None:
    result = answer_of(case)

    if case["undefined"]:
        assert isinstance(result, Undefined), f"{result}, but {case['why']}"
        assert len(result.reason) > 5
        assert result.as_json()["value"] is None
        return
    assert not isinstance(result, Undefined), result
    for name, expected in case["expected"].items():
        assert_close(read(result, name), expected, case["tolerance"], name)


@pytest.mark.shared
@pytest.mark.parametrize("case", load_cases())
def test_published_figures_are_reproduced_to_their_last_digit(case: Case) -> None:
    published = case["published"]
    if not published:
        return
    printed = {published.get("of", "value"): published["value"]} | published.get("more", {})

    result = answer_of(case)

    for term, text in printed.items():
        decimals = len(text.partition(".")[2])
        assert f"{read_term(result, term):.{decimals}f}" == text, term


def test_an_unknown_fault_is_not_taken_for_an_undefined_number() -> None:
    def broken() -> float:
        raise KeyError("typo")

    def undefined() -> float:
        raise UndefinedError("nothing was judged", 3)

    with pytest.raises(KeyError):
        attempt(broken)
    assert attempt(undefined) == Undefined("nothing was judged", 3)
    assert dataclasses.is_dataclass(Undefined)
