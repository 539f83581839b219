"""Real outputs of two models, imported by command: page and command tell the figures given."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Study
from evals.models import Run
from evals.stats import wording
from tests.evals.test_output_lengths import told

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

SYSTEMS = ("baseline", "candidate")


def folders(shared: Path) -> list[tuple[Path, dict[str, Any]]]:
    """Each folder whose reference tells of generators: how many outputs, how long, of what."""
    found = []
    for path in sorted((shared / "data").glob("*/reference.json")):
        reference = json.loads(path.read_text("utf-8"))
        models = {
            name: one for name, one in reference.items()
            if isinstance(one, dict) and "mean_characters" in one
        }  # fmt: skip
        if len(models) == len(SYSTEMS):
            found.append((path.parent, models))
    return found


def answer(command: str, *given: str) -> Any:
    out = io.StringIO()
    call_command(command, *given, stdout=out)
    return json.loads(out.getvalue())


def test_outputs_their_lengths_and_categories_are_the_reference_s(
    study: Study, shared: Path, lena_client: Client
) -> None:
    found = folders(shared)
    if not found:
        pytest.skip(f"no folder of {shared / 'data'} tells how long the outputs of two models are")
    for folder, models in found:
        sides = dict(zip(SYSTEMS, models.items(), strict=True))
        for system, (model, figures) in sides.items():
            (file,) = (folder / model).glob("model_outputs.json")
            taken = answer("import_run", study.slug, str(file), "--system", system, "--json")
            assert (taken["accepted"], taken["items"]) == (True, figures["outputs"])
        suite = taken["runs"][0]["suite"]
        _command_tells(study, suite, sides)
        _pages_tell(study, lena_client, sides)


def _command_tells(study: Study, suite: str, sides: dict[str, tuple[str, Any]]) -> None:
    length = answer("compare", study.slug, "--suite", suite, "--json")["length"]
    for system, (_, figures) in sides.items():
        told_of = length["overall"][system]
        assert told_of["value"] == pytest.approx(figures["mean_characters"], abs=5e-4)
        assert told_of["low"] < told_of["value"] < told_of["high"]
        assert told_of["n"] == length["outputs"][system]["with_text"] == figures["outputs"]
        by_category = {one["category"]: one[system]["n"] for one in length["categories"]}
        assert by_category == figures["datasets"]


def _pages_tell(study: Study, client: Client, sides: dict[str, tuple[str, Any]]) -> None:
    runs = {run.system: run for run in Run.objects.filter(study=study).order_by("number")}
    address = reverse("comparison", args=[study.slug, runs["candidate"].suite_id])
    page = told(client.get(address).text)
    section = page[page.index("Length of the outputs") :]
    for system, (model, figures) in sides.items():
        mean = wording.decimal(figures["mean_characters"], 1)
        own = told(client.get(reverse("run", args=[study.slug, runs[system].number])).text)
        assert model in page
        assert f" All cases {figures['outputs']} " in section
        assert f" {mean} " in section
        for name, count in figures["datasets"].items():
            assert f" {name} {count} " in section
        assert f"Mean length of an output, in characters: {mean} " in own
        assert f" {wording.counted(figures['outputs'], 'outputs')} " in own
