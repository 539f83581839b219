"""Two runs become a batch: what people see of them, what is left out, and that twice is once."""

import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from annotate.models import Batch, Item, Study, Task
from annotate.showing import show_turns
from annotate.showing.structured import structured
from evals import queries
from evals.models import Case, Generation, Run, RunBatch
from evals.pairing import PairingError, batch_from_runs, partner_of
from tests.evals.answers import make_answers
from tests.evals.factories import make_run, make_suite
from tests.factories import make_study
from tests.racing import in_parallel

pytestmark = pytest.mark.django_db

TOOL = {
    "type": "function",
    "function": {
        "name": "track",
        "description": "Where a parcel is.",
        "parameters": {"type": "object", "properties": {"order": {"type": "string"}}},
    },
}


@pytest.fixture
def study() -> Study:
    return make_study()


def runs_of(study: Study, cases: int = 6, **passed: Any) -> tuple[Run, Run]:
    suite = make_suite(cases=cases)
    baseline = make_run(study, suite, "baseline", passed=passed.get("baseline", ()))
    return baseline, make_run(study, suite, "candidate", passed=passed.get("candidate", ()))


def test_each_case_becomes_an_item_with_both_answers_and_its_slots(study: Study) -> None:
    baseline, candidate = runs_of(study, baseline=[False])

    batch = batch_from_runs(baseline, candidate)

    first = Item.objects.get(batch=batch, position=1)
    assert batch.item_count == 6
    assert (first.item_id, first.prompt) == ("capitals-1", "What is 1?")
    assert (first.baseline_output, first.candidate_output) == ("not 1", "1")
    assert (first.category, first.reference) == ("edge_case", "1")
    assert first.metadata == {
        "suite": "capitals@1", "baseline_run": 1, "candidate_run": 2, "case": 1
    }  # fmt: skip
    assert Task.objects.filter(item__batch=batch).count() == 6 * study.overlap
    made = RunBatch.objects.get(batch=batch)
    assert (made.baseline_run, made.candidate_run, made.left_out) == (baseline, candidate, [])


def test_cases_without_an_answer_of_both_are_left_out_and_told(study: Study) -> None:
    baseline, candidate = runs_of(study, baseline=[True, None], candidate=[None, None, False])

    batch = batch_from_runs(baseline, candidate)

    assert list(batch.items.values_list("item_id", flat=True).order_by("position")) == [
        "capitals-3", "capitals-4", "capitals-5", "capitals-6"
    ]  # fmt: skip
    assert RunBatch.objects.get(batch=batch).left_out == [
        {"case": "capitals-1", "why": "the candidate ended in an error (timeout)"},
        {
            "case": "capitals-2",
            "why": "the baseline ended in an error (timeout) and "
            "the candidate ended in an error (timeout)",
        },
    ]
    assert batch.warnings[0]["message"].startswith("2 cases are left out")


def test_twice_is_the_same_batch(study: Study) -> None:
    runs = runs_of(study)

    first, second = batch_from_runs(*runs), batch_from_runs(*runs)

    assert first == second
    assert Batch.objects.filter(study=study).count() == 1


def test_other_runs_of_the_same_suite_are_another_batch(study: Study) -> None:
    baseline, candidate = runs_of(study)
    again = make_run(study, candidate.suite, "candidate")

    batches = {batch_from_runs(baseline, candidate), batch_from_runs(baseline, again)}

    assert len(batches) == 2


def test_runs_that_do_not_belong_together_are_refused(study: Study) -> None:
    baseline, candidate = runs_of(study)
    other_suite = make_run(study, make_suite("rivers"), "candidate")
    Run.objects.filter(pk=(stopped := make_run(study, candidate.suite, "candidate")).pk).update(
        state="cancelled"
    )
    stopped.refresh_from_db()

    for pair, words in (
        ((candidate, baseline), "choose one of the baseline"),
        ((baseline, other_suite), "the same version of a suite"),
        ((baseline, stopped), r"Run 4 is not done \(cancelled\)"),
    ):
        with pytest.raises(PairingError, match=words):
            batch_from_runs(*pair)
    assert not Batch.objects.exists()


def test_runs_without_a_common_answer_make_no_batch(study: Study) -> None:
    runs = runs_of(study, cases=2, baseline=[None, True], candidate=[True, None])

    with pytest.raises(PairingError, match="No case has an answer of both systems"):
        batch_from_runs(*runs)
    assert not Batch.objects.exists()


def test_a_closed_study_takes_no_runs_in(study: Study) -> None:
    runs = runs_of(study)
    Study.objects.filter(pk=study.pk).update(state="closed")

    with pytest.raises(PairingError, match="is closed"):
        batch_from_runs(*runs)


def calling_runs(study: Study, *answers: dict[str, Any], **case: Any) -> tuple[Run, Run]:
    return make_answers(study, [answers], **case)


def test_calls_are_shown_readably_without_the_ids_that_a_service_gave_them(study: Study) -> None:
    runs = calling_runs(
        study,
        {"tool_calls": [{"name": "track", "arguments": '{"order": 1.10}', "id": "call_CANARY"}]},
        {
            "text": "One moment.",
            "tool_calls": [{"name": "track", "arguments": {"order": "7"}, "id": "toolu_CANARY"}],
        },
        tools=[TOOL],
    )

    (item,) = batch_from_runs(*runs).items.all()

    assert item.baseline_output == '[{"name": "track", "arguments": {"order": 1.10}}]'
    said = json.loads(item.candidate_output)
    assert said["content"] == "One moment."
    assert said["tool_calls"] == [{"name": "track", "arguments": {"order": "7"}}]
    for output in (item.baseline_output, item.candidate_output):
        blocks = structured(output)
        assert blocks is not None
        assert [block.name for block in blocks if hasattr(block, "name")] == ["track"]
    assert "CANARY" not in item.baseline_output + item.candidate_output


def test_arguments_that_are_no_json_stay_as_they_were_written(study: Study) -> None:
    runs = calling_runs(
        study,
        {"tool_calls": [{"name": "track", "arguments": '{"order": '}]},
        {"text": "", "tool_calls": [{"name": "track", "arguments": ""}]},
    )

    (item,) = batch_from_runs(*runs).items.all()

    assert json.loads(item.baseline_output) == [{"name": "track", "arguments": '{"order": '}]
    assert json.loads(item.candidate_output) == [{"name": "track", "arguments": ""}]


def test_a_refusal_is_an_answer_and_silence_is_none(study: Study) -> None:
    runs = make_answers(
        study,
        [
            ({"refusal": "I cannot do that."}, {"text": "Done."}),
            ({"text": "  "}, {"text": "Done."}),
        ],
    )

    batch = batch_from_runs(*runs)

    (item,) = batch.items.all()
    assert item.baseline_output == "I cannot do that."
    assert RunBatch.objects.get().left_out == [
        {"case": "case-2", "why": "the baseline answered nothing"}
    ]


def test_a_conversation_stays_one_and_the_functions_are_told(study: Study) -> None:
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Where is my parcel?"},
    ]
    runs = calling_runs(study, {"text": "a"}, {"text": "b"}, messages=messages, tools=[TOOL])

    (item,) = batch_from_runs(*runs).items.all()

    turns, given = show_turns(item.prompt)
    assert [turn.speaker for turn in turns] == ["User"]
    assert len(given) == 2
    assert "track(order): Where a parcel is." in item.prompt


def test_what_intake_refuses_is_left_out_like_an_error(study: Study, settings: Any) -> None:
    settings.UPLOAD_LIMITS = {**settings.UPLOAD_LIMITS, "max_cell_chars": 100}
    runs = make_answers(
        study, [({"text": "x" * 101}, {"text": "b"}), ({"text": "a"}, {"text": "b"})]
    )

    batch = batch_from_runs(*runs)

    assert batch.item_count == 1
    ((left),) = RunBatch.objects.get().left_out
    assert left["case"] == "case-1"
    assert "101" in left["why"] or "100" in left["why"]


def test_items_of_runs_do_not_count_as_references_of_batches(study: Study) -> None:
    batch_from_runs(*runs_of(study))

    assert queries.reference_counts(study).references == 0


def test_the_partner_is_the_run_of_the_pair_or_the_latest(study: Study) -> None:
    suite = make_suite()
    first = make_run(study, suite, "baseline")
    together = make_run(study, suite, "candidate", pair=first.pair)
    later = make_run(study, suite, "baseline")

    assert partner_of(first) == together
    assert partner_of(together) == first
    assert partner_of(later) == together


def test_an_admin_makes_the_batch_with_one_click(study: Study, adam_client: Client) -> None:
    _, candidate = runs_of(study)
    url = reverse("run_batch", args=[study.slug, candidate.number])

    first = adam_client.post(url)
    again = adam_client.post(url, follow=True)

    (batch,) = Batch.objects.filter(study=study)
    assert first["Location"] == reverse("batch", args=[study.slug, batch.number])
    assert "These runs are batch 1 already." in again.content.decode()


def test_a_run_alone_is_refused_in_words(study: Study, adam_client: Client) -> None:
    run = make_run(study, make_suite(), "candidate")

    answer = adam_client.post(reverse("run_batch", args=[study.slug, run.number]))

    assert answer.status_code == 409
    assert "The baseline has no finished run of capitals, v1." in answer.content.decode()


def test_the_command_says_what_it_made_and_what_it_left_out(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    runs_of(study, candidate=[None])
    given = ["batch_from_runs", study.slug, "--baseline-run", "1", "--candidate-run", "2"]

    call_command(*given, "--json")
    answer = json.loads(capsys.readouterr().out)
    call_command(*given)
    words = capsys.readouterr().out

    assert (answer["items"], answer["is_new"], answer["number"]) == (5, True, 1)
    assert answer["left_out"][0]["case"] == "capitals-1"
    assert words.startswith("Batch 1 (capitals v1, runs 1 and 2) holds these runs already: 5 items")


def test_the_command_refuses_an_unknown_run_in_one_line(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    runs_of(study)

    with pytest.raises(SystemExit) as ended:
        call_command("batch_from_runs", study.slug, "--baseline-run", "1", "--candidate-run", "9")

    assert ended.value.code == 1
    assert capsys.readouterr().err == f"Study '{study.slug}' has no run 9. Runs: 2, 1.\n"


def test_generations_are_read_as_they_are_and_nothing_is_written_to_runs(study: Study) -> None:
    runs = runs_of(study)
    before = list(Generation.objects.order_by("pk").values())

    batch_from_runs(*runs)

    assert list(Generation.objects.order_by("pk").values()) == before
    assert Case.objects.count() == 6


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_several_who_hand_the_same_runs_over_at_once_get_one_batch() -> None:
    study = make_study()
    runs = runs_of(study)

    found = in_parallel(6, lambda _: batch_from_runs(*runs))

    assert set(found) == {Batch.objects.get()}
    assert Item.objects.count() == 6
