"""Outputs into the database: a run that is done, with one generation for each case."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Max
from django.utils import timezone

from annotate.intake import NO_TIMEOUTS, RefusedError
from annotate.models import State, Study, User
from annotate.parsing import Source
from annotate.reports import faults_as_json, short_name, storable
from config.postgresql.bulk import forget_plans, renew_statistics
from evals.importing.joining import CaseIndex, Joined, missing_positions
from evals.importing.report import OutputsReport
from evals.importing.rows import COLUMNS, MODEL_CHARS, values_of_missing
from evals.importing.spooling import Spool
from evals.models import Run, Suite

COPY_GENERATIONS = f"""
COPY evals_generation (run_id, case_id, position, state, not_before, done_at, tries,
                       {", ".join(COLUMNS)}) FROM STDIN
"""
# No run has it: it holds the place of a number until that is known.
HIGHEST = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Origin:
    """Where outputs come from and whose they are; `pick` is what the file calls the system."""

    study: Study
    system: str
    sources: Sequence[Source]
    pick: str | None = None
    pair: UUID | None = None
    imported_by: User | None = None


def store_run(
    origin: Origin,
    suite: Suite,
    spool: Spool,
    joined: Joined,
    index: CaseIndex,
    report: OutputsReport,
) -> Run:
    """The run of these outputs. To be called inside a transaction, which it ends or spoils.

    Raises
    ------
    RefusedError
        If the study is closed, or has these outputs already.
    """
    with connection.cursor() as cursor:
        cursor.execute(NO_TIMEOUTS)
    run = Run.objects.create(
        study=origin.study,
        number=HIGHEST - _waiting(),
        suite=suite,
        system=origin.system,
        pair=origin.pair or uuid4(),
        source=Run.Source.IMPORTED,
        model=_model(report, origin.pick),
        state=Run.State.DONE,
        ended_at=timezone.now(),
        digest=report.digest,
        file_names=[short_name(source.name) for source in origin.sources],
        format=report.format[:40],
        warnings=faults_as_json(report.warnings),
        started_by=origin.imported_by,
    )
    _copy(run, spool, joined, index)
    _give_number(run)
    return run


def _waiting() -> int:
    """A number that no other import of the moment holds."""
    return uuid4().int % 2**30


def _model(report: OutputsReport, pick: str | None) -> str:
    if len(report.models) == 1:
        return storable(next(iter(report.models)))[:MODEL_CHARS]
    names = ", ".join(list(report.models)[:3]) + (" and others" if len(report.models) > 3 else "")
    return storable(names or pick or "")[:MODEL_CHARS]


def _copy(run: Run, spool: Spool, joined: Joined, index: CaseIndex) -> None:
    now = timezone.now()

    def row(position: int, values: list[Any]) -> list[Any]:
        return [run.pk, index.pks[position], position, "done", now, now, 0, *values]

    forget_plans()
    with connection.cursor() as cursor, cursor.copy(COPY_GENERATIONS) as copy:
        for position, values in zip(joined.positions, spool.each_row(), strict=True):
            if position:
                copy.write_row(row(position, values))
        for position in missing_positions(joined, index):
            copy.write_row(row(position, values_of_missing()))
    renew_statistics(len(joined.positions), "evals_case", "evals_generation")


def _give_number(run: Run) -> None:
    """The study's row is held last and shortly: whoever judges needs it too."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    study = Study.objects.select_for_update(no_key=True).get(pk=run.study_id)
    refuse_closed(study)
    refuse_known(study, run.suite, run.system, run.digest, but=run.pk)
    others = Run.objects.filter(study=study).exclude(pk=run.pk)
    run.number = (others.aggregate(last=Max("number"))["last"] or 0) + 1
    run.save(update_fields=["number"])


def refuse_closed(study: Study) -> None:
    if study.state == State.CLOSED:
        raise RefusedError(
            "study_closed", f"Study '{study.slug}' is closed: it takes in no more outputs."
        )


def refuse_known(study: Study, suite: Suite, system: str, digest: str, but: int = 0) -> None:
    same = Run.objects.filter(study=study, suite=suite, system=system, digest=digest)
    run = same.exclude(pk=but).order_by("number").first()
    if run is not None:
        raise RefusedError(
            "already_imported",
            f"The same outputs are the {system}'s run {run.number} on {suite} already. "
            "Nothing was imported a second time.",
        )
