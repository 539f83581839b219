"""A page of a large study opens at once: while there is much to count it says how far it is."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from annotate.models import Study
from evals.models import CountedPart
from evals.queries import parts as of_blocks
from evals.queries import patience as of_time
from evals.queries.parts import Block, parts
from evals.queries.patience import StillCountingError, patience
from evals.queries.reading import snapshot
from evals.reporting import ahead
from evals.views import counting
from tests.evals.simulation import judged_study
from tests.evals.test_kept import without_token

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_cache")]

BLOCKS = 4
REGION = {"HX-Request": "true"}


@pytest.fixture
def study() -> Study:
    return judged_study(items=32, annotators=5, blocks=BLOCKS, share=0.9)


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every page's time is up as soon as it has counted one block."""
    hurried(monkeypatch)


def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "SECONDS", 0.0)
    monkeypatch.setattr(of_time, "BEARABLE", 0.0)


def open_page(
    client: Client, study: Study, page: str, headers: dict[str, str] | None = None
) -> HttpResponse:
    answer: Any = client.get(f"/studies/{study.slug}/{page}", headers=headers)
    assert isinstance(answer, HttpResponse)
    return answer


def says_to_ask_again(answer: HttpResponse) -> dict[str, str]:
    """The headers with which the answer asks again."""
    found = re.search(r"hx-headers='\{\"([\w-]+)\": \"(\d+)\"\}'", unescape(answer.text))
    assert found is not None
    return {found[1]: found[2]} | REGION


def tries_of(client: Client, study: Study, page: str) -> Iterator[HttpResponse]:
    """What the page answers, again and again, until it is there."""
    answer = open_page(client, study, page)
    while answer.status_code == 202:
        yield answer
        answer = open_page(client, study, page, says_to_ask_again(answer))
    yield answer


@pytest.mark.parametrize("page", ["", "preference", "agreement/parts", "decision"])
def test_it_says_how_far_it_is_until_it_can_open(
    study: Study, lena_client: Client, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    whole = without_token(open_page(lena_client, study, page).text)
    CountedPart.objects.all().delete()
    cache.clear()
    hurried(monkeypatch)

    *waiting, last = tries_of(lena_client, study, page)

    assert len(waiting) >= BLOCKS - 1
    assert f"1 of {BLOCKS} blocks of items are counted" in waiting[0].text
    assert "<h1>" in waiting[0].text
    assert all("<h1>" not in answer.text for answer in waiting[1:])
    assert last.headers["HX-Refresh"] == "true"
    assert without_token(open_page(lena_client, study, page).text) == whole


@pytest.mark.usefixtures("hurry")
def test_a_region_comes_into_its_place_when_it_is_counted(
    study: Study, lena_client: Client
) -> None:
    answer = open_page(lena_client, study, "agreement/parts", REGION)
    assert answer.status_code == 202
    while answer.status_code == 202:
        assert "<h1>" not in answer.text
        answer = open_page(lena_client, study, "agreement/parts", says_to_ask_again(answer))

    assert answer.status_code == 200
    assert "HX-Refresh" not in answer.headers
    assert "Each against the rest" in answer.text


@pytest.mark.usefixtures("hurry")
def test_each_try_has_longer_than_the_one_before(study: Study, lena_client: Client) -> None:
    first = open_page(lena_client, study, "preference")
    second = open_page(lena_client, study, "preference", says_to_ask_again(first))

    assert says_to_ask_again(first)["Counting-Page"] == "1"
    assert says_to_ask_again(second)["Counting-Page"] == "2"


@pytest.mark.parametrize("said", ["many", "-1", "9" * 400, "²"])
def test_a_count_of_tries_that_is_none_is_the_first(
    study: Study, lena_client: Client, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    hurried(monkeypatch)
    answer = open_page(lena_client, study, "preference", REGION | {"Counting-Page": said})

    assert says_to_ask_again(answer)["Counting-Page"] == "1"


@pytest.mark.usefixtures("hurry")
def test_a_small_study_is_counted_while_its_page_opens(lena_client: Client) -> None:
    small = judged_study(items=24, blocks=BLOCKS - 1, name="Small")

    assert open_page(lena_client, small, "preference").status_code == 200


def test_what_is_soon_done_is_done_at_once(
    study: Study, lena_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A few blocks are counted before anybody has read that they are not."""
    monkeypatch.setattr(counting, "SECONDS", 0.0)
    monkeypatch.setattr(of_time, "BEARABLE", 60.0)

    assert open_page(lena_client, study, "preference").status_code == 200


@pytest.mark.usefixtures("hurry")
def test_the_verdict_as_a_file_waits_for_all_counts(study: Study, lena_client: Client) -> None:
    answer = lena_client.get(reverse("verdict_file", args=[study.slug, "json"]))

    assert answer.status_code == 200


@pytest.mark.usefixtures("hurry")
def test_systems_of_large_studies_say_how_far_they_are(study: Study, lena_client: Client) -> None:
    answer = lena_client.get(reverse("systems"))

    assert answer.status_code == 202
    assert "The judgements are being counted" in answer.text


@pytest.mark.usefixtures("hurry")
def test_what_was_counted_in_time_is_kept(study: Study) -> None:
    asked: list[int] = []

    def count(block: Block) -> int:
        asked.append(block.number)
        return block.number

    for done in range(1, BLOCKS):
        with pytest.raises(StillCountingError) as stopped, patience(0.0), snapshot():
            parts(study, count)
        assert (stopped.value.done, stopped.value.blocks) == (done, BLOCKS)
        assert CountedPart.objects.count() == done
    with patience(0.0), snapshot():
        found = parts(study, count)

    assert found == asked == sorted(set(asked))
    assert len(found) == BLOCKS


def test_a_worker_counts_slice_by_slice_to_the_end(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried(monkeypatch)
    monkeypatch.setattr(ahead, "SLICE", 0.0)
    written: list[int] = []
    keep = of_blocks._keep

    def kept(rows: list[CountedPart]) -> None:
        written.append(len(rows))
        keep(rows)

    monkeypatch.setattr(of_blocks, "_keep", kept)

    ahead.count_ahead(study, "blind", 0.95)

    assert set(written) == {1}
    kinds = CountedPart.objects.values("what").distinct().count()
    assert CountedPart.objects.count() == kinds * BLOCKS
