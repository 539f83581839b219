"""The pages of agreement: every number with its interval, every cell with its items."""

import json
import re
from functools import partial
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Study, User
from evals.queries.agreement import pair_points
from evals.reporting.agreement import agreement
from evals.reporting.agreement.counted import read, read_parts, tables_on
from evals.reporting.agreement.drivers import Driver, drivers
from evals.reporting.agreement.rest import all_against_rest
from evals.stats.estimates import Estimate
from tests.conftest import client_of
from tests.counting import statements
from tests.evals.simulation import Leaning, judged_study
from tests.factories import make_batch, make_study

pytestmark = pytest.mark.django_db

PAGES = ("agreement", "agreement_parts", "agreement_pairs", "confusion", "confusion_items")


@pytest.fixture
def study() -> Study:
    return judged_study(items=60, annotators=5, scale=7)


@pytest.fixture
def lopsided() -> Study:
    """Nearly everything is for the candidate, whoever is asked."""
    return judged_study(
        items=120, annotators=3, leaning=Leaning(candidate=0.9, tie=0.05), same=0.0, name="Lopsided"
    )


def page(client: Client, name: str, study: Study, query: str = "", **headers: str) -> str:
    response = client.get(reverse(name, args=[study.slug]) + query, headers=headers)
    assert response.status_code == 200, (name, response.status_code)
    return response.content.decode()


def words(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def report(study: Study) -> dict[str, Any]:
    out = StringIO()
    call_command("report", study.slug, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())["agreement"]
    return found


def pair(study: Study, other: str = "") -> str:
    one, second = pair_points(study).pairs[0]
    return f"?one={one}&other={other or second}"


def test_every_coefficient_stands_with_its_interval_and_items(
    study: Study, lena_client: Client
) -> None:
    counted = read(study)
    found = agreement(counted)

    text = words(page(lena_client, "agreement", study))

    names = [one.name for one in (*found.panel.winner, *found.panel.strength)]
    assert names == [
        "Percent agreement", "Krippendorff’s α, nominal", "Gwet’s AC1",
        "Cohen’s κ, all pairs pooled", "Fleiss’ κ", "Percent on the same point",
        "Krippendorff’s α, ordinal", "Krippendorff’s α, interval", "Gwet’s AC2, linear",
        "Gwet’s AC2, quadratic", "Cohen’s κ, pooled, linear", "Cohen’s κ, pooled, quadratic",
    ]  # fmt: skip
    for one in (*found.panel.winner, *found.panel.strength):
        assert one.number.interval
        assert one.number.n == "60 items"
        assert words(f"{one.name} {one.number.value} {one.number.interval} 60 items") in text
    assert "By how much: 7 points" in text


def test_a_scale_without_strength_says_so(lena_client: Client) -> None:
    study = judged_study(items=60, annotators=3, scale=3)

    text = words(page(lena_client, "agreement", study))

    assert "By how much: three categories" in text
    assert "the scale has no strengths" in text


@pytest.mark.parametrize(("items", "is_short"), [(49, True), (50, False)])
def test_fewer_than_50_items_are_warned_of(items: int, is_short: bool, lena_client: Client) -> None:
    study = judged_study(items=items, annotators=3)

    text = page(lena_client, "agreement", study)

    assert ("the intervals here are too short" in text) == is_short


def test_a_low_kappa_of_a_lopsided_study_is_explained(lopsided: Study, lena_client: Client) -> None:
    text = words(page(lena_client, "agreement", lopsided))

    assert "of all judgements are for the candidate, so chance alone makes" in text
    found = re.search(
        r"κ is ([−0-9.]+), though they agree on (\d+).% of (\d+) items\. (\d+).% of their answers "
        r"are for the candidate, so chance alone would make them agree on (\d+).%; with the "
        r"answers evenly used κ would be ([0-9.]+) \(([0-9.]+) to ([0-9.]+), \d+ items\)",
        text,
    )
    assert found
    kappa, agreed, _, share, chance, even, low, high = found.groups()
    assert float(kappa.replace("−", "-")) < 0.4 < float(even)
    assert float(low) < float(even) < float(high)
    assert int(share) > 80
    assert abs(int(agreed) - int(chance)) < 15


def test_a_balanced_study_needs_no_such_words(study: Study, lena_client: Client) -> None:
    assert "chance alone" not in words(page(lena_client, "agreement", study)).split("κ")[-1]
    assert "though they agree" not in page(lena_client, "agreement", study)


def test_who_answers_at_random_stands_apart(lena_client: Client) -> None:
    study = judged_study(items=150, annotators=4, overlap=4, same=0.95)
    odd = study.assignments.order_by("pk").first()
    assert odd is not None
    from_here = study.judgements.filter(annotator=odd.annotator)
    # Judgements never change: the odd one's are written anew as further versions.
    contradict(study, odd.annotator)

    text = words(page(lena_client, "agreement_parts", study))
    first, people = (words(page(lena_client, name, study)) for name in ("study", "annotators"))

    assert from_here.count() == 300
    assert f"{odd.annotator} agrees with the others less than annotators do" in text
    assert f"{odd.annotator} agrees less with the others Any two annotators agree in " in first
    assert f"{odd.annotator} agrees less with the others than they do with one another" in people


def contradict(study: Study, annotator: User) -> None:
    """Everything that somebody said, turned round."""
    for task in study.tasks.filter(annotator=annotator, state="judged"):
        old = task.judgements.get()
        study.judgements.create(
            task=task, annotator=annotator, version=2, scale=old.scale, choice=-(old.choice or 0),
            candidate_side=old.candidate_side, preference=-old.preference,
            submission_key=uuid4(), payload_digest="0" * 64,
        )  # fmt: skip
    study.tasks.filter(annotator=annotator, state="judged").update(version=2)


def test_a_matrix_cell_leads_to_its_table_and_that_to_its_items(
    study: Study, lena_client: Client
) -> None:
    first = page(lena_client, "agreement", study)
    links = re.findall(r'<a class="cell" href="([^"]+)"', first)
    assert len(links) == 10

    for link in links[:3]:
        table = lena_client.get(link.replace("&amp;", "&")).content.decode()
        cells = re.findall(r'href="([^"]+/agreement/items[^"]+)" aria-label="(\d+) items', table)
        assert cells
        for address, count in cells:
            listed = lena_client.get(address.replace("&amp;", "&"))
            assert listed.status_code == 200
            assert listed.content.decode().count('<a class="first"') == min(int(count), 25)


def test_a_table_of_strength_has_all_points_and_all_items(
    study: Study, lena_client: Client
) -> None:
    found = pair_points(study)

    winner = page(lena_client, "confusion", study, pair(study))
    strength = page(lena_client, "confusion", study, pair(study) + "&by=strength")

    for text, points in ((winner, 3), (strength, 7)):
        table = tables_on(found.tables[:1], points)[0]
        counts = [int(n) for n in re.findall(r'aria-label="(\d+) items', text)]
        assert counts == [n for n in table.ravel().tolist() if n]
        assert sum(counts) == table.sum()
    for name in ("Scott’s π", "Prevalence index", "Bias index", "κ, quadratic on 7 points"):
        assert name in winner


def test_a_long_cell_is_read_in_pages(lena_client: Client) -> None:
    study = judged_study(items=70, annotators=2, overlap=2, leaning=Leaning(candidate=1.0, tie=0.0))
    address = reverse("confusion_items", args=[study.slug]) + pair(study) + "&mine=1&theirs=1"
    seen: list[str] = []

    pages = 0
    while address:
        text = lena_client.get(address).content.decode()
        seen += re.findall(r'<a class="first" href="([^"]+)"', text)
        after = re.search(r'rel="next" href="([^"]+)"', text)
        base = reverse("confusion_items", args=[study.slug])
        address = base + after[1].replace("&amp;", "&") if after else ""
        pages += 1

    assert pages == 3
    assert len(seen) == len(set(seen)) == 70


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("?one=nonsense&other=others", 400),
        ("?one=00000000-0000-4000-8000-000000000000&other=others", 404),
        ("{one}&by=half", 400),
        ("{one}&only=mine", 400),
        ("{same}", 404),
    ],
)
def test_what_is_asked_of_a_table_is_checked(
    query: str, status: int, study: Study, lena_client: Client
) -> None:
    one = pair_points(study).pairs[0][0]
    full = query.format(one=pair(study), same=f"?one={one}&other={one}")

    for name in ("confusion", "confusion_items"):
        assert lena_client.get(reverse(name, args=[study.slug]) + full).status_code == status


@pytest.mark.parametrize(
    "query",
    [
        "", "&mine=1", "&mine=2&theirs=1", "&mine=none&theirs=1", "&mine=1&theirs=none",
        "&mine=1&theirs=4&by=strength", "&mine=1&theirs=1&after=-1", "&mine=1&theirs=1&after=x",
        "&mine=1&theirs=1&after=99999999999999999999", "&mine=1' OR 1=1&theirs=1",
    ],
)  # fmt: skip
def test_what_is_asked_of_a_cell_is_checked(query: str, study: Study, lena_client: Client) -> None:
    url = reverse("confusion_items", args=[study.slug]) + pair(study) + query

    assert lena_client.get(url).status_code == 400


def test_an_annotator_of_another_study_is_not_there(study: Study, lena_client: Client) -> None:
    other = judged_study(items=6, annotators=2, overlap=2, name="Elsewhere")
    stranger = pair_points(other).pairs[0][0]

    for query in (f"?one={stranger}&other=others", pair(study, str(stranger))):
        assert lena_client.get(reverse("confusion", args=[study.slug]) + query).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_annotators_and_strangers_see_no_agreement(name: str, study: Study, charlie: User) -> None:
    judge = study.assignments.first()
    assert judge is not None

    for user in (judge.annotator, charlie):
        url = reverse(name, args=[study.slug]) + pair(study) + "&mine=1&theirs=1"
        assert client_of(user).get(url).status_code == 404


@pytest.mark.parametrize("name", PAGES)
def test_pages_take_as_many_statements_for_many_items_as_for_few(
    name: str, lena_client: Client
) -> None:
    # The first page of a session asks for more.
    page(lena_client, "study", judged_study(items=6, annotators=3, name="First"))
    taken = []
    for items in (6, 90):
        study = judged_study(items=items, annotators=3, name=f"{items}")
        query = pair(study) + "&mine=1&theirs=1" if "confusion" in name else ""
        taken.append(statements(partial(page, lena_client, name, study, query)))

    assert taken[0] == taken[1] <= 40


def test_parts_load_after_the_page_and_stand_alone_without_scripts(
    study: Study, lena_client: Client
) -> None:
    url = reverse("agreement_parts", args=[study.slug])
    first = page(lena_client, "agreement", study)

    whole = page(lena_client, "agreement_parts", study)
    region = page(lena_client, "agreement_parts", study, **{"HX-Request": "true"})

    assert f'hx-get="{url}' in first
    assert f'<a href="{url}' in first
    assert "<html" in whole
    assert "<html" not in region
    assert region.strip() in whole
    for part in ("Criterion", "Category", "Correctness", "Helpfulness", "general", "billing"):
        assert part in region
    assert "Helpfulness: candidate-model-v2" in region


def test_nothing_judged_is_said_and_no_number_is_made_up(lena_client: Client) -> None:
    study = make_study(criteria=[("safety", "comparative")])
    make_batch(study, 3)

    for name in ("agreement", "agreement_parts", "agreement_pairs"):
        text = words(page(lena_client, name, study))
        assert not re.search(r"\b(nan|None|0\.00)\b", text)
    assert "no item has two judgements" in words(page(lena_client, "agreement", study))


def test_two_who_share_nothing_have_no_table(lena_client: Client) -> None:
    study = judged_study(items=12, annotators=4, overlap=1)
    people = [assignment.annotator for assignment in study.assignments.order_by("pk")]

    query = f"?one={people[0].pk}&other={people[1].pk}"
    text = words(page(lena_client, "confusion", study, query))

    assert f"{people[0]} and {people[1]} share no items" in text
    assert "nan" not in text.lower().split()


def test_names_of_annotators_are_text(lena_client: Client) -> None:
    study = judged_study(items=30, annotators=3)
    User.objects.filter(pk__in=study.assignments.values("annotator")).update(
        name="<script>alert(1)</script>"
    )

    for name in PAGES:
        query = pair(study) + "&mine=1&theirs=1" if "confusion" in name else ""
        assert "<script>alert" not in page(lena_client, name, study, query)


def share_of(rows: Any, name: str) -> Estimate:
    (found,) = [one.share for one in rows if one.name == name]
    assert isinstance(found, Estimate)
    return found


def test_shares_of_disagreement_add_up(study: Study) -> None:
    parts = read_parts(study)
    found = drivers(parts, all_against_rest(parts))

    def values(kind: str) -> list[Estimate]:
        return [one.share for one in found.kinds[kind] if isinstance(one.share, Estimate)]

    near, reversals, mild = found.kinds["kind"]
    assert isinstance(mild, Driver)
    both = share_of([near], near.name).value + share_of([reversals], reversals.name).value
    assert both == pytest.approx(1)
    assert share_of([mild], mild.name).value <= share_of([reversals], reversals.name).value
    for kind, total in (("category", 1), ("length", 1), ("annotator", 2)):
        if found.kinds[kind]:
            assert sum(one.value for one in values(kind)) == pytest.approx(total), kind
    for kind in found.kinds:
        assert all(one.low is not None and one.low <= one.value for one in values(kind)), kind


def test_a_category_of_strife_stands_out(lena_client: Client) -> None:
    study = judged_study(items=200, annotators=3, same=0.97)
    for item in study.items.filter(category="billing"):
        task = item.tasks.filter(state="judged").first()
        assert task is not None
        old = task.judgements.get()
        turned = -old.preference or 1
        side = 1 if old.candidate_side == "right" else -1
        study.judgements.create(
            task=task, annotator=old.annotator, version=2, scale=old.scale,
            choice=turned * side, preference=turned, candidate_side=old.candidate_side,
            submission_key=uuid4(), payload_digest="0" * 64,
        )  # fmt: skip
        study.tasks.filter(pk=task.pk).update(version=2)

    text = words(page(lena_client, "agreement_parts", study))

    assert re.search(r"above the share of all pairs lies?: [^.]*billing", text)
    assert "not what brings it about" in text


def test_the_report_has_all_of_it_beside_the_contract(study: Study) -> None:
    found = report(study)

    assert {
        "pooled_kappa", "on_scale", "annotators", "by_category", "by_batch", "by_time", "scores",
        "disagreement",
    } <= set(found)  # fmt: skip
    assert found["on_scale"]["points"] == 7
    assert set(found["krippendorff_alpha"]) == {"nominal", "ordinal"}
    assert set(found["on_scale"]["krippendorff_alpha"]) == {"nominal", "ordinal", "interval"}
    for one in found["pairs"]:
        assert {"scott_pi", "prevalence_index", "bias_index", "even_kappa", "on_scale"} <= set(one)
    assert len(found["annotators"]) == 5
    assert set(found["by_category"]) == {"general", "billing"}
    assert set(found["scores"]) == {"Helpfulness"}


def test_numbers_of_the_report_have_intervals_or_reasons(study: Study) -> None:
    estimates = list(estimates_in(report(study)))

    assert len(estimates) > 100
    for one in estimates:
        if one["value"] is None:
            assert one["reason"]
        else:
            assert {"low", "high", "n", "method", "confidence"} <= set(one)


def estimates_in(found: Any) -> Any:
    if isinstance(found, dict):
        if "value" in found:
            yield found
        else:
            for part in found.values():
                yield from estimates_in(part)
    elif isinstance(found, list):
        for part in found:
            yield from estimates_in(part)


def test_one_annotator_leaves_the_rest_undefined_with_reasons() -> None:
    study = judged_study(items=12, annotators=1, overlap=1)

    found = report(study)

    assert found["pooled_kappa"]["reason"] == "no two annotators share an item"
    (one,) = found["annotators"]
    assert one["percent"]["reason"] == "nobody else has judged the same items"
    assert one["kappa"]["reason"] == "nobody else has judged the same items"
    assert found["pairs"] == []


def test_all_pairs_are_listed_with_what_stands_beside_kappa(
    study: Study, lena_client: Client
) -> None:
    text = words(page(lena_client, "agreement_pairs", study))

    assert "10 pairs of annotators share items" in text
    for name in ("Scott’s π", "Prevalence index", "Bias index"):
        assert name in text
