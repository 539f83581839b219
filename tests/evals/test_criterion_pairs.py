"""Each two annotators on one criterion: the tables are those of their ratings, one by one."""

import json
from collections.abc import Callable
from io import StringIO
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Rating, Study
from evals.stats.kappa import cohen_kappa
from evals.stats.pooled import pool_kappa
from evals.stats.wording import coefficient
from tests.evals.simulation import judged_study
from tests.evals.test_agreement_pages import page, words
from tests.factories import make_study

pytestmark = pytest.mark.django_db

Tables = dict[tuple[str, str], Any]


@pytest.fixture
def study() -> Study:
    return judged_study(items=60, annotators=5, scale=7)


def leaning(rating: Rating) -> int:
    if rating.preference is not None:
        return rating.preference + 1
    gap = (rating.candidate_score or 0) - (rating.baseline_score or 0)
    return (gap > 0) - (gap < 0) + 1


def candidate_score(rating: Rating) -> int:
    return (rating.candidate_score or 0) - 1


def tables_of(study: Study, name: str, value: Callable[[Rating], int], size: int) -> Tables:
    """Second implementation: every two ratings of an item, one after the other."""
    by_item: dict[int, dict[str, Rating]] = {}
    ratings = Rating.objects.filter(judgement__study=study, criterion__name=name)
    for one in ratings.select_related("judgement__annotator"):
        by_item.setdefault(one.judgement.item_id, {})[one.judgement.annotator.email] = one
    tables: Tables = {}
    for said in by_item.values():
        for a, b in combinations(sorted(said), 2):
            table = tables.setdefault((a, b), np.zeros((size, size)))
            table[value(said[a]), value(said[b])] += 1
    return tables


def reported(study: Study) -> dict[str, Any]:
    out = StringIO()
    call_command("report", study.slug, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())["agreement"]
    return found


def assert_tables(pairs: list[dict[str, Any]], tables: Tables) -> None:
    told = {tuple(pair["annotators"]): pair for pair in pairs}
    assert told.keys() == tables.keys()
    for names, table in tables.items():
        pair = told[names]
        assert pair["n"] == table.sum()
        assert pair["percent"]["value"] == pytest.approx(np.trace(table) / table.sum())
        for key, weights in (("cohen_kappa", "unweighted"), ("quadratic", "quadratic")):
            assert pair[key]["value"] == pytest.approx(cohen_kappa(table, weights).value)


@pytest.mark.parametrize("name", ["Correctness", "Helpfulness"])
def test_pairs_on_a_criterion_are_those_of_its_ratings(study: Study, name: str) -> None:
    found = reported(study)

    assert_tables(found["by_criterion"][name]["pairs"], tables_of(study, name, leaning, 3))
    assert set(found["scores"]) == {"Helpfulness"}


def test_pairs_on_scores_are_those_of_the_ratings(study: Study, lena_client: Client) -> None:
    pairs = reported(study)["scores"]["Helpfulness"]["candidate"]["pairs"]

    assert_tables(pairs, tables_of(study, "Helpfulness", candidate_score, 5))
    text = words(page(lena_client, "agreement_pairs", study, "?criterion=helpfulness"))
    assert "Helpfulness: 10 pairs of annotators share items" in text
    table = text[text.index(f"Scores of 1 to 5: {study.candidate_name}") :]
    for pair in pairs:
        for key in ("cohen_kappa", "linear", "quadratic"):
            assert coefficient(pair[key]["value"]) in table


def pooled_by_hand(
    study: Study, name: str, value: Callable[[Rating], int], size: int, weights: str
) -> tuple[float, float, int]:
    """Second implementation: pooled kappa, its standard error by the influence of each item."""
    found = {names: np.array(table) for names, table in tables_of(study, name, value, size).items()}
    names = sorted(found)
    pooled = pool_kappa([found[pair] for pair in names], weights)
    by_item: dict[int, dict[str, int]] = {}
    ratings = Rating.objects.filter(judgement__study=study, criterion__name=name)
    for one in ratings.select_related("judgement__annotator"):
        by_item.setdefault(one.judgement.item_id, {})[one.judgement.annotator.email] = value(one)
    sums = [
        sum(pooled.influence[names.index((a, b)), said[a], said[b]]
            for a, b in combinations(sorted(said), 2))
        for said in by_item.values()
        if len(said) > 1
    ]  # fmt: skip
    n = len(sums)
    squares = sum(one**2 for one in sums)
    return pooled.value, (squares * n / (n - 1)) ** 0.5 / pooled.pairs, n


@pytest.mark.parametrize("name", ["Correctness", "Helpfulness"])
def test_all_pairs_are_pooled_on_a_criterion(study: Study, lena_client: Client, name: str) -> None:
    value, se, n = pooled_by_hand(study, name, leaning, 3, "unweighted")

    told = reported(study)["by_criterion"][name]["pooled_kappa"]

    assert (told["value"], told["se"], told["n"]) == (pytest.approx(value), pytest.approx(se), n)
    assert told["low"] < value < told["high"]
    assert told["method"].startswith("pooled kappa, unweighted; ± t·se, clustered by item")
    key = study.criteria.get(name=name).key
    text = words(page(lena_client, "agreement_pairs", study, f"?criterion={key}"))
    assert f"All pairs pooled: Cohen’s κ {coefficient(value)}" in text


@pytest.mark.parametrize("blocks", [1, 3])
def test_all_pairs_are_pooled_on_scores_by_each_weighting(blocks: int) -> None:
    study = judged_study(items=40, annotators=5, scale=7, blocks=blocks)

    told = reported(study)["scores"]["Helpfulness"]["candidate"]["pooled_kappa"]

    assert list(told) == ["unweighted", "linear", "quadratic"]
    for weights, one in told.items():
        value, se, n = pooled_by_hand(study, "Helpfulness", candidate_score, 5, weights)
        assert (one["value"], one["se"]) == (pytest.approx(value), pytest.approx(se))
        assert one["n"] == n


def test_nobody_beside_another_is_no_pooled_kappa(lena_client: Client) -> None:
    alone = judged_study(items=20, annotators=1, overlap=1)

    told = reported(alone)["by_criterion"]["Correctness"]["pooled_kappa"]

    assert told["value"] is None
    assert told["reason"] == "no two annotators share an item"


def test_a_criterion_that_is_not_asked_is_no_address(study: Study, lena_client: Client) -> None:
    address = reverse("agreement_pairs", args=[study.slug])

    assert lena_client.get(address, {"criterion": "nothing"}).status_code == 400
    assert lena_client.get(f"{address}?criterion=correctness&page=2").status_code == 404
    empty = make_study("Empty", criteria=[("tone", "comparative")])
    text = words(page(lena_client, "agreement_pairs", empty, "?criterion=tone"))
    assert "no two annotators have answered it on the same item yet" in text
