"""Real judgements through the database: page and report tell the figures given for them.

Folders are told by what their reference.json holds, so that others of the same shape are read too.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from annotate.blinding import unblind
from annotate.models import Judgement, Study, Task, User
from evals.stats import wording
from tests.factories import keep_judged, make_batch, make_study, make_user, rows_of

pytestmark = [pytest.mark.shared, pytest.mark.django_db]

# In the source 0 is a tie, 1 the first output, 2 the second one, which is the candidate here.
PREFERS = (0, -1, 1)
WEIGHTS = {"cohen_kappa": "unweighted", "linear": "linear", "quadratic": "quadratic"}


@dataclass(frozen=True)
class Source:
    """Votes of the same people on pairs of systems, and what others computed from them."""

    rows: list[dict[str, Any]]
    people: list[str]
    reference: dict[str, Any]

    def votes(self, rows: Sequence[Mapping[str, Any]]) -> list[list[int]]:
        return [[PREFERS[int(row[name])] for name in self.people] for row in rows]


@pytest.fixture(scope="module")
def source(shared: Path) -> Source:
    for path in sorted((shared / "data").glob("*/reference.json")):
        reference = json.loads(path.read_text(encoding="utf-8"))
        if "votes by cmp_key" in reference:
            (file,) = path.parent.glob("testset*.json")
            rows = json.loads(file.read_text(encoding="utf-8"))
            return Source(rows, sorted(reference["counts"]), reference)
    pytest.skip("no folder with votes by pair of systems")


def voted(
    name: str, people: Sequence[User], votes: Sequence[Sequence[int]],
    categories: Sequence[str], **fields: Any,
) -> Study:  # fmt: skip
    """A study in which each of the people has judged every item, blind."""
    study = make_study(name, overlap=len(people), scale=3, annotators=people)
    Study.objects.filter(pk=study.pk).update(**fields)
    study.refresh_from_db()
    rows = rows_of(len(votes))
    make_batch(study, [row | {"category": c} for row, c in zip(rows, categories, strict=True)])
    tasks, judgements = [], []
    for n, task in enumerate(Task.objects.filter(study=study).order_by("item__position", "slot")):
        item, who = divmod(n, len(people))
        task.state, task.annotator, task.version = Task.State.JUDGED, people[who], 1
        task.claimed_at = task.judged_at = timezone.now()
        said = votes[item][who]
        tasks.append(task)
        judgements.append(
            Judgement(
                study=study, task=task, annotator=people[who], version=1,
                candidate_side=task.side, scale=3, choice=unblind(said, task.side),
                preference=said, submission_key=uuid4(), payload_digest="0" * 64,
            )
        )  # fmt: skip
    keep_judged(tasks, judgements)
    return study


def people_of(source: Source) -> list[User]:
    """Those who voted, one account each."""
    known = {user.email: user for user in User.objects.all()}
    addresses = {name: f"{name}@example.org" for name in source.people}
    return [known.get(at) or make_user(name, email=at) for name, at in addresses.items()]


def report(study: Study) -> dict[str, Any]:
    out = StringIO()
    call_command("report", study.slug, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def shown(client: Client, page: str, study: Study, query: str = "") -> str:
    """What a page says, without its tags."""
    response = client.get(reverse(page, args=[study.slug]) + query)
    assert response.status_code == 200
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[ \t\n]+", " ", html.unescape(text))


@pytest.fixture(scope="module")
def voted_on(
    source: Source, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Study]:
    """All votes in one study, for tests that only look at it; undone after the last of them."""
    rows, categories = source.rows, [row["cmp_key"] for row in source.rows]
    with django_db_blocker.unblock(), transaction.atomic():
        yield voted("All pairs", people_of(source), source.votes(rows), categories)
        transaction.set_rollback(True)


@pytest.fixture
def whole(db: None, voted_on: Study) -> Study:
    return Study.objects.get(pk=voted_on.pk)


def test_win_rate_and_its_categories_are_the_reference_s(
    source: Source, whole: Study, lena_client: Client
) -> None:
    (figures,) = (f for f in source.reference.values() if isinstance(f, dict) and "wins" in f)
    found = report(whole)["preference"]
    page = shown(lena_client, "preference", whole)

    for key in ("wins", "ties", "losses"):
        assert found[key] == figures[key]
    for word, key in (("Candidate", "wins"), ("Tie", "ties"), ("Baseline", "losses")):
        assert f"{word} {figures[key]:,}" in page
    assert found["win_rate"]["value"] == pytest.approx(figures["value"], abs=1e-5)
    assert found["win_rate"]["se"] == pytest.approx(figures["se_item_clustered"], abs=1e-6)
    assert found["win_rate"]["n"] == figures["votes"]
    assert f"for these annotators ({len(source.people)})" in found["win_rate"]["method"]
    assert wording.percent_number(figures["value"]) in page
    assert f"{wording.counted(figures['votes'], 'judgements')} of " in page
    for name, votes in source.reference["votes by cmp_key"].items():
        rate, n = rate_of(votes)
        assert found["by_category"][name]["value"] == pytest.approx(rate)
        assert found["by_category"][name]["n"] == n
        assert f"{name} {n} {wording.percent(rate)} " in page


def rate_of(votes: Mapping[str, int]) -> tuple[float, int]:
    """The second system's win rate and its votes."""
    n = votes["response1"] + votes["tie"] + votes["response2"]
    return (votes["response2"] + votes["tie"] / 2) / n, n


def test_progress_has_the_items_of_each_pair_of_systems(
    source: Source, whole: Study, lena_client: Client
) -> None:
    found, page = report(whole)["progress"], shown(lena_client, "progress", whole)

    assert found["items"] == source.reference["items"]
    assert found["judgements"] == source.reference["items"] * len(source.people)
    for name, votes in source.reference["votes by cmp_key"].items():
        wanted = wording.count(votes["items"] * len(source.people))
        assert f"{name} {votes['items']} {wanted} of {wanted}" in page


def test_agreement_of_every_pair_is_the_reference_s(
    source: Source, whole: Study, lena_client: Client
) -> None:
    found = {
        "-".join(str(source.people.index(a.split("@")[0]) + 1) for a in pair["annotators"]): pair
        for pair in report(whole)["agreement"]["pairs"]
    }
    pairs = shown(lena_client, "agreement_pairs", whole)
    matrix = {
        weights: shown(lena_client, "agreement", whole, f"?weights={weights}")
        for weights in WEIGHTS.values()
    }

    assert found.keys() == source.reference["pairs"].keys()
    for name, figures in source.reference["pairs"].items():
        pair = found[name]
        assert pair["n"] == figures["n"]
        for key in ("percent", *WEIGHTS):
            assert pair[key]["value"] == pytest.approx(figures[key], abs=1e-5), (name, key)
        assert pair["cohen_kappa"]["se"] == pytest.approx(figures["se"], abs=1e-5)
        for key, weights in WEIGHTS.items():
            assert wording.coefficient(figures[key]) in matrix[weights], (name, key)
        one, other = (source.people[int(number) - 1] for number in name.split("-"))
        row = (
            rf"{one} and {other} {figures['n']}\s+{re.escape(wording.percent(figures['percent']))}"
        )
        assert re.search(rf"{row}.*? {wording.coefficient(figures['cohen_kappa'])} ", pairs), name


def test_what_each_annotator_said_is_the_reference_s(
    source: Source, whole: Study, lena_client: Client
) -> None:
    """Row totals of the confusion tables, and the share of ties on the page of annotators."""
    page = shown(lena_client, "annotators", whole)
    people = {user.name: user for user in User.objects.filter(name__in=source.people)}
    for name, (ties, first, second) in source.reference["counts"].items():
        other = next(one for one in source.people if one != name)
        table = shown(
            lena_client, "confusion", whole, f"?one={people[name].pk}&other={people[other].pk}"
        )
        for said, count in (("baseline", first), ("tie", ties), ("candidate", second)):
            assert re.search(rf" {said}(?: \d+){{3}} {count} ", table), (name, said)
        share = wording.percent(ties / (ties + first + second))
        assert re.search(rf"{name} .*?{re.escape(share)}", page)


def test_alpha_is_the_reference_s(source: Source, whole: Study, lena_client: Client) -> None:
    found = report(whole)["agreement"]["krippendorff_alpha"]
    page = shown(lena_client, "agreement", whole)

    for key, figure in source.reference.items():
        if key.startswith("krippendorff_alpha"):
            level = key.split("_")[2].split()[0]
            assert found[level]["value"] == pytest.approx(figure, abs=1e-6)
            assert f" {wording.coefficient(figure)} " in page, level


def test_each_pair_of_systems_is_a_study_and_all_of_them_are_compared(
    source: Source, lena_client: Client
) -> None:
    people = people_of(source)
    for name, votes in source.reference["votes by cmp_key"].items():
        rows = [row for row in source.rows if row["cmp_key"] == name]
        first, second = name.split("_")
        study = voted(
            name, people, source.votes(rows), [""] * len(rows),
            baseline_name=first, candidate_name=second,
        )  # fmt: skip
        found = report(study)["preference"]
        said = {"wins": "response2", "ties": "tie", "losses": "response1"}
        assert {key: found[key] for key in said} == {key: votes[of] for key, of in said.items()}
        rate, n = rate_of(votes)
        assert (found["win_rate"]["value"], found["win_rate"]["n"]) == (pytest.approx(rate), n)
        assert wording.percent_number(rate) in shown(lena_client, "preference", study)

    answer = lena_client.get(reverse("systems"))
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html.unescape(answer.text)))

    names = {name for key in source.reference["votes by cmp_key"] for name in key.split("_")}
    assert all(name in page for name in names)
    for votes in source.reference["votes by cmp_key"].values():
        rate, n = rate_of(votes)
        # The matrix tells of every pair from both ends.
        for end in (rate, 1 - rate):
            assert re.search(rf"{wording.percent_number(end)}\D", page), (votes, end)
