"""manage.py run_suite: starts, waits, resumes, and answers in words or as JSON."""

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from annotate.models import Study
from evals.models import Generation, Run
from evals.running import start_runs
from tests.evals.factories import make_run, make_suite
from tests.evals.model_server import Called, ModelServer, answer_of
from tests.evals.running_inputs import questions, served_by, suite_of
from tests.factories import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    monkeypatch.setenv("TOUCHSTONE_PRIVATE_ENDPOINTS", "127.0.0.1")
    with ModelServer() as started:
        yield started


@pytest.fixture
def empty(db: None) -> Study:
    return make_study("Runs", slug="runs")


def command(*words: str) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    out, err = StringIO(), StringIO()
    try:
        call_command("run_suite", *words, stdout=out, stderr=err)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def refused(*words: str) -> str:
    code, out, err = command(*words)
    assert (code, out) == (1, "")
    return err.strip()


def test_both_systems_answer_and_one_document_says_how(empty: Study, server: ModelServer) -> None:
    suite_of([*questions(3), "[[case:4]] [[fault:400]]"])
    served_by(server, "Old")
    served_by(server, "New")

    code, out, err = command(
        "runs", "questions", "--baseline", "Old", "--candidate", "New", "--json"
    )

    answer = json.loads(out)
    assert (code, answer["study"], answer["suite"]) == (0, "runs", "questions@1")
    first, second = answer["runs"]
    assert (first["number"], first["system"], first["endpoint"]) == (1, "baseline", "Old")
    assert (second["state"], second["cases"], second["done"], second["calls"]) == ("done", 4, 4, 4)
    assert second["errors_by_kind"] == {"bad_request": 1}
    assert second["errors"]["count"] == 1
    assert second["errors"]["value"] == 0.25
    median, p99 = second["latency_ms"]["median"], second["latency_ms"]["p99"]
    assert (median["n"], median["confidence"]) == (3, 0.95)
    assert p99 == {"value": None, "reason": "3 requests, p99 needs 299", "n": 3}
    assert second["url"].endswith("/studies/runs/runs/2")
    # No bar where there is no terminal.
    assert err.strip() == "Run 1 (baseline) and run 2 (candidate) of questions, v1: asking."


def test_in_words_it_says_the_same(empty: Study, server: ModelServer) -> None:
    suite_of(questions(3))
    served_by(server, "New")

    code, out, _ = command("runs", "questions@1", "--candidate", "New")

    assert code == 0
    assert out.startswith("Run 1, candidate (fern-2): done, 3 of 3 cases\n  Errors: 0, 0.0")
    assert "99th percentile: –  (3 requests, p99 needs 299)" in out


def test_a_run_that_stops_at_its_limit_is_no_success(empty: Study, server: ModelServer) -> None:
    suite_of(questions(5))
    served_by(server, "New")

    code, out, _ = command("runs", "questions", "--candidate", "New", "--call-limit", "2", "--json")

    (run,) = json.loads(out)["runs"]
    assert code == 1
    assert (run["state"], run["done"]) == ("stopped", 2)
    assert run["stop_reason"] == "All 2 calls that were allowed were made."


def test_stand_ins_answer_without_any_service(empty: Study) -> None:
    make_suite("sums", 3)

    code, out, _ = command("runs", "sums", "--stand-in", "--json")

    runs = json.loads(out)["runs"]
    assert code == 0
    assert [(run["system"], run["state"], run["done"]) for run in runs] == [
        ("baseline", "done", 3),
        ("candidate", "done", 3),
    ]
    assert all(run["model"].startswith("stand-in") for run in runs)


def test_what_was_left_is_resumed(empty: Study, server: ModelServer) -> None:
    service = served_by(server, "New")
    started = start_runs(empty, suite_of(questions(3)), {"baseline": service, "candidate": service})

    code, out, _ = command("runs", "--resume", str(started[1].number), "--json")

    runs = json.loads(out)["runs"]
    assert code == 0
    assert [(run["number"], run["done"]) for run in runs] == [(1, 3), (2, 3)]
    again = command("runs", "--resume", "1", "--json")
    assert (again[0], server.count()) == (0, 6)


def test_interrupted_it_keeps_what_came_and_says_how_to_go_on(
    empty: Study, server: ModelServer
) -> None:
    suite_of(questions(40))
    served_by(server, "New", concurrency=2)

    def slowly(call: Called) -> dict[str, Any]:
        time.sleep(0.02)
        return answer_of(call)

    def interrupt() -> None:
        while server.count() < 6:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    server.reply = slowly
    threading.Thread(target=interrupt, daemon=True).start()
    code, out, err = command("runs", "questions", "--candidate", "New", "--json")

    (run,) = json.loads(out)["runs"]
    assert code == 1
    assert run["state"] == "running"
    assert 6 <= run["done"] == server.count() < 40
    assert "Go on with: manage.py run_suite runs --resume 1" in err
    assert Generation.objects.filter(state="asked").count() == 0

    code, out, _ = command("runs", "--resume", "1", "--json")
    assert (code, json.loads(out)["runs"][0]["done"], server.count()) == (0, 40, 40)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["nowhere", "sums", "--stand-in"], "No study is called 'nowhere'. Studies: runs."),
        (["runs", "--stand-in"], "Name a suite, or --resume the number of a run."),
        (["runs", "sums"], "Name who answers: --baseline ENDPOINT"),
        (["runs", "sums", "--candidate", "Fern"], "No endpoint is called 'Fern'. There is no"),
        (["runs", "sums", "--stand-in", "--candidate", "Fern"], "--stand-in names both endpoints"),
        (["runs", "--resume", "9"], "runs has no run 9."),
        (["runs", "--resume", "1"], "Run 1 was imported: there is nothing to ask."),
        (["runs", "sums", "--resume", "1"], "--resume goes on with what was chosen"),
        (["runs", "--resume", "1", "--call-limit", "9"], "Run 1 was imported"),
    ],
)
def test_refusals_are_one_line(empty: Study, words: list[str], line: str) -> None:
    make_run(empty, make_suite("sums", 2))

    assert refused(*words).startswith(line)
    assert Run.objects.count() == 1


def test_an_unknown_suite_is_refused_with_those_there_are(empty: Study) -> None:
    make_suite("sums", 2)

    line = refused("runs", "difference", "--stand-in")

    assert "difference" in line
    assert "sums" in line


@pytest.mark.parametrize(
    "words", [["--call-limit", "0"], ["--cost-limit", "much"], ["--resume", "x"]]
)
def test_wrong_use_is_said_by_the_parser(empty: Study, words: list[str]) -> None:
    with pytest.raises(Exception, match="write"):
        command("runs", "sums", *words)
