"""Taking suites in: from files, from what other files hold, and those that come with the product.

A version never changes: other content under the same name is the next one, the same content is
the version that there is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from annotate.models import User
from annotate.parsing import Source
from annotate.reports import faults_as_json
from evals.formats import CaseRecord, shipped_suite
from evals.models import Suite
from evals.suites.naming import name_from, valid_name
from evals.suites.reading import Progress, SuiteDigest, SuiteReading, SuiteReport
from evals.suites.storing import Spool, store


@dataclass(frozen=True, slots=True)
class TakenSuite:
    """What became of some files: their suite, or none where the report names errors.

    `is_new` is False where a version of that name holds the same cases already.
    """

    suite: Suite | None
    report: SuiteReport
    is_new: bool


def check_suite(
    sources: Sequence[Source], *, format: str | None = None, progress: Progress | None = None
) -> SuiteReport:
    """Read the files to their end and say what they hold and what is wrong; write nothing."""
    reading = SuiteReading(sources, format=format, progress=progress)
    digest = SuiteDigest()
    for case in reading:
        digest.add(case)
    reading.report.digest = digest.text
    return reading.report


def import_suite(
    sources: Sequence[Source],
    *,
    name: str = "",
    title: str = "",
    format: str | None = None,
    imported_by: User | None = None,
    progress: Progress | None = None,
) -> TakenSuite:
    """Take the files in as a version of the suite `name`, whole or not at all.

    Without a name it is called after its file. `format` overrides what was recognised.

    Raises
    ------
    SuiteNameError
        If no suite can be called `name`.
    """
    if name:
        valid_name(name)
    reading = SuiteReading(sources, format=format, progress=progress)
    with Spool() as spool:
        spool.fill(reading)
        report = reading.report
        report.digest = spool.digest
        if not report.accepted:
            return TakenSuite(None, report, is_new=False)
        suite, is_new = store(
            spool,
            name=name or name_from(sources, report.recognised),
            title=title,
            format=report.format,
            file_names=[source.name for source in sources],
            warnings=faults_as_json(report.warnings),
            imported_by=imported_by,
        )
    return TakenSuite(suite, report, is_new)


def make_suite_of(
    records: Iterable[CaseRecord],
    name: str,
    title: str = "",
    format: str = "",
    file_names: Sequence[str] = (),
    imported_by: User | None = None,
) -> Suite:
    """The version of `name` that holds exactly these cases, made where there is none yet.

    Raises
    ------
    SuiteNameError
        If no suite can be called `name`.
    ValueError
        If there are no cases.
    """
    valid_name(name)
    with Spool() as spool:
        spool.fill(records)
        if not spool.count:
            raise ValueError("A suite needs at least one case.")
        suite, _ = store(
            spool,
            name=name,
            title=title,
            format=format,
            file_names=file_names,
            imported_by=imported_by,
        )
    return suite


def add_shipped(name: str, imported_by: User | None = None) -> TakenSuite:
    """Take in a suite that comes with the product. Raises KeyError for a name that none has."""
    shipped = shipped_suite(name)
    return import_suite(
        [shipped.source], name=shipped.name, title=shipped.title, imported_by=imported_by
    )
