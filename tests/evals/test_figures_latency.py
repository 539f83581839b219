"""Figures of the latencies of two runs: the table is what is drawn, the runs keep their figure."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from annotate.models import Study
from evals.comparing import compare, compare_speed
from evals.figures import Figure, draw
from evals.queries.runs import RunPair
from evals.reporting.figures import COMPARED
from evals.reporting.figures.latency import duration
from evals.stats import wording
from evals.stats.latency import quantile_hazen
from tests.evals.drawn import assert_every_look, drawn
from tests.evals.factories import make_run, make_suite
from tests.factories import make_study


def pair_of(study: Study, baseline: list[float], candidate: list[float]) -> RunPair:
    suite = make_suite(cases=max(len(baseline), len(candidate), 1))
    return RunPair(
        make_run(study, suite, "baseline", latencies=baseline),
        make_run(study, suite, "candidate", latencies=candidate),
    )


def times(count: int, seed: int = 1) -> list[float]:
    return [float(f"{ms:.2f}") for ms in np.random.default_rng(seed).lognormal(6.5, 0.5, count)]


def test_the_table_of_latencies_is_what_is_drawn(study: Study) -> None:
    slow, fast = times(120, seed=2), times(120)
    pair = pair_of(study, fast, slow)
    found = COMPARED["latency"](compare_speed(pair))
    assert isinstance(found, Figure)

    rows = drawn(found)
    shares = {(row["system"], duration(row["ms"])): row["share"] for row in rows if "share" in row}
    told = {row[0]: row[1:] for row in found.rows}
    edges = [name for name in told if name.startswith("at most")]
    assert len(shares) == 2 * len(edges)
    for edge in edges:
        for side, system in enumerate(("candidate", "baseline")):
            share = shares[system, edge.removeprefix("at most ")]
            assert told[edge][side] == wording.percent(share)
    for row in rows:
        if "share" in row:
            of_it = slow if row["system"] == "candidate" else fast
            assert row["share"] == pytest.approx(sum(ms <= row["ms"] for ms in of_it) / 120)
    marks = [row for row in rows if "low" in row]
    assert {(row["system"], row["name"]): row["ms"] for row in marks} == {
        (system, name): pytest.approx(quantile_hazen(side, q))
        for system, side in (("candidate", slow), ("baseline", fast))
        for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))
    }
    assert "an interval needs 368" in told["p99"][0]
    assert " to " in told["p50"][1]


def test_marks_have_the_intervals_of_the_page_of_the_comparison(study: Study) -> None:
    pair = pair_of(study, times(120), times(120, seed=2))
    found = COMPARED["latency"](compare_speed(pair))
    assert isinstance(found, Figure)

    speed = compare(pair).speed
    for name in ("p50", "p95", "p99"):
        row = speed.row(name)
        for mark in (row_ for row_ in drawn(found) if row_.get("name") == name):
            side = row.candidate if mark["system"] == "candidate" else row.baseline
            low = getattr(side, "low", None)
            assert mark["low"] == pytest.approx(mark["ms"] if low is None else low)


@pytest.mark.parametrize(
    ("baseline", "candidate"),
    [
        (times(120), times(120, seed=2)),
        ([20.0, 20.0], [20.0, 20.0]),
        ([0.0, 0.0, 3.0], [0.0, 90_000.0]),
        ([1.0, 2.0], [400_000.0, 500_000.0]),
    ],
)
def test_latencies_are_drawn_in_every_look(
    study: Study, baseline: list[float], candidate: list[float]
) -> None:
    found = COMPARED["latency"](compare_speed(pair_of(study, baseline, candidate)))
    assert isinstance(found, Figure)

    assert_every_look(found)
    lowest = min(row["ms"] for row in drawn(found))
    assert lowest > 0


@pytest.mark.parametrize(
    ("baseline", "candidate", "who"),
    [([], [], "the candidate and the baseline"), ([5.0, 6.0], [5.0], "the candidate")],
)
def test_without_latencies_the_figure_says_whose_are_missing(
    study: Study, lena_client: Client, baseline: list[float], candidate: list[float], who: str
) -> None:
    pair = pair_of(study, baseline, candidate)
    address = reverse("comparison_figure", args=[study.slug, pair.suite.pk, "latency"])

    page = lena_client.get(address)

    assert f"fewer than two requests of {who} were timed" in page.content.decode()
    assert lena_client.get(f"{address}.svg").status_code == 404


def test_a_figure_of_two_runs_is_drawn_once_and_keeps_to_its_runs(
    study: Study, lena_client: Client, fresh_cache: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counting(*args: Any) -> bytes:
        calls.append(args)
        return draw(*args)

    monkeypatch.setattr("evals.views.drawing.draw", counting)
    pair = pair_of(study, times(30), times(30, seed=2))
    address = reverse("comparison_figure", args=[study.slug, pair.suite.pk, "latency"])
    named = f"baseline={pair.baseline.number}&candidate={pair.candidate.number}"
    first = lena_client.get(f"{address}.svg")
    assert lena_client.get(f"{address}.svg?{named}").content == first.content
    assert len(calls) == 1

    make_run(study, pair.suite, "candidate", latencies=times(30, seed=3))

    assert lena_client.get(f"{address}.svg?{named}").content == first.content
    assert len(calls) == 1
    assert lena_client.get(f"{address}.svg").content != first.content
    kept = lena_client.get(f"{address}.png?{named}&download=1&shade=dark")
    assert kept.content[:4] == b"\x89PNG"
    assert "latency-run1-run2-dark.png" in kept["Content-Disposition"]


def test_the_page_of_a_comparison_asks_for_its_runs(study: Study, lena_client: Client) -> None:
    pair = pair_of(study, times(30), times(30, seed=2))
    page = lena_client.get(reverse("comparison", args=[study.slug, pair.suite.pk]))
    address = reverse("comparison_figure", args=[study.slug, pair.suite.pk, "latency"])

    wanted = f'hx-get="{address}?baseline=1&amp;candidate=2"'
    assert wanted in page.content.decode()
    region = lena_client.get(f"{address}?baseline=1&candidate=2", headers={"hx-request": "true"})
    assert "<html" not in region.content.decode()
    assert "latency.svg?baseline=1&amp;candidate=2&amp;shade=dark" in region.content.decode()


def test_unknown_figures_runs_and_looks_of_a_comparison_are_not_there(
    study: Study, lena_client: Client
) -> None:
    pair = pair_of(study, times(30), times(30, seed=2))
    address = reverse("comparison_figure", args=[study.slug, pair.suite.pk, "latency"])
    other = make_study("Other")

    for path in (
        address.replace("latency", "outcomes"),
        f"{address}.gif",
        f"{address}.svg?shade=pink",
        f"{address}.svg?size=huge",
        address.replace(study.slug, other.slug),
    ):
        assert lena_client.get(path).status_code == 404, path
    assert lena_client.get(f"{address}?baseline=1").status_code == 400
    assert lena_client.get(f"{address}?baseline=2&candidate=1").status_code == 400
