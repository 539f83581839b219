"""Real ratings, stored as judgements: the report tells the figures that are given for them."""

import html
import json
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from annotate.blinding import unblind
from annotate.models import Judgement, Rating, Study, Task
from evals.stats.kappa import WEIGHTS
from evals.stats.wording import coefficient
from tests.factories import keep_judged, make_batch, make_study, make_user, rows_of

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

# Scores of 1 to 5 as points of a scale of five.
MIDDLE = 3


def ratings_of(node: Any) -> Iterator[tuple[str, list[int]]]:
    for name, value in node.items():
        if isinstance(value, list) and value and all(isinstance(v, int) for v in value):
            yield name, value
        elif isinstance(value, dict):
            yield from ratings_of(value)


@pytest.fixture
def summeval(shared: Path) -> tuple[list[dict[str, list[int]]], dict[str, Any]]:
    folder = shared / "data" / "summeval_op"
    reference = json.loads((folder / "reference.json").read_text(encoding="utf-8"))
    with (folder / "ratings.jsonl").open(encoding="utf-8") as lines:
        return [dict(ratings_of(json.loads(line))) for line in lines], reference


def rated_study(rows: list[dict[str, list[int]]], names: list[str], overall: str) -> Study:
    """Each rater's score of `overall` as their preference; all scores as those of criteria."""
    raters = range(len(rows[0][overall]))
    people = [make_user(f"Rater {n + 1}", email=f"rater-{n + 1}@example.org") for n in raters]
    keys = [(slugify(name.replace("_", "-")), "score") for name in names]
    study = make_study(overlap=len(people), scale=5, criteria=keys, annotators=people)
    make_batch(study, rows_of(len(rows)))
    criteria = list(study.criteria.order_by("position"))
    tasks, judgements, ratings = [], [], []
    free = Task.objects.filter(study=study).order_by("item__position", "slot")
    for number, task in enumerate(free):
        row, who = rows[number // len(people)], number % len(people)
        task.state, task.annotator, task.version = Task.State.JUDGED, people[who], 1
        task.claimed_at = task.judged_at = timezone.now()
        preference, side = row[overall][who] - MIDDLE, task.side
        judgement = Judgement(
            study=study, task=task, annotator=people[who], version=1, candidate_side=side,
            scale=5, choice=unblind(preference, side), preference=preference,
            submission_key=uuid4(), payload_digest="0" * 64,
        )  # fmt: skip
        tasks.append(task)
        judgements.append(judgement)
        ratings += [
            Rating(
                judgement=judgement,
                criterion=criterion,
                baseline_score=MIDDLE,
                candidate_score=row[name][who],
            )
            for criterion, name in zip(criteria, names, strict=True)
        ]
    keep_judged(tasks, judgements, ratings)
    return study


def test_the_report_tells_the_figures_of_rubric_scores(
    summeval: tuple[list[dict[str, list[int]]], dict[str, Any]], lena_client: Client
) -> None:
    rows, reference = summeval
    names = list(reference["alpha"])
    overall = names[0]
    study = rated_study(rows, names, overall)
    out = StringIO()

    call_command("report", study.slug, "--json", stdout=out)
    page = lena_client.get(reverse("agreement", args=[study.slug])).content.decode()

    found = json.loads(out.getvalue())["agreement"]
    shown = found["on_scale"]
    assert shown["points"] == 5
    for level, figure in reference["alpha"][overall].items():
        alpha = shown["krippendorff_alpha"][level]
        assert alpha["value"] == pytest.approx(figure, abs=1e-6), level
        assert alpha["n"] == reference["units"]
        if level != "nominal":
            assert f"<b>{coefficient(figure)}</b>" in page
    for name, scores in zip(names, found["scores"].values(), strict=True):
        for level, figure in reference["alpha"][name].items():
            value = scores["candidate"]["krippendorff_alpha"][level]["value"]
            assert value == pytest.approx(figure, abs=1e-6), (name, level)
        same = scores["baseline"]["krippendorff_alpha"]["ordinal"]
        assert same["value"] is None
        assert "chance agreement is 100" in same["reason"]
    pairs = {
        "-".join(address.removeprefix("rater-")[0] for address in pair["annotators"]): pair
        for pair in found["pairs"]
    }
    for key, figures in reference["cohen_kappa"][overall].items():
        for weights in ("linear", "quadratic"):
            value = pairs[key]["on_scale"][weights]["value"]
            assert value == pytest.approx(figures[weights], abs=1e-6), (key, weights)


def test_every_criterion_s_figures_stand_in_report_and_pages(
    summeval: tuple[list[dict[str, list[int]]], dict[str, Any]], lena_client: Client
) -> None:
    rows, reference = summeval
    names = list(reference["alpha"])
    study = rated_study(rows, names, names[0])
    out = StringIO()
    call_command("report", study.slug, "--json", stdout=out)
    found = json.loads(out.getvalue())["agreement"]["scores"]
    parts = said(lena_client, reverse("agreement_parts", args=[study.slug]))

    pairs_page = reverse("agreement_pairs", args=[study.slug])
    criteria = list(study.criteria.order_by("position"))
    for name, criterion in zip(names, criteria, strict=True):
        scores = found[criterion.name]["candidate"]
        page = said(lena_client, f"{pairs_page}?criterion={criterion.key}")
        table = page[page.index(f"Scores of 1 to 5: {study.candidate_name}") :]
        for level in ("interval", "ordinal", "nominal"):
            figure = reference["alpha"][name][level]
            assert re.search(
                rf"{criterion.name}: {study.candidate_name} .*?{coefficient(figure)} ", parts
            ), (name, level)
        for pair in scores["pairs"]:
            key = "-".join(address.removeprefix("rater-")[0] for address in pair["annotators"])
            assert pair["n"] == reference["units"]
            row = [coefficient(reference["cohen_kappa"][name][key][weights]) for weights in WEIGHTS]
            for column, weights in zip(
                ("cohen_kappa", "linear", "quadratic"), WEIGHTS, strict=True
            ):
                expected = reference["cohen_kappa"][name][key][weights]
                assert pair[column]["value"] == pytest.approx(expected, abs=1e-6), (name, key)
                assert pair[column]["low"] < expected < pair[column]["high"]
            one, other = (f"Rater {number}" for number in key.split("-"))
            values = r" \S+ to \S+ ".join(re.escape(value) for value in row)
            found_row = rf"{one} and {other} {reference['units']} .*?{values} "
            assert re.search(found_row, table), (name, key)
        assert len(scores["pairs"]) == len(reference["cohen_kappa"][name])


def said(client: Client, address: str) -> str:
    """What a page says, without its tags."""
    response = client.get(address)
    assert response.status_code == 200
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())
