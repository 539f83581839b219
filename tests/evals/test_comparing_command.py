"""manage.py compare: the text people read and the document scripts read."""

import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from annotate.models import Study
from evals.models import Run
from tests.evals.factories import make_run, make_suite

pytestmark = pytest.mark.django_db
FIVE = ("arts", "geography", "history", "instructions in several steps", "science")


def compared(study: Study, **options: Any) -> str:
    out = io.StringIO()
    call_command("compare", study.slug, stdout=out, **options)
    return out.getvalue()


def refused(study: Study, capsys: pytest.CaptureFixture[str], **options: Any) -> str:
    err = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("compare", study.slug, stderr=err, **options)
    assert left.value.code == 1
    return err.getvalue().strip()


def knowledge(study: Study, latencies: Sequence[float] = ()) -> None:
    """Fifty questions in five categories; the candidate falls from 10 to 3 in one."""
    suite = make_suite("knowledge", 50, categories=FIVE, split="general")
    marks = [case.category != "history" or case.position > 35 for case in suite.cases.all()]
    make_run(study, suite, "baseline", latencies=latencies)
    make_run(study, suite, "candidate", passed=marks, latencies=latencies)


def test_the_text_names_the_regression_and_fits_eighty_columns(study: Study) -> None:
    knowledge(study, [1200.0 + 10 * number for number in range(50)])

    text = compared(study)

    lines = text.splitlines()
    assert lines[0] == "The candidate has regressed in history"
    assert max(len(line) for line in lines) <= 80
    assert sum("REGRESSED" in line for line in lines) == 1
    assert sum("not enough cases" in line for line in lines) == 4
    assert "No verdict on p99: the smaller side has 50 requests, 249 too few." in text


def test_the_text_tells_which_cases_were_lost(study: Study) -> None:
    knowledge(study)

    assert "Lost: knowledge-2, knowledge-7, knowledge-12" in compared(study)


def test_json_is_one_document(study: Study) -> None:
    knowledge(study)

    answer = json.loads(compared(study, json=True))

    assert answer["suite"]["name"] == "knowledge"
    assert answer["regression"]["categories"][0]["status"] == "regressed"
    assert answer["overall"]["difference"]["value"] == pytest.approx(-0.14)


def test_runs_and_versions_may_be_chosen(study: Study) -> None:
    knowledge(study)
    second = make_suite("knowledge", 5)
    for system in ("baseline", "candidate", "candidate"):
        make_run(study, second, system)

    newest = json.loads(compared(study, json=True, suite="knowledge"))
    old = json.loads(compared(study, json=True, suite="knowledge@1"))
    chosen = json.loads(compared(study, json=True, suite="knowledge", baseline=3, candidate=4))

    assert (newest["suite"]["version"], newest["runs"]["candidate"]["run"]) == (2, 5)
    assert old["suite"]["version"] == 1
    assert chosen["runs"]["candidate"]["run"] == 4


def test_newer_runs_that_are_not_used_are_told(study: Study) -> None:
    knowledge(study)
    suite = make_suite("knowledge", 5)
    Run.objects.filter(pk=make_run(study, suite, "candidate").pk).update(
        state="running", ended_at=None
    )

    text = compared(study)

    assert "Note: Version 2 of the suite has not been answered by both systems yet." in text
    assert "Note: Run 3 of the candidate (v2) is under way." in text


def test_wishes_that_cannot_be_met_are_refused_in_one_line(
    study: Study, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(study, capsys) == "This study has runs of no suites. Start a run first."
    make_run(study, make_suite("first"), "baseline")
    assert refused(study, capsys, suite="first") == (
        "No run of the candidate on 'first' is finished yet."
    )
    assert "Suites with runs: first." in refused(study, capsys, suite="second")
    make_run(study, make_suite("other"), "baseline")
    assert refused(study, capsys).endswith("Name one with --suite: first, other.")
    assert "write NAME or NAME@VERSION" in refused(study, capsys, suite="first@x")
    assert "Name both runs" in refused(study, capsys, suite="first", baseline=1)
    assert "are not finished runs" in refused(study, capsys, suite="first", baseline=1, candidate=1)


def test_answers_that_nothing_scores_are_handed_to_people_or_a_judge(study: Study) -> None:
    suite = make_suite("open_questions", 3)
    for number, system in enumerate(("baseline", "candidate"), start=1):
        run = Run.objects.create(
            study=study, number=number, suite=suite, system=system, source="imported",
            state="done", ended_at=timezone.now(),
        )  # fmt: skip
        for case in suite.cases.all():
            run.generations.create(
                case=case, position=case.position, state="done", text="Yes.",
                done_at=timezone.now(),
            )  # fmt: skip

    text = compared(study)

    assert text.startswith("No case says whether an answer is right")
    assert "Not in these numbers: 3 cases without a score" in text
    assert f"manage.py batch_from_runs {study.slug} --baseline-run 1 --candidate-run 2" in text
    assert f"manage.py run_judge {study.slug} --baseline-run 1 --candidate-run 2" in text
