"""Outputs through the pages: uploaded, looked at, imported or thrown away; and scored again."""

import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotate.models import Study
from evals.models import Run, Score, Staged, StagedChunk
from evals.views import run_scores
from tests.evals.factories import make_run, make_suite
from tests.evals.format_inputs import lines
from tests.evals.test_importing import promptfoo_result

ROWS = [{"id": f"capitals-{n}", "output": str(n), "prompt": f"What is {n}?"} for n in range(1, 5)]


def upload(client: Client, study: Study, content: str, name: str = "a.jsonl", **more: Any) -> Any:
    file = SimpleUploadedFile(name, content.encode())
    data = {"file": file, "system": "candidate", "suite": "", **more}
    return client.post(reverse("outputs_new", args=[study.slug]), data)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def accept(client: Client, study: Study, staged: Staged, **chosen: Any) -> Any:
    given = {"system": "candidate", "suite": "", "join": "auto", "sample": "1", **chosen}
    return client.post(reverse("outputs_accept", args=[study.slug, staged.pk]), given)


def test_outputs_are_shown_before_they_become_a_run(study: Study, adam_client: Client) -> None:
    suite = make_suite()

    sent = upload(adam_client, study, lines(*ROWS), suite=suite.pk)
    staged = Staged.objects.get()
    page = adam_client.get(sent["Location"])

    assert sent.status_code == 302
    assert "4 outputs of the candidate can come in" in text_of(page)
    assert "Joined to capitals, version 1 by their ids" in text_of(page)
    assert "2 cases have no output in the file" in text_of(page)
    assert not Run.objects.exists()

    done = accept(adam_client, study, staged, suite=suite.pk)

    run = Run.objects.get()
    assert done["Location"] == reverse("run_score", args=[study.slug, run.number])
    assert run.started_by is not None
    assert Score.objects.filter(own=True).count() == 6
    assert not StagedChunk.objects.exists()
    assert "Run 1: 4 outputs of the candidate imported." in text_of(
        adam_client.get(done["Location"])
    )


def test_importing_twice_is_importing_once(study: Study, adam_client: Client) -> None:
    upload(adam_client, study, lines(*ROWS))
    staged = Staged.objects.get()
    first = accept(adam_client, study, staged)

    assert accept(adam_client, study, staged)["Location"] == first["Location"]
    preview = adam_client.get(reverse("outputs_preview", args=[study.slug, staged.pk]))
    assert preview["Location"] == first["Location"]
    assert Run.objects.count() == 1


def test_a_faulty_file_is_not_kept_and_says_where(study: Study, adam_client: Client) -> None:
    answer = upload(adam_client, study, lines(ROWS[0]) + '{"prompt": "x", "output": \n')

    assert answer.status_code == 422
    assert "Fix one line, then the outputs can come in" in text_of(answer)
    assert 'data-code="json_syntax"' in text_of(answer)
    assert not Staged.objects.exists()


def test_a_file_of_several_systems_asks_which_is_which(study: Study, adam_client: Client) -> None:
    results = [promptfoo_result(name, column, 0, name)
               for column, name in enumerate(("old", "new"))]  # fmt: skip
    content = json.dumps({"results": {"prompts": [], "results": results}})
    sent = upload(adam_client, study, content, "out.json")
    staged = Staged.objects.get()
    page = text_of(adam_client.get(sent["Location"]))
    assert "Say which system is which, then the file can come in" in page
    assert "old (prompt 0)" in page

    address = reverse("outputs_preview", args=[study.slug, staged.pk])
    same = adam_client.post(address, {"candidate": "0", "baseline": "0", "sample": "1"})
    assert "This is chosen as the candidate" in text_of(same)
    none = adam_client.post(address, {"candidate": "", "baseline": "", "sample": "1"})
    assert none.status_code == 422
    chosen = {"candidate": "1", "baseline": "0", "join": "auto", "sample": "1"}
    page = text_of(adam_client.get(adam_client.post(address, chosen)["Location"]))
    assert "2 outputs of both systems can come in" in page

    accepted = adam_client.post(reverse("outputs_accept", args=[study.slug, staged.pk]), chosen)

    assert accepted.status_code == 302
    runs = Run.objects.order_by("number")
    assert [(run.system, run.generations.get().text) for run in runs] == [
        ("baseline", "old"), ("candidate", "new"),
    ]  # fmt: skip


def test_another_choice_is_read_again_before_it_is_imported(
    study: Study, adam_client: Client
) -> None:
    suite = make_suite()
    upload(adam_client, study, lines(*ROWS))
    staged = Staged.objects.get()

    answer = accept(adam_client, study, staged, suite=suite.pk)

    assert not Run.objects.exists()
    page = text_of(adam_client.get(answer["Location"]))
    assert "Read again as you chose." in page
    assert "Joined to capitals, version 1" in page


def test_a_wrong_suite_can_be_changed_without_another_upload(
    study: Study, adam_client: Client
) -> None:
    other = make_suite("other")
    sent = upload(adam_client, study, lines({"prompt": "p", "output": "o"}), suite=other.pk)
    staged = Staged.objects.get()

    page = text_of(adam_client.get(sent["Location"]))
    assert "No output belongs to this suite" in page
    assert "the file is kept: choose below and check again" in page

    again = adam_client.post(
        reverse("outputs_preview", args=[study.slug, staged.pk]),
        {"system": "baseline", "suite": "", "join": "auto", "sample": "1"},
    )
    assert "1 output of the baseline can come in" in text_of(adam_client.get(again["Location"]))


def test_outputs_that_are_there_already_are_said_to_be(study: Study, adam_client: Client) -> None:
    upload(adam_client, study, lines(*ROWS))
    accept(adam_client, study, Staged.objects.get())

    sent = upload(adam_client, study, lines(*ROWS))

    page = text_of(adam_client.get(sent["Location"]))
    assert "These outputs are in the study already" in page
    assert "run 1" in page


def test_somebody_else_may_import_them_in_between(study: Study, adam_client: Client) -> None:
    upload(adam_client, study, lines(*ROWS))
    upload(adam_client, study, lines(*ROWS))
    first, second = Staged.objects.order_by("created_at", "pk")
    accept(adam_client, study, first)

    late = accept(adam_client, study, second)

    assert late.status_code == 422
    assert "These outputs are in the study already" in text_of(late)
    assert Run.objects.count() == 1


def test_thrown_away_is_gone(study: Study, adam_client: Client) -> None:
    upload(adam_client, study, lines(*ROWS))
    staged = Staged.objects.get()

    adam_client.post(reverse("outputs_discard", args=[study.slug, staged.pk]))

    assert not Staged.objects.exists()
    assert accept(adam_client, study, staged).status_code == 404


def test_a_file_beyond_the_limit_of_the_page_names_the_command(
    study: Study, adam_client: Client, settings: LazySettings
) -> None:
    settings.UPLOAD_LIMITS = settings.UPLOAD_LIMITS | {"max_file_bytes": 200}

    answer = upload(adam_client, study, lines(*ROWS))

    assert answer.status_code == 422
    assert "This file is too large for a page" in text_of(answer)
    assert f"manage.py import_run {study.slug} FILE --system candidate" in text_of(answer)


def test_what_a_file_says_is_text_on_the_page(study: Study, adam_client: Client) -> None:
    row = {"prompt": "<script>alert(1)</script>", "output": "<img src=x onerror=alert(2)>"}

    page = text_of(adam_client.get(upload(adam_client, study, lines(row))["Location"]))

    assert "<script>alert" not in page
    assert "&lt;img src=x onerror=alert(2)&gt;" in page


def test_a_staged_file_of_another_study_is_not_there(
    study: Study, other_study: Study, adam_client: Client
) -> None:
    upload(adam_client, study, lines(*ROWS))
    staged = Staged.objects.get()

    address = reverse("outputs_preview", args=[other_study.slug, staged.pk])
    assert adam_client.get(address).status_code == 404


# Scores of a run.


def test_scores_of_a_run_and_another_scorer(study: Study, lena_client: Client) -> None:
    run = make_run(study, make_suite(), passed=[True, False, None])
    address = reverse("run_score", args=[study.slug, run.number])

    page = text_of(lena_client.get(address))
    assert "1 scorer looked at 6 outputs" in page

    sent = lena_client.post(address, {"scorer": "rouge_l", "parameters": '{"pass_at": 0.5}'})

    assert sent["Location"] == address
    page = text_of(lena_client.get(address))
    assert "rouge_l: 6 outputs scored." in page
    assert "2 scorers looked at 6 outputs" in page
    assert Score.objects.filter(own=False, scorer__name="rouge_l").count() == 6
    lena_client.post(address, {"scorer": "rouge_l", "parameters": '{"pass_at": 0.5}'})
    assert "rouge_l: no score was missing." in text_of(lena_client.get(address))


def test_what_is_missing_can_be_scored_alone(study: Study, lena_client: Client) -> None:
    run = make_run(study, make_suite())
    address = reverse("run_score", args=[study.slug, run.number])

    sent = lena_client.post(address)

    assert "no score was missing." in text_of(lena_client.get(sent["Location"]))


def test_systems_that_are_called_as_in_the_study_are_guessed(
    study: Study, adam_client: Client
) -> None:
    called = (study.baseline_name, study.candidate_name)
    results = [promptfoo_result(f"openai:{name}", column, 0, name)
               for column, name in enumerate(called)]  # fmt: skip
    content = json.dumps({"results": {"prompts": [], "results": results}})

    page = adam_client.get(upload(adam_client, study, content, "out.json")["Location"])

    form = page.context["form"]
    assert (form["baseline"].value(), form["candidate"].value()) == ("0", "1")


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ("{", "the parameters are no JSON"),
        ("[]", "Write the parameters as"),
        ('{"pass_at": 2}', "must be a number from 0 to 1 or null"),
        ('{"tune": 1}', "rouge_l has no parameter"),
    ],
)
def test_impossible_parameters_are_told_at_the_field(
    study: Study, lena_client: Client, parameters: str, says: str
) -> None:
    run = make_run(study, make_suite())
    address = reverse("run_score", args=[study.slug, run.number])

    answer = lena_client.post(address, {"scorer": "rouge_l", "parameters": parameters})

    assert answer.status_code == 422
    assert says in text_of(answer)
    assert not Score.objects.filter(scorer__name="rouge_l").exists()


def test_the_run_as_a_whole_is_scored_when_asked_for(study: Study, lena_client: Client) -> None:
    run = make_run(study, make_suite())
    address = reverse("run_score", args=[study.slug, run.number])

    assert "level:corpus" not in text_of(lena_client.get(address))
    page = text_of(lena_client.get(address, {"whole": "1"}))

    assert "level:corpus" in page
    assert "no output has usable log-probabilities" in page


def test_a_large_run_is_scored_by_the_command(
    study: Study, lena_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_scores, "MOST_OUTPUTS", 5)
    run = make_run(study, make_suite())

    answer = lena_client.post(
        reverse("run_score", args=[study.slug, run.number]), {"scorer": "rouge_l"}
    )

    assert answer.status_code == 409
    assert f"manage.py score_run {study.slug} {run.number} --scorer NAME" in text_of(answer)
