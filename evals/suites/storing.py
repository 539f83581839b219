"""Cases on their way into the database: counted on disk, then written whole as one version."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Self

from django.db import IntegrityError, connection, transaction
from django.db.models import Max

from annotate.intake import NO_TIMEOUTS
from annotate.models import User
from annotate.reports import NAME_CHARS, short_name, storable
from config.postgresql.bulk import renew_statistics
from evals.formats import CaseRecord
from evals.models import Suite
from evals.suites.naming import title_of, valid_name
from evals.suites.reading import SuiteDigest

COPY_CASES = """
COPY evals_case (suite_id, position, case_id, messages, tools, expected, category, split, scorer,
                 metadata) FROM STDIN
"""
IN_MEMORY_BYTES = 4 * 2**20
FORMAT_CHARS = 40
# Whoever loses a race lost it to a version that is there now: so many come never at once.
MOST_RACES = 100
VERSION_TAKEN = ("suite_version_once", "suite_content_once")


class Spool:
    """The cases of one suite, kept on disk until their digest is known: memory stays flat."""

    def __init__(self) -> None:
        # Nameless: gone when it is closed, or with its process.
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115
        self._digest = SuiteDigest()
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fill(self, cases: Iterable[CaseRecord]) -> None:
        for case in cases:
            self._file.write(self._digest.add(case))
            self.count += 1

    @property
    def digest(self) -> str:
        return self._digest.text

    def rows(self) -> Iterator[dict[str, Any]]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)


def store(
    spool: Spool,
    *,
    name: str,
    title: str,
    format: str,
    file_names: Sequence[str],
    warnings: Sequence[dict[str, Any]] = (),
    imported_by: User | None = None,
) -> tuple[Suite, bool]:
    """The version of `name` that holds these cases, and whether it is new.

    What decides are the unique constraints on (name, digest) and (name, version). Somebody else
    who writes at the same time makes this wait, then fail, then look again.
    """
    valid_name(name)
    for _ in range(MOST_RACES):
        known = Suite.objects.filter(name=name, digest=spool.digest).first()
        if known is not None:
            return known, False
        last = Suite.objects.filter(name=name).aggregate(last=Max("version"))["last"] or 0
        suite = Suite(
            name=name,
            version=last + 1,
            title=storable(title)[:NAME_CHARS] or title_of(name),
            digest=spool.digest,
            format=format[:FORMAT_CHARS],
            file_names=[short_name(one) for one in file_names],
            case_count=spool.count,
            warnings=list(warnings),
            imported_by=imported_by,
        )
        try:
            return _written(suite, spool), True
        except IntegrityError as error:
            if _constraint(error) not in VERSION_TAKEN:
                raise
    raise RuntimeError(f"The suite {name} was changed {MOST_RACES} times while this one waited.")


def _written(suite: Suite, spool: Spool) -> Suite:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(NO_TIMEOUTS)
        suite.save(force_insert=True)
        _copy_cases(suite, spool)
    renew_statistics(spool.count, "evals_case")
    return suite


def _constraint(error: IntegrityError) -> str | None:
    diagnosis = getattr(error.__cause__, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def _copy_cases(suite: Suite, spool: Spool) -> None:
    number = suite.pk
    with connection.cursor() as cursor, cursor.copy(COPY_CASES) as copy:
        for position, case in enumerate(spool.rows(), start=1):
            scorer = case["scorer"]
            copy.write_row(
                (
                    number,
                    position,
                    case["id"],
                    _json(case["messages"]),
                    _json(case["tools"]),
                    _json(case["expected"]),
                    case["category"],
                    case["split"],
                    None if scorer is None else _json(scorer),
                    _json(case["metadata"]),
                )
            )


_json = json.JSONEncoder(ensure_ascii=False).encode
