"""What is counted block by block: only a block that changed is counted again."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotate.claiming import claim_task, skip_task
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Study, Task
from annotate.models.pulse import BLOCK_BITS, Pulse
from evals import jobs
from evals.models import CountedPart
from evals.queries.parts import Block, parts
from evals.queries.reading import snapshot
from evals.reporting import ahead
from tests.evals.simulation import begin_block, judged_study
from tests.evals.test_kept import PAGES, shown, without_token
from tests.factories import make_batch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_cache")]

BLOCKS = 3


@pytest.fixture
def study() -> Study:
    return judged_study(items=30, annotators=5, blocks=BLOCKS, share=0.9)


def correct(study: Study) -> int:
    """Somebody changes their mind; which block their item is in."""
    task = Task.objects.filter(study=study, state="judged").select_related("annotator").first()
    assert task is not None
    assert task.annotator is not None
    said = task.judgements.get()
    answers = Answers(choice=-(said.choice or 1), comparisons={"correctness": 1},
                      scores={"helpfulness": (1, 5)})  # fmt: skip
    record_judgement(task.pk, task.annotator, submission_key(task), answers)
    return task.item_id >> BLOCK_BITS


def skip(study: Study) -> int:
    annotator = study.assignments.order_by("pk")[0].annotator
    task = claim_task(study, annotator)
    skip_task(task.pk, annotator, reason="broken")
    return task.item_id >> BLOCK_BITS


def upload(study: Study) -> int:
    begin_block()
    batch = make_batch(study, 3, name="later")
    item = batch.items.first()
    assert item is not None
    return item.pk >> BLOCK_BITS


def counted_blocks(study: Study, asked: list[int]) -> list[int]:
    def count(block: Block) -> int:
        asked.append(block.number)
        return block.number

    return parts(study, count)


@pytest.mark.parametrize("change", [correct, skip, upload])
def test_only_the_block_that_changed_is_counted_again(
    study: Study, change: Callable[[Study], int]
) -> None:
    first: list[int] = []
    blocks = counted_blocks(study, first)
    assert blocks == first == sorted(set(first))
    assert len(blocks) == BLOCKS

    where = change(study)
    again: list[int] = []
    found = counted_blocks(study, again)

    assert again == [where]
    assert found == sorted({*blocks, where})


def test_a_claim_has_nothing_counted_again(study: Study) -> None:
    counted_blocks(study, [])
    claim_task(study, study.assignments.order_by("pk")[0].annotator)
    again: list[int] = []
    counted_blocks(study, again)

    assert again == []


def test_what_another_code_counted_is_not_used(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted_blocks(study, [])
    monkeypatch.setattr("evals.queries.parts.code_name", lambda: "b" * 64)
    again: list[int] = []
    counted_blocks(study, again)

    assert len(again) == BLOCKS


def test_one_block_alone_is_kept_as_a_whole_only() -> None:
    counted_blocks(judged_study(items=6), [])

    assert not CountedPart.objects.exists()


def test_inside_a_snapshot_parts_are_written_when_it_ends(study: Study) -> None:
    with snapshot():
        counted_blocks(study, [])
        assert not CountedPart.objects.exists()

    assert CountedPart.objects.count() == BLOCKS


@pytest.mark.parametrize("change", [correct, skip, upload])
def test_pages_show_what_they_would_show_if_no_part_were_kept(
    study: Study, lena_client: Client, change: Callable[[Study], int]
) -> None:
    for page in PAGES:
        shown(lena_client, study, page)
    change(study)
    with_parts = [without_token(shown(lena_client, study, page)) for page in PAGES]
    anew = []
    for page in PAGES:
        cache.clear()
        CountedPart.objects.all().delete()
        anew.append(without_token(shown(lena_client, study, page)))

    assert with_parts == anew


def test_without_the_count_of_changes_a_part_would_be_stale(
    study: Study, lena_client: Client
) -> None:
    """The test above would fail if the blocks' changes were not counted."""
    before = shown(lena_client, study, "preference")
    Pulse.objects.filter(study=study).update(beats=1)
    counted = Pulse.objects.filter(study=study).count()
    shown(lena_client, study, "preference")
    correct(study)
    Pulse.objects.filter(study=study).update(beats=1)
    assert Pulse.objects.filter(study=study).count() == counted

    assert without_token(shown(lena_client, study, "preference")) == without_token(before)


def test_a_worker_counts_large_studies_ahead(
    study: Study, lena_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LARGE", BLOCKS)
    small = judged_study(items=6, name="Small")
    correct(study)
    CountedPart.objects.create(study=study, what="x", block=0, state="1-other", packed=b"")

    jobs.count_all_large()

    assert not CountedPart.objects.filter(what="x").exists()
    assert not CountedPart.objects.filter(study=small).exists()
    for page in PAGES:
        with CaptureQueriesContext(connection) as captured:
            shown(lena_client, study, page)
        # The items that are listed are looked up, whatever their number in all.
        counting = [
            query["sql"]
            for query in captured.captured_queries
            if ("WITH votes AS" in query["sql"] and '"item_id" IN' not in query["sql"])
            or 'INSERT INTO "evals_countedpart"' in query["sql"]
        ]
        assert counting == [], page


def test_a_worker_asks_a_large_study_at_rest_for_its_state_alone(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LARGE", BLOCKS)
    counted: list[Study] = []
    monkeypatch.setattr(ahead, "COUNTS", (lambda study, *_: counted.append(study),))

    jobs.count_all_large()
    jobs.count_all_large()
    assert counted == [study]
    correct(study)
    jobs.count_all_large()

    assert counted == [study, study]
