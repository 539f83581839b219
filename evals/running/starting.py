"""New runs: one transaction makes them with all their generations, and queues the work."""

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Max

from annotate.models import State, Study, User
from config.postgresql.bulk import forget_plans, renew_statistics
from evals.models import Endpoint, Run, Suite
from evals.running.sweeping import queue_lanes
from evals.running.terms import settings_of, terms_of

# A judge is asked like the systems; no form offers it, since its suites are derived ones.
SYSTEMS = (Run.System.BASELINE, Run.System.CANDIDATE, Run.System.JUDGE)

# All generations of all runs in one statement: a run without some of its cases cannot be.
FILL = """
INSERT INTO evals_generation (run_id, case_id, position, state, not_before, finish_reason,
                              error_kind, error, cached, tries, model, imported_scores)
SELECT run.id, c.id, c.position, 'pending', statement_timestamp(), '', '', '', false, 0, '', '{}'
FROM evals_run AS run JOIN evals_case AS c ON c.suite_id = run.suite_id
WHERE run.id = ANY(%s)
"""


class RefusedRunError(Exception):
    """Runs that cannot be started; the message says why and what to do."""


def start_runs(
    study: Study,
    suite: Suite,
    endpoints: Mapping[str, Endpoint],
    *,
    call_limit: int | None = None,
    cost_limit: Decimal | None = None,
    started_by: User | None = None,
    key: UUID | None = None,
) -> list[Run]:
    """Start a run of `suite` for each system of `endpoints`; limits are each run's own.

    `key` makes it happen once: whoever comes with the same key a second time gets the runs
    of the first.

    Raises
    ------
    RefusedRunError
        If the study is closed, the suite empty, an endpoint archived, or a limit cannot be kept.
    """
    pair = key or uuid4()
    with transaction.atomic():
        # Numbers and keys are given out by one at a time.
        locked = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        started = list(Run.objects.filter(pair=pair).order_by("number"))
        if started:
            return _same(started, study)
        _check(locked, suite, endpoints, cost_limit)
        last = Run.objects.filter(study=study).aggregate(last=Max("number"))["last"] or 0
        systems = [system for system in SYSTEMS if system in endpoints]
        runs = [
            Run.objects.create(
                study=study,
                number=number,
                suite=suite,
                system=system,
                pair=pair,
                source=Run.Source.CALLS,
                endpoint=endpoints[system],
                model=endpoints[system].model,
                endpoint_settings=settings_of(endpoints[system]),
                call_limit=call_limit,
                cost_limit=cost_limit,
                started_by=started_by,
            )
            for number, system in enumerate(systems, last + 1)
        ]
        forget_plans()
        with connection.cursor() as cursor:
            cursor.execute(FILL, [[run.pk for run in runs]])
        renew_statistics(suite.case_count * len(runs), "evals_generation")
        queue_lanes(pair)
    return runs


def _same(started: list[Run], study: Study) -> list[Run]:
    if any(run.study_id != study.pk for run in started):
        raise RefusedRunError("This form belongs to another study. Open it again from this one.")
    return started


def _check(
    study: Study, suite: Suite, endpoints: Mapping[str, Endpoint], cost_limit: Decimal | None
) -> None:
    if study.state == State.CLOSED:
        raise RefusedRunError(f"The study {study} is closed: open it again to start runs in it.")
    if not endpoints or not endpoints.keys() <= set(SYSTEMS):
        raise RefusedRunError("Choose an endpoint for the baseline, the candidate, or both.")
    if not suite.cases.exists():
        raise RefusedRunError(f"The suite {suite} has no cases. Import it again.")
    for endpoint in endpoints.values():
        check_endpoint(endpoint, cost_limit)


def check_endpoint(endpoint: Endpoint, cost_limit: Decimal | None) -> Endpoint:
    """The endpoint as it is now, if it may be asked; nobody archives it while this goes on.

    Raises
    ------
    RefusedRunError
        If it is archived, or a limit of cost cannot be kept.
    """
    fresh = Endpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)
    if fresh.archived_at is not None:
        raise RefusedRunError(f"The endpoint {fresh} is archived. Choose another.")
    if cost_limit is not None:
        _check_cost(fresh)
    return fresh


def _check_cost(endpoint: Endpoint) -> None:
    """A limit of cost is a promise: without both of these nobody can keep it."""
    if not endpoint.has_price:
        raise RefusedRunError(
            f"The endpoint {endpoint} has no prices, so no cost can be limited. "
            "Enter its prices, or limit the number of calls."
        )
    if terms_of(settings_of(endpoint)).output_limit is None:
        raise RefusedRunError(
            f"The endpoint {endpoint} sets no max_tokens, so one answer may cost any amount. "
            "Set max_tokens among its parameters, or limit the number of calls."
        )
