"""What is kept of a study is used for as long as nothing has changed, and not a moment longer."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotate.claiming import claim_task, free_overdue, release_task, skip_task
from annotate.judging import Answers, record_judgement, submission_key
from annotate.models import Judgement, Study, Task, User
from annotate.parsing.judgements import JudgementOptions
from annotate.receiving import import_judgements
from annotate.steering import unassign
from evals import queries
from evals.deciding import change_policy, policy_in_force
from evals.queries import state as of_study
from evals.queries.kept import kept
from evals.queries.reading import snapshot
from evals.queries.state import judged_state, state_of
from tests.evals.factories import make_run, make_suite
from tests.factories import judge_next, make_batch, make_study, source_of

pytestmark = pytest.mark.django_db

NOTHING = """
CREATE OR REPLACE FUNCTION beat(of_study bigint, of_block bigint) RETURNS void LANGUAGE plpgsql AS
$$ BEGIN END $$
"""


@pytest.fixture
def judged(alice: User, bob: User, fresh_cache: None) -> Study:
    """Twelve items; each of two people has judged six."""
    study = make_study("Kept", annotators=[alice, bob], overlap=2)
    make_batch(study, 12)
    for who in (alice, bob):
        for number in range(6):
            judge_next(study, who, (-1, 1, 0)[number % 3])
    return study


def judge(study: Study, alice: User) -> None:
    judge_next(study, alice, 1)


def correct(study: Study, alice: User) -> None:
    task = Task.objects.filter(study=study, annotator=alice, state="judged").first()
    assert task is not None
    said = task.judgements.get()
    record_judgement(task.pk, alice, submission_key(task), Answers(choice=(said.choice or 0) or 1,
                     both_bad=False, comment="Corrected"))  # fmt: skip


def skip(study: Study, alice: User) -> None:
    skip_task(claim_task(study, alice).pk, alice, reason="broken")


def lapse(study: Study, alice: User) -> None:
    Task.objects.filter(pk=claim_task(study, alice).pk).update(lease_ends_at="2020-01-01T00:00Z")
    assert free_overdue(study) == 1


def come_too_late(study: Study, alice: User) -> None:
    """The slot is taken by somebody else; what is said is surplus."""
    task = claim_task(study, alice)
    Task.objects.filter(pk=task.pk).update(lease_ends_at="2020-01-01T00:00Z")
    free_overdue(study)
    Task.objects.filter(item=task.item_id, slot=task.slot, state="free").delete()
    task.refresh_from_db()
    record_judgement(task.pk, alice, submission_key(task), Answers(choice=1))
    assert Task.objects.get(pk=task.pk).state == "surplus"


def bring(study: Study, alice: User) -> None:
    rows = "item_id,annotator,preference\nq-1,dan,candidate\nq-2,dan,baseline\n"
    receipt = import_judgements(study, source_of(rows, "said.csv"), JudgementOptions())
    assert receipt.taken is not None, receipt.report.errors


def upload(study: Study, alice: User) -> None:
    make_batch(study, 2, name="second")


def change_the_policy(study: Study, alice: User) -> None:
    policy = policy_in_force(study)
    change_policy(study, policy.gates, confidence=0.9, made_by=alice, reason="Agreed")


def run(study: Study, alice: User) -> None:
    make_run(study, make_suite(), passed=[True, False])


def take_off(study: Study, alice: User) -> None:
    unassign(study, alice)


def rename(study: Study, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(name="Alicia")


EVIDENCE = (judge, correct, skip, lapse, come_too_late, bring, upload)
CHANGES: dict[Callable[[Study, User], None], str] = {
    **dict.fromkeys(EVIDENCE, "evidence"),
    change_the_policy: "policy",
    run: "runs",
    take_off: "assigned",
    rename: "people",
}


# Somebody new, a new batch, and scores are noticed twice.
BESIDES: dict[Callable[[Study, User], None], tuple[str, ...]] = {
    bring: ("people",),
    upload: ("batches",),
    run: ("scores",),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_another_state(
    judged: Study, alice: User, change: Callable[[Study, User], None]
) -> None:
    before = state_of(judged)
    assert state_of(judged) == before

    change(judged, alice)

    assert state_of(judged) != before


@pytest.mark.parametrize("change", CHANGES)
def test_a_state_that_leaves_one_thing_out_does_not_notice_it(
    judged: Study,
    alice: User,
    change: Callable[[Study, User], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A change is noticed by the part that is there for it, not by chance."""
    noticed = {CHANGES[change], *BESIDES.get(change, ())}
    for parts in ("JUDGED", "MEASURED"):
        left = {name: one for name, one in getattr(of_study, parts).items() if name not in noticed}
        monkeypatch.setattr(of_study, parts, left)
    before = state_of(judged)

    change(judged, alice)

    assert state_of(judged) == before


@pytest.mark.parametrize("change", [run, change_the_policy])
def test_what_machines_measure_recounts_no_judgement(
    judged: Study, alice: User, change: Callable[[Study, User], None]
) -> None:
    before = judged_state(judged), state_of(judged)

    change(judged, alice)

    assert judged_state(judged) == before[0]
    assert state_of(judged) != before[1]


def test_a_claim_and_its_return_change_nothing(judged: Study, alice: User) -> None:
    before = state_of(judged)
    release_task(claim_task(judged, alice).pk, alice)

    assert state_of(judged) == before


def test_another_study_is_left_as_it_was(judged: Study, study: Study, alice: User) -> None:
    before = state_of(judged)
    judge_next(study, alice, 1)

    assert state_of(judged) == before


PAGES = ("", "progress", "preference", "agreement", "agreement/parts", "agreement/pairs",
         "annotators", "disputed", "decision")  # fmt: skip


def shown(client: Client, study: Study, page: str) -> str:
    return client.get(f"/studies/{study.slug}/{page}").content.decode()


def without_token(text: str) -> str:
    """Nor the time of day, which goes on between two looks."""
    lines = (line for line in text.splitlines() if "csrf" not in line)
    return re.sub(r"\d+:\d\d", "", "\n".join(lines))


@pytest.mark.parametrize("change", [judge, correct, bring, take_off])
def test_pages_show_what_they_would_show_if_nothing_were_kept(
    judged: Study,
    alice: User,
    lena_client: Client,
    change: Callable[[Study, User], None],
    fresh_cache: None,
) -> None:
    for page in PAGES:
        shown(lena_client, judged, page)
    change(judged, alice)
    with_kept = [without_token(shown(lena_client, judged, page)) for page in PAGES]
    anew = []
    for page in PAGES:
        cache.clear()
        anew.append(without_token(shown(lena_client, judged, page)))

    assert with_kept == anew


def test_without_the_count_of_changes_a_page_would_be_stale(
    judged: Study, alice: User, lena_client: Client
) -> None:
    """The test above would fail if nothing counted."""
    before = queries.sided_votes(judged).overall.totals
    with connection.cursor() as cursor:
        cursor.execute(NOTHING)

    judge_next(judged, alice, 1)

    assert queries.sided_votes(judged).overall.totals == before
    assert Judgement.objects.filter(study=judged).count() == sum(before) + 1


def test_a_page_at_rest_counts_no_judgement(judged: Study, lena_client: Client) -> None:
    for page in PAGES:
        shown(lena_client, judged, page)
    for page in PAGES:
        with CaptureQueriesContext(connection) as captured:
            shown(lena_client, judged, page)
        # The items that are listed are looked up, whatever their number in all.
        counting = [
            query["sql"]
            for query in captured.captured_queries
            if "WITH votes AS" in query["sql"] and '"item_id" IN' not in query["sql"]
        ]
        assert counting == [], page


def test_what_is_kept_is_kept_by_every_argument(judged: Study) -> None:
    asked: list[tuple[Any, ...]] = []

    @kept
    def answer(study: Study, *args: Any) -> tuple[Any, ...]:
        asked.append(args)
        return args

    assert [answer(judged, 1), answer(judged, 2), answer(judged, 1)] == [(1,), (2,), (1,)]
    assert asked == [(1,), (2,)]


def test_an_argument_left_out_or_named_is_the_same_question(judged: Study) -> None:
    asked = []

    @kept
    def answer(study: Study, only: str | None = None, level: float = 0.95) -> tuple[Any, ...]:
        asked.append((only, level))
        return only, level

    found = {answer(judged), answer(judged, None), answer(judged, None, 0.95),
             answer(judged, level=0.95), answer(judged, only=None)}  # fmt: skip

    assert found == {(None, 0.95)}
    assert asked == [(None, 0.95)]
    assert answer(judged, "blind") == ("blind", 0.95)


def test_a_snapshot_keeps_what_it_counted_when_it_ends(judged: Study) -> None:
    asked = []

    @kept
    def answer(study: Study) -> None:
        asked.append(study)

    with snapshot():
        answer(judged)
    with snapshot():
        assert answer(judged) is None
    assert len(asked) == 1
