"""Suites of given questions and endpoints of servers that run here, for the tests of runs."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from django.db.models.functions import Now

from annotate.models import Study
from evals.models import Case, Endpoint, Generation, Run, Suite
from evals.openai_client import Answer, Connection, opening_of
from evals.running import start_runs, work_on
from evals.running.lanes import Ask
from tests.evals.factories import EXACT, make_endpoint
from tests.evals.model_server import ModelServer


def suite_of(questions: Sequence[str], name: str = "questions", **fields: Any) -> Suite:
    """A suite of these questions; the model server's usual answer to each is the expected one."""
    suite = Suite.objects.create(
        name=name,
        version=Suite.objects.filter(name=name).count() + 1,
        title=name.capitalize(),
        digest=uuid4().hex * 2,
        format="suite",
        case_count=max(1, len(questions)),
    )
    Case.objects.bulk_create(
        Case(
            suite=suite,
            position=number,
            case_id=f"{name}-{number}",
            messages=[{"role": "user", "content": question}],
            expected={"answers": [f"Answer to {number}"]},
            category="simple",
            scorer=EXACT,
            **fields,
        )
        for number, question in enumerate(questions, 1)
    )
    return suite


def questions(count: int, fault: str = "") -> list[str]:
    """What the model server counts case by case, and fails where it is told to."""
    return [f"[[case:{number}]] {fault and f'[[fault:{fault}]]'}" for number in range(1, count + 1)]


def served_by(server: ModelServer, name: str = "Fern", **fields: Any) -> Endpoint:
    return make_endpoint(name, base_url=server.url, **{"timeout_seconds": 5, **fields})


def here(endpoint: Endpoint) -> Connection:
    """The connection of an endpoint whose server is on this machine."""
    return Connection(endpoint.base_url, endpoint.model, opening=opening_of("127.0.0.1"))


def run_alone(study: Study, suite: Suite, endpoint: Endpoint, **options: Any) -> Run:
    """One run, worked on to its end."""
    (run,) = start_runs(study, suite, {"candidate": endpoint}, **options)
    work_on([run], connect=here)
    run.refresh_from_db()
    return run


def answering(**fields: Any) -> Ask:
    """A service that answers at once, without a network."""
    given: dict[str, Any] = {
        "text": "yes",
        "tool_calls": (),
        "refusal": None,
        "finish_reason": "stop",
        "model": "fern-2",
        "latency_ms": 5.0,
    }
    return lambda connection, request: Answer(**given | fields)


def forget_waiting() -> None:
    """As if the time had come: all retries are due, and every service may be asked."""
    Generation.objects.filter(state="pending").update(not_before=Now())
    Endpoint.objects.update(next_request_at=Now())
