"""Figures of what machines measure beside what people say: lengths and metrics."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Item, Study, User
from evals.figures import Figure, NoFigure
from evals.queries.length import RATIOS, length_votes
from evals.reporting.figures import Asked, figure
from evals.reporting.figures.length import NAMES
from evals.reporting.metrics import metrics
from evals.reporting.model_judges import all_leanings
from evals.stats import wording
from evals.stats.concordance import mean_of_items
from evals.stats.length import length_fit
from tests.evals.drawn import assert_every_look, drawn
from tests.evals.test_metrics_with_people import judged as judged_by_metrics
from tests.evals.test_metrics_with_people import vote
from tests.factories import judge_next, make_batch, make_study, rows_of

__all__ = ["judged_by_metrics"]

LONGEST = 12


def asked(study: Study, metric: str = "") -> Asked:
    return Asked(study, None, 0.6, 0.95, metric=metric)


# Length.


def of_lengths(alice: User, lengths: list[tuple[int, int]]) -> Study:
    """Items of (baseline, candidate) lengths; the longer output wins, but for every fifth item."""
    study = make_study("Lengths", annotators=[alice], overlap=1)
    rows = [
        row | {"baseline_output": "b" * old, "candidate_output": "c" * new}
        for row, (old, new) in zip(rows_of(len(lengths)), lengths, strict=True)
    ]
    make_batch(study, rows)
    for _ in lengths:
        judge_next(study, alice)
    vote(study, prefers)
    return study


def prefers(item: Item) -> int:
    if item.position % 7 == 0:
        return 0
    longer = 1 if len(item.candidate_output) > len(item.baseline_output) else -1
    return -longer if item.position % 5 == 0 else longer


@pytest.fixture
def lengths(alice: User) -> Study:
    pairs = [(12 + number % 3, 2 + 5 * (number % LONGEST)) for number in range(60)]
    return of_lengths(alice, pairs)


def test_shares_by_length_are_means_of_items_between_edges_of_ratios(lengths: Study) -> None:
    found = figure("length", asked(lengths))
    assert isinstance(found, Figure)

    wanted: dict[str, list[float]] = {}
    for item in lengths.items.order_by("position"):
        said = prefers(item)
        if said:
            ratio = len(item.candidate_output) / len(item.baseline_output)
            name = NAMES[sum(ratio >= edge for edge in RATIOS)]
            wanted.setdefault(name, []).append((1 + said) / 2)
    assert len(wanted) >= 6
    told = {name: (share, interval, items) for name, share, interval, items in found.rows}
    assert set(told) == set(wanted)
    for name, scores in wanted.items():
        mean = mean_of_items(np.array(scores))
        assert told[name] == (
            wording.percent(mean.value), wording.interval(mean.low, mean.high), str(len(scores))
        )  # fmt: skip


def test_the_table_of_lengths_is_what_is_drawn_in_every_look(lengths: Study) -> None:
    found = figure("length", asked(lengths))
    assert isinstance(found, Figure)

    rows = {
        f"{row['name']}": (wording.percent(row["value"]), row["items"])
        for row in drawn(found)
        if "name" in row
    }
    assert rows == {
        f"{name} ({items})": (share, int(items)) for name, share, _, items in found.rows
    }
    assert_every_look(found)


def test_a_bin_of_a_single_item_has_no_interval_and_says_so(alice: User) -> None:
    pairs = [(10, 5 + number % 11) for number in range(40)]
    study = of_lengths(alice, [*pairs, (10, 90)])
    found = figure("length", asked(study))
    assert isinstance(found, Figure)

    assert found.rows[-1][0] == "4 × or more"
    assert found.rows[-1][2:] == ("no interval: a single item", "1")
    assert_every_look(found)


def test_votes_of_one_item_count_as_one_observation(alice: User, bob: User) -> None:
    study = make_study(annotators=[alice, bob], overlap=2)
    make_batch(study, [
        row | {"baseline_output": "b" * 10, "candidate_output": "c" * (4 + number % 12)}
        for number, row in enumerate(rows_of(24))
    ])  # fmt: skip
    for _ in range(24):
        judge_next(study, alice)
        judge_next(study, bob)
    vote(study, prefers)
    found = figure("length", asked(study))
    assert isinstance(found, Figure)

    decided = sum(prefers(item) != 0 for item in study.items.all())
    assert sum(int(row[3]) for row in found.rows) == decided


@pytest.mark.parametrize(
    "pairs", [[(10, 20 + number % 5) for number in range(30)], [(10, 9), (9, 10)] * 3]
)
def test_where_the_diagnostic_of_length_is_silent_the_figure_gives_its_reason(
    alice: User, lena_client: Client, pairs: list[tuple[int, int]]
) -> None:
    study = of_lengths(alice, pairs)
    fit = length_fit(length_votes(study).rows)
    found = figure("length", asked(study))

    assert isinstance(found, NoFigure)
    assert found.reason == getattr(fit.at_equal, "reason", None)
    page = lena_client.get(reverse("figure", args=[study.slug, "length"])).content.decode()
    assert "There is nothing to draw yet" in page
    assert lena_client.get(f"/studies/{study.slug}/figures/length.svg").status_code == 404


def test_the_page_of_preference_asks_for_it(lengths: Study, lena_client: Client) -> None:
    page = lena_client.get(reverse("preference", args=[lengths.slug])).content.decode()

    assert f'hx-get="/studies/{lengths.slug}/figures/length?only=blind"' in page


# Metrics against people.


def test_a_metric_is_chosen_by_name_and_the_best_is_drawn_unasked(
    judged_by_metrics: Study,
) -> None:
    study = judged_by_metrics
    best = metrics(all_leanings(study), 0.95).rows[0]
    titles = {}
    for slug in ("", "bleu", "f1", "exact_match", "length"):
        found = figure("calibration", asked(study, slug))
        assert isinstance(found, Figure)
        titles[slug] = found.title

    assert best.title in titles[""]
    assert all(slug in title for slug, title in titles.items())


def test_shares_by_difference_are_those_of_the_items_in_it(judged_by_metrics: Study) -> None:
    found = figure("calibration", asked(judged_by_metrics, "bleu"))
    assert isinstance(found, Figure)

    lost, won = mean_of_items(np.zeros(10)), mean_of_items(np.ones(30))
    assert [tuple(row) for row in found.rows] == [
        ("−0.10", wording.percent(0), wording.interval(lost.low, lost.high), "10"),
        ("+0.10", wording.percent(1), wording.interval(won.low, won.high), "30"),
    ]
    assert [row["items"] for row in drawn(found) if "name" in row][:2] == [10, 30]
    assert_every_look(found)


def test_far_and_near_differences_have_rows_of_their_own(judged_by_metrics: Study) -> None:
    found = figure("calibration", asked(judged_by_metrics, "length"))
    assert isinstance(found, Figure)

    assert sum(int(row[3]) for row in found.rows) == 40
    names = [row[0] for row in found.rows]
    assert len(set(names)) == len(names)


def test_a_metric_of_few_items_and_one_that_is_unknown_say_why(
    alice: User, lena_client: Client
) -> None:
    study = of_lengths(alice, [(10, 12)] * 6)
    few, unknown = (figure("calibration", asked(study, name)) for name in ("length", "<b>x</b>"))

    assert isinstance(few, NoFigure)
    assert few.reason == "it speaks of 6 judged items, and 20 are needed"
    assert isinstance(unknown, NoFigure)
    address = reverse("figure", args=[study.slug, "calibration"])
    page = lena_client.get(address, {"metric": "<b>x</b>"}).content.decode()
    assert "no metric called “&lt;b&gt;x&lt;/b&gt;” speaks" in page
    assert lena_client.get(f"{address}.svg", {"metric": "length"}).status_code == 404
    assert lena_client.get(address, {"metric": "x" * 301}).status_code == 404


def test_the_page_of_metrics_draws_one_and_offers_the_others(
    judged_by_metrics: Study, lena_client: Client
) -> None:
    address = reverse("metrics", args=[judged_by_metrics.slug])
    page = lena_client.get(address, {"metric": "f1"}).content.decode()

    figures = reverse("figure", args=[judged_by_metrics.slug, "calibration"])
    assert f'hx-get="{figures}?only=blind&amp;metric=f1"' in page
    for name in ("bleu", "exact_match", "length"):
        assert f'href="?metric={name}#calibration"' in page
    assert lena_client.get(address, {"metric": "nothing"}).status_code == 400
    region = lena_client.get(figures, {"metric": "f1"}, headers={"hx-request": "true"})
    assert "calibration.svg?only=blind&amp;metric=f1&amp;shade=dark" in region.content.decode()


def test_metrics_of_one_name_have_addresses_of_their_own(judged_by_metrics: Study) -> None:
    found = all_leanings(judged_by_metrics)
    alike = [*found, *(one for one in found if one.name == "bleu")]

    slugs = [row.slug for row in metrics(alike, 0.95).rows]

    assert sum(slug.startswith("bleu-") for slug in slugs) == 2
