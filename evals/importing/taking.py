"""Outputs that exist already become runs: all of a file or nothing, and without a call."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID, uuid4

from django.db import transaction

from annotate.models import Study, User
from annotate.parsing import Source
from annotate.parsing.faults import LINES_NAMED
from evals.importing.finding import TakenNameError, name_for, suite_of_outputs
from evals.importing.joining import CaseIndex, Joined, check_join, first_ids, join
from evals.importing.joining import missing_positions as missing
from evals.importing.remarks import add_remarks
from evals.importing.report import OutputsReport, Reading
from evals.importing.spooling import Progress, Spool, spool_outputs
from evals.importing.storing import (
    Origin,
    refuse_closed,
    refuse_known,
    store_run,
)
from evals.models import Run, Suite
from evals.scoring import ScoreCounts, score_run
from evals.suites import SuiteNameError, make_suite_of

MADE_OF_FILE = "file"


@dataclass(frozen=True, slots=True)
class Files:
    """Files, the suite that they answer (None: found, or made of them), and how to read them."""

    sources: Sequence[Source]
    suite: Suite | None = None
    reading: Reading = field(default_factory=Reading)
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class TakenOutputs:
    """What became of some files: their run, or none where the report names errors."""

    run: Run | None
    report: OutputsReport
    scores: ScoreCounts = field(default_factory=ScoreCounts)


class _FaultyError(Exception):
    """Rolls an import back."""


def check_outputs(
    study: Study,
    sources: Sequence[Source],
    *,
    system: str,
    suite: Suite | None = None,
    reading: Reading | None = None,
    progress: Progress | None = None,
) -> OutputsReport:
    """Read the files to their end, say what would come in and what is wrong; write nothing.

    Without a suite the outputs join the one that others of the study with the same prompts are
    in, or one that would be made of the file.

    Raises
    ------
    RefusedError
        If the files are in order, and the study would not take them in all the same.
    """
    return _check(study, Files(sources, suite, reading or Reading(), progress), system)


def import_outputs(
    study: Study,
    sources: Sequence[Source],
    *,
    system: str,
    suite: Suite | None = None,
    reading: Reading | None = None,
    pair: UUID | None = None,
    imported_by: User | None = None,
    progress: Progress | None = None,
) -> TakenOutputs:
    """Take the files in as a run of `system` that is done, whole or not at all, and score it.

    `pair` is that of a run of the other system, if the two belong together.

    Raises
    ------
    RefusedError
        If the study is closed, or has the same outputs of the same system already.
    """
    files = Files(sources, suite, reading or Reading(), progress)
    origin = Origin(study, system, sources, files.reading.pick, pair, imported_by)
    return _scored(_import(origin, files))


def check_systems(
    study: Study, files: Files, picks: Mapping[str, str | None]
) -> list[OutputsReport]:
    """`check_outputs` for each system of `picks`, which says what it is called in the file."""
    return [_check(study, _picked(files, pick), system) for system, pick in picks.items()]


def import_systems(
    study: Study,
    files: Files,
    picks: Mapping[str, str | None],
    *,
    imported_by: User | None = None,
    scoring: bool = True,
) -> list[TakenOutputs]:
    """`import_outputs` for each system of `picks`, all or none; two are a pair.

    Inside a transaction of the caller's, `scoring` is better left until that has ended.
    """
    taken: list[TakenOutputs] = []
    pair = uuid4()
    try:
        with transaction.atomic():
            for system, pick in picks.items():
                origin = Origin(study, system, files.sources, pick, pair, imported_by)
                taken.append(_import(origin, _picked(files, pick)))
                run = taken[-1].run
                if run is None:
                    raise _FaultyError
                # Both answer the same suite, also where it was made of the first.
                files = replace(files, suite=run.suite)
    except _FaultyError:
        return [TakenOutputs(None, one.report) for one in taken]
    return [_scored(one) for one in taken] if scoring else taken


def _check(study: Study, files: Files, system: str) -> OutputsReport:
    spool, report, suite = _read(study, files)
    if report.error_count:
        return report
    if suite is None:
        _name_new_suite(spool, files, report)
    else:
        _join(spool, CaseIndex(suite), suite, files, report)
        if report.accepted:
            refuse_known(study, suite, system, report.digest)
    if report.accepted:
        refuse_closed(study)
    return report


def _import(origin: Origin, files: Files) -> TakenOutputs:
    spool, report, suite = _read(origin.study, files)
    if report.error_count:
        return TakenOutputs(None, report)
    try:
        with transaction.atomic():
            return TakenOutputs(_take(origin, spool, suite, files, report), report)
    except _FaultyError:
        return TakenOutputs(None, report)


def _scored(taken: TakenOutputs) -> TakenOutputs:
    """Scoring may take long, and is done again where it breaks off: no part of the import."""
    if taken.run is None:
        return taken
    return replace(taken, scores=score_run(taken.run))


def _picked(files: Files, pick: str | None) -> Files:
    return replace(files, reading=replace(files.reading, pick=pick))


def _read(study: Study, files: Files) -> tuple[Spool, OutputsReport, Suite | None]:
    """What the files hold, and the suite it joins, or None if one is to be made."""
    how, suite = files.reading, files.suite
    spool, report = spool_outputs(
        files.sources, how, with_cases=suite is None, progress=files.progress
    )
    report.digest = digest_of(files.sources, how)
    if suite is None and not how.suite_name and not report.error_count:
        suite = suite_of_outputs(study, spool)
    if suite is not None:
        report.suite = f"{suite.name}@{suite.version}"
    return spool, report, suite


def digest_of(sources: Sequence[Source], how: Reading) -> str:
    """SHA-256 of the files' bytes, and of what was picked from them."""
    digest = hashlib.sha256()
    for source in sources:
        of_file = hashlib.sha256()
        with source.open() as stream:
            while piece := stream.read(2**20):
                of_file.update(piece)
        digest.update(of_file.digest())
    digest.update(json.dumps([how.pick, how.sample]).encode())
    return digest.hexdigest()


def _take(
    origin: Origin, spool: Spool, suite: Suite | None, files: Files, report: OutputsReport
) -> Run:
    made = suite is None
    if suite is None:
        name = _name_new_suite(spool, files, report)
        if not report.accepted:
            raise _FaultyError
        suite = make_suite_of(
            spool.each_case(),
            name,
            format=report.format,
            file_names=[source.name for source in files.sources],
            imported_by=origin.imported_by,
        )
        report.suite = f"{suite.name}@{suite.version}"
    index = CaseIndex(suite)
    joined = _join(spool, index, suite, files, report)
    if made:
        report.joined_by = MADE_OF_FILE
    if not report.accepted:
        raise _FaultyError
    return store_run(origin, suite, spool, joined, index, report)


def _join(
    spool: Spool, index: CaseIndex, suite: Suite, files: Files, report: OutputsReport
) -> Joined:
    joined = join(spool, index, files.reading.join)
    check_join(joined, spool, index, report)
    report.first_missing = first_ids(suite, missing(joined, index))
    add_remarks(report, joined, suite)
    return joined


def _name_new_suite(spool: Spool, files: Files, report: OutputsReport) -> str:
    """What the suite of these outputs will be called; the report tells why there can be none."""
    if spool.without_prompt:
        _refuse_without_prompts(spool, report)
        return ""
    try:
        name, report.suite_is_new = name_for(
            spool, files.sources, report.recognised, files.reading.suite_name
        )
    except (TakenNameError, SuiteNameError) as error:
        report.refuse("bad_name", str(error))
        return ""
    report.suite, report.joined_by = name, MADE_OF_FILE
    report.cases = report.matched = len(spool)
    return name


def _refuse_without_prompts(spool: Spool, report: OutputsReport) -> None:
    lines, count = spool.without_prompt[:LINES_NAMED], len(spool.without_prompt)
    named = ", ".join(str(line) for line in lines)
    more = f" and {count - len(lines):,} more" if count > len(lines) else ""
    text = (
        f"Line{'s' if count > 1 else ''} {named}{more}: the file does not say what was asked, so "
        "no suite can be made of it. Choose the suite that was answered, or add the file that has "
        "the prompts: the requests of an OpenAI Batch, the questions of MT-bench."
    )
    report.refuse("prompt_missing", text, lines[0])
