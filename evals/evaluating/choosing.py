"""Which endpoints answer for the two systems of a study, and which runs they have made already."""

from collections.abc import Mapping
from typing import TypeAlias
from uuid import UUID, uuid5

from django.db.models import QuerySet

from annotate.models import Study
from evals.endpoints import ensure_stand_ins
from evals.models import Endpoint, Run, Suite
from evals.queries.runs import RunPair, latest_pair
from evals.running.terms import settings_of

SYSTEMS = (Run.System.BASELINE.value, Run.System.CANDIDATE.value)
MOST_NAMED = 20
# Whoever evaluates the same thing at the same time joins in, and starts nothing twice.
NAMESPACE = UUID("5a0f3d8e-6d0b-4b0e-9a62-6f3f0c6b7e51")

Endpoints: TypeAlias = Mapping[str, Endpoint]


class NoEndpointError(Exception):
    """There is no such endpoint; the message says which ones there are."""


def endpoints_for(
    study: Study, baseline: str = "", candidate: str = "", *, stand_in: bool = False
) -> Endpoints:
    """The endpoints that are named, those that are called like the systems, or the stand-ins.

    Raises
    ------
    NoEndpointError
        If one is not there.
    """
    if stand_in:
        made = ensure_stand_ins()
        # As they are stored: runs keep their settings, and these are compared later.
        return {system: Endpoint.objects.get(pk=made[system].pk) for system in SYSTEMS}
    named = dict(zip(SYSTEMS, (baseline, candidate), strict=True))
    usual = dict(zip(SYSTEMS, (study.baseline_name, study.candidate_name), strict=True))
    return {system: _endpoint(system, named[system], usual[system]) for system in SYSTEMS}


def _endpoint(system: str, named: str, usual: str) -> Endpoint:
    if named:
        return named_endpoint(named)
    if found := Endpoint.objects.filter(archived_at=None, name=usual).first():
        return found
    raise NoEndpointError(
        f"No endpoint is called like the {system} ('{usual}'): name one with --{system}. "
        f"{_there_are()}"
    )


def named_endpoint(name: str) -> Endpoint:
    """The endpoint of this name, or a refusal that names those there are."""
    if found := Endpoint.objects.filter(archived_at=None, name=name).first():
        return found
    raise NoEndpointError(f"No endpoint is called '{name}'. {_there_are()}")


def _there_are() -> str:
    there = Endpoint.objects.filter(archived_at=None).order_by("name")
    names = list(there.values_list("name", flat=True)[:MOST_NAMED])
    there_are = f"Endpoints: {', '.join(names)}." if names else "There is no endpoint yet."
    return f"{there_are} For the built-in stand-in: --stand-in."


def unfinished_runs(study: Study, suite: Suite, endpoints: Endpoints) -> list[Run]:
    """Runs of this suite by these endpoints that were begun together and have not ended."""
    going_on = _runs(study, suite).filter(state=Run.State.RUNNING).order_by("-number")
    for pair in dict.fromkeys(going_on.values_list("pair", flat=True)):
        runs = list(_runs(study, suite).filter(pair=pair).order_by("number"))
        if _asked(runs, endpoints) and not any(_is_lost(run) for run in runs):
            return runs
    return []


def _is_lost(run: Run) -> bool:
    """Whether a run ended before its time: its partner could only finish for nothing."""
    return run.state in (Run.State.CANCELLED, Run.State.STOPPED)


def finished_runs(study: Study, suite: Suite, endpoints: Endpoints | None) -> list[Run]:
    """The runs that gates go by, if they are of these endpoints as they are now."""
    pair = latest_pair(study, suite.name, suite.version)
    if pair is None:
        return []
    runs = list(pair.runs)
    if endpoints is None:
        return runs
    # An endpoint that was changed since is another system by now.
    same = _asked(runs, endpoints) and all(
        run.endpoint_settings == settings_of(endpoints[run.system]) for run in runs
    )
    return runs if same else []


def key_of(study: Study, suite: Suite, endpoints: Endpoints) -> UUID:
    """The same for everybody who sees the same runs and wants the next ones."""
    before = _runs(study, suite).count()
    asked = [endpoints[system].pk for system in SYSTEMS]
    return uuid5(NAMESPACE, f"{study.pk}:{suite.pk}:{asked}:{before}")


def has_answers(study: Study, suite: Suite) -> bool:
    """Whether both systems have answered a suite, wherever that was."""
    return latest_pair(study, suite.name, suite.version) is not None


def speaks(study: Study, pair: RunPair) -> bool:
    """Whether gates go by this pair."""
    latest = latest_pair(study, pair.suite.name)
    return latest is not None and latest.runs == pair.runs


def _runs(study: Study, suite: Suite) -> QuerySet[Run]:
    return Run.objects.filter(study=study, suite=suite, system__in=SYSTEMS).select_related("suite")


def _asked(runs: list[Run], endpoints: Endpoints) -> bool:
    wanted = {system: endpoint.pk for system, endpoint in endpoints.items()}
    return {run.system: run.endpoint_id for run in runs} == wanted
