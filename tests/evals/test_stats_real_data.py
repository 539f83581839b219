"""Real judgements: the figures that other packages and the papers give for them."""

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from evals.stats.agreement import agreement_summary, krippendorff_alpha
from evals.stats.estimates import Estimate
from evals.stats.kappa import cohen_kappa, kappa_pairs
from evals.stats.preference import clustered_win_rate

Ints = npt.NDArray[np.int64]
WEIGHTS = {"cohen_kappa": "unweighted", "linear": "linear", "quadratic": "quadratic"}
# The file's codes are 0 tie, 1 and 2 for the two answers; ours are in order of preference.
IN_ORDER = np.array([1, 0, 2])

pytestmark = pytest.mark.shared


@pytest.fixture
def pandalm(shared: Path) -> tuple[Ints, dict[str, Any]]:
    """Annotators by items, each 0 (first answer), 1 (tie) or 2 (second), and the figures."""
    folder = shared / "data" / "pandalm"
    (source,) = (path for path in folder.glob("testset*.json"))
    rows = json.loads(source.read_text(encoding="utf-8"))
    names = sorted(key for key in rows[0] if key.startswith("annotator"))
    votes = np.array([[int(row[name]) for row in rows] for name in names], dtype=np.int64)
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    return IN_ORDER[votes], reference


def table_of(one: Ints, other: Ints, size: int) -> Ints:
    return np.bincount(one * size + other, minlength=size**2).reshape(size, size)


def test_people_agree_on_pandalm_as_its_authors_say(
    pandalm: tuple[Ints, dict[str, Any]],
) -> None:
    votes, reference = pandalm
    for name, figures in reference["pairs"].items():
        one, other = (int(number) - 1 for number in name.split("-"))
        table = table_of(votes[one], votes[other], 3)
        assert np.trace(table) / table.sum() == pytest.approx(figures["percent"], abs=1e-6)
        for key, weights in WEIGHTS.items():
            result = cohen_kappa(table, weights)
            assert result.value == pytest.approx(figures[key], abs=1e-6), (name, key)
        assert cohen_kappa(table).se == pytest.approx(figures["se"], abs=1e-6)
        assert result.n == figures["n"]


def test_alpha_of_pandalm_is_the_same_from_counts_and_from_ratings(
    pandalm: tuple[Ints, dict[str, Any]],
) -> None:
    votes, reference = pandalm
    units = np.stack([(votes == category).sum(axis=0) for category in range(3)], axis=1)
    summary = agreement_summary(*np.unique(units, axis=0, return_counts=True))

    for key, figure in reference.items():
        if key.startswith("krippendorff_alpha"):
            level = key.split("_")[2].split()[0]
            result = summary[f"alpha_{level}"]
            assert isinstance(result, Estimate)
            assert result.value == pytest.approx(figure, abs=1e-6)
            assert result.low is not None
            assert result.high is not None
            # Some thousand judgements by three people: about two points either way.
            assert 0.01 < result.value - result.low < 0.04
            ratings = krippendorff_alpha(votes.tolist(), level)
            assert ratings.value == pytest.approx(result.value)
            assert ratings.n == result.n


def test_win_rate_of_pandalm_speaks_for_its_three_annotators(
    pandalm: tuple[Ints, dict[str, Any]],
) -> None:
    votes, reference = pandalm
    (figures,) = (f for f in reference.values() if isinstance(f, dict) and "se_two_way" in f)
    annotators, items = np.indices(votes.shape)
    flat = (items.ravel(), annotators.ravel(), votes.ravel() / 2)

    auto = clustered_win_rate(*flat)
    both = clustered_win_rate(*flat, cluster="item_and_annotator")

    assert auto.n == figures["votes"]
    assert auto.value == pytest.approx(figures["value"], abs=1e-6)
    assert auto.se == pytest.approx(figures["se_item_clustered"], abs=1e-6)
    assert both.se == pytest.approx(figures["se_two_way"], abs=1e-6)
    assert "for these annotators (3)" in auto.method
    assert 2 < (auto.design_effect or 0) < 3
    counts = [int((flat[2] == score).sum()) for score in (1, 0.5, 0)]
    assert counts == [figures["wins"], figures["ties"], figures["losses"]]


def ratings_of(node: Any) -> Iterator[tuple[str, list[int]]]:
    """Every criterion of a line whose value is a list of ratings, one for each rater."""
    for name, value in node.items():
        if isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
            yield name, value
        elif isinstance(value, dict):
            yield from ratings_of(value)


@pytest.fixture
def summeval(shared: Path) -> tuple[dict[str, Ints], dict[str, Any]]:
    """For each criterion raters by items, and the figures."""
    folder = shared / "data" / "summeval_op"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    columns: dict[str, list[list[int]]] = {name: [] for name in reference["alpha"]}
    with (folder / "ratings.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            for name, ratings in ratings_of(json.loads(line)):
                if name in columns:
                    columns[name].append(ratings)
    return {name: np.array(rows, dtype=np.int64).T for name, rows in columns.items()}, reference


def test_alpha_of_rubric_scores_matches_the_reference(
    summeval: tuple[dict[str, Ints], dict[str, Any]],
) -> None:
    columns, reference = summeval
    for name, ratings in columns.items():
        assert ratings.shape == (reference["raters"], reference["units"])
        for level, figure in reference["alpha"][name].items():
            result = krippendorff_alpha(ratings.tolist(), level, draws=200)
            assert result.value == pytest.approx(figure, abs=1e-6), (name, level)


def test_kappa_of_rubric_scores_matches_the_reference(
    summeval: tuple[dict[str, Ints], dict[str, Any]],
) -> None:
    columns, reference = summeval
    for name, ratings in columns.items():
        pairs = list(itertools.combinations(range(len(ratings)), 2))
        tables = np.array([table_of(ratings[a] - 1, ratings[b] - 1, 5) for a, b in pairs])
        for weights in WEIGHTS.values():
            for (a, b), result in zip(pairs, kappa_pairs(tables, weights), strict=True):
                figure = reference["cohen_kappa"][name][f"{a + 1}-{b + 1}"][weights]
                assert isinstance(result, Estimate)
                assert result.value == pytest.approx(figure, abs=1e-6), (name, a, b, weights)
