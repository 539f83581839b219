"""What all commands share: one answer as JSON or in words, refusals in one line, exit codes.

0 done, 1 refused or could not run, 2 wrong use (argparse's own), and what a command adds.
"""

import codecs
import json
import os
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, Protocol

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from annotate.models import Study
from annotate.parsing import Fault, Source
from annotate.reports import storable


class FileReport(Protocol):
    """What was found in a file; only the first of many errors are listed."""

    @property
    def errors(self) -> Sequence[Fault]: ...

    @property
    def error_count(self) -> int: ...

    @property
    def warnings(self) -> Sequence[Fault]: ...


class RefusedCommandError(Exception):
    """An expected failure; its message is the one line that people see."""


def written(write: Callable[[], None]) -> bool:
    """Whether stdout took all of it; a reader who has had enough is no failure of ours.

    Raises
    ------
    RefusedCommandError
        If it cannot be written, as when the disk is full.
    """
    try:
        write()
        sys.stdout.flush()
    except OSError as error:
        # Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):
            return False
        raise RefusedCommandError(f"The answer cannot be written: {error.strerror}.") from error
    return True


class OneLineCommand(BaseCommand, ABC):
    """A command whose expected failures are one line on stderr and exit code 1."""

    requires_system_checks: list[str] = []

    @abstractmethod
    def act(self, **options: Any) -> int:
        """Do it; the answer is the exit code."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prepare_database()
            code = self.act(**options)
        except RefusedCommandError as error:
            self._refuse(str(error))
        if code:
            sys.exit(code)

    def _refuse(self, line: str) -> NoReturn:
        self.stderr.write(line)
        sys.exit(1)

    def note(self, line: str) -> None:
        """Progress and warnings, which go to stderr."""
        self.stderr.write(line)


class JsonCommand(OneLineCommand):
    """A command that gives one answer: exactly one JSON document with --json, else words."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer with one JSON document")

    @abstractmethod
    def answer(self, **options: Any) -> dict[str, Any]:
        """Do it, and say what came of it."""

    @abstractmethod
    def in_words(self, answer: dict[str, Any]) -> str:
        """The answer for people."""

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0

    def act(self, **options: Any) -> int:
        answer = self.answer(**options)
        text = self._as_json(answer) if options["json"] else self.in_words(answer)
        written(lambda: self.stdout.write(text))
        return self.exit_code(answer)

    def _as_json(self, answer: dict[str, Any]) -> str:
        # JSON is UTF-8 wherever the terminal is not: there it is written with ASCII alone.
        encoding = getattr(self.stdout, "encoding", None) or "utf-8"
        narrow = codecs.lookup(encoding).name != "utf-8"
        return json.dumps(answer, ensure_ascii=narrow, allow_nan=False)


class ImportCommand(JsonCommand):
    """A command that takes a file in, whole or not at all; its answer says if it was `accepted`."""

    def tell_of(self, report: FileReport, options: dict[str, Any]) -> None:
        """That it is refused, in one line; else its warnings, for people."""
        if report.error_count:
            self.note(_refusal(report))
        elif not options["json"]:
            for warning in report.warnings:
                self.note(f"Warning: {storable(warning.message)}")

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if answer["accepted"] else 1

    def in_words(self, answer: dict[str, Any]) -> str:
        if not answer["accepted"]:
            return "\n".join(error["message"] for error in answer["errors"])
        return self.accepted_in_words(answer)

    @abstractmethod
    def accepted_in_words(self, answer: dict[str, Any]) -> str:
        """What came in, or would."""


def _refusal(report: FileReport) -> str:
    listed, count = len(report.errors), report.error_count
    if count == 1:
        return f"Refused, nothing was imported. {storable(report.errors[0].message)}"
    more = f", the first {listed} are listed" if count > listed else ""
    return f"Refused, nothing was imported: {count:,} errors{more}."


class StudyCommand(JsonCommand):
    """A command about one study, named by its slug."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("study", metavar="STUDY", help="the study's slug")


def source_at(path: Path) -> Source:
    """The file at a path, or a refusal that says why it cannot be read."""
    try:
        size = path.stat().st_size
        path.open("rb").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise RefusedCommandError(f"{storable(str(path))} cannot be read: {reason}.") from error
    return Source(name=storable(path.name), size=size, open=lambda: path.open("rb"))


def study_named(slug: str) -> Study:
    """The study, or a refusal that names those there are."""
    study = Study.objects.filter(slug=slug).first()
    if study is not None:
        return study
    slugs = list(Study.objects.order_by("slug").values_list("slug", flat=True)[:20])
    there_are = f"Studies: {', '.join(slugs)}." if slugs else "There is no study yet."
    raise RefusedCommandError(f"No study is called '{slug}'. {there_are}")


def prepare_database() -> None:
    """Make the tables where there are none yet; refuse a database of another version.

    The embedded database belongs to this checkout and is brought up to date; a database
    named by DATABASE_URL may serve others, and is only filled when it is empty.
    """
    applied, missing = _migrations()
    if not missing:
        return
    if applied and not connection.settings_dict.get("EMBEDDED_DATA"):
        raise RefusedCommandError(
            f"The database lacks {missing} migrations. Run: manage.py migrate"
        )
    with connection.cursor() as cursor:
        # Two commands at once: the second waits, and finds nothing left to do.
        cursor.execute("SELECT pg_advisory_lock(hashtext('touchstone migrate'))")
        try:
            call_command("migrate", verbosity=0, interactive=False)
        finally:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('touchstone migrate'))")


def _migrations() -> tuple[int, int]:
    """How many migrations the database has, and how many it lacks."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return len(executor.loader.applied_migrations), len(missing)
