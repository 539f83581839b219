"""manage.py import_suite: files, or a suite that comes with the product, as a suite's version."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import ImportCommand, source_at
from annotate.parsing import Source
from annotate.reports import faults_as_json, storable
from evals.formats import CASE_READERS, SHIPPED, SUITE, Recognised
from evals.suites import (
    SuiteNameError,
    SuiteReport,
    TakenSuite,
    add_shipped,
    check_suite,
    import_suite,
    overlap_of,
    valid_name,
)

FORMATS = (SUITE, *CASE_READERS)
SHIPPED_NAMES = tuple(suite.name for suite in SHIPPED)


def suite_name(text: str) -> str:
    try:
        return valid_name(text)
    except SuiteNameError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


class Command(ImportCommand):
    help = "Import a suite of automated tests, whole or not at all; other content is a new version."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "files",
            type=Path,
            nargs="*",
            metavar="FILE",
            help="a suite; or two files that belong together, such as BFCL questions and answers",
        )
        parser.add_argument(
            "--shipped", choices=SHIPPED_NAMES, help="a suite that comes with the product"
        )
        parser.add_argument("--name", type=suite_name, metavar="N", help="else the file's name")
        parser.add_argument("--title", default="", metavar="T", help="what pages call it")
        parser.add_argument("--format", choices=FORMATS, help="instead of what is recognised")
        parser.add_argument("--check", action="store_true", help="report, write nothing")
        parser.add_argument(
            "--overlaps",
            type=Path,
            metavar="TRAINING_FILE",
            help="tell how many of the suite's prompts stand in a fine-tuning file",
        )
        self._parser = parser

    def answer(self, **options: Any) -> dict[str, Any]:
        shipped, sources = self._asked_for(options)
        if shipped and not options["check"] and not options["name"]:
            taken = add_shipped(shipped)
        else:
            taken = self._take_in(sources, options)
        answer = _answer(taken)
        if taken.report.accepted and options["overlaps"]:
            answer["overlaps"] = _overlaps(sources, options)
        self._tell(taken.report, answer, options)
        return answer

    def _asked_for(self, options: dict[str, Any]) -> tuple[str, list[Source]]:
        """The name of a shipped suite, or none, and the files to read."""
        files, shipped = options["files"], options["shipped"] or ""
        if len(files) == 1 and str(files[0]) in SHIPPED_NAMES and not files[0].exists():
            files, shipped = [], str(files[0])
        if bool(files) == bool(shipped):
            names = ", ".join(SHIPPED_NAMES)
            self._parser.error(f"name a file, or one of the suites that come with it: {names}")
        if shipped:
            return shipped, [one.source for one in SHIPPED if one.name == shipped]
        return "", [source_at(path) for path in files]

    def _take_in(self, sources: list[Source], options: dict[str, Any]) -> TakenSuite:
        progress = self._show_progress if self.stderr.isatty() else None
        if options["check"]:
            report = check_suite(sources, format=options["format"], progress=progress)
            taken = TakenSuite(None, report, is_new=False)
        else:
            taken = import_suite(
                sources,
                name=options["name"] or "",
                title=options["title"],
                format=options["format"],
                progress=progress,
            )
        if progress:
            self.stderr.write("\r\033[K", ending="")
        return taken

    def _show_progress(self, cases: int) -> None:
        """A line that is written over and over, for people at a terminal only."""
        self.stderr.write(f"\rReading: {cases:,} cases", ending="")
        self.stderr.flush()

    def _tell(self, report: SuiteReport, answer: dict[str, Any], options: dict[str, Any]) -> None:
        self.tell_of(report, options)
        if "overlaps" in answer and not options["json"]:
            self.note(_overlaps_in_words(answer["overlaps"]))

    def accepted_in_words(self, answer: dict[str, Any]) -> str:
        read = "".join(f"\n  Read as: {_recognised(one)}" for one in answer["recognised"])
        if answer["suite"] is None:
            return f"{_cases(answer['cases'])} can come in. Nothing was written.{read}"
        called = f"{answer['suite']}, version {answer['version']}"
        if not answer["is_new"]:
            return f"These {_cases(answer['cases'])} are {called} already.{read}"
        return f"Imported {_cases(answer['cases'])} as {called}.{read}"


def _answer(taken: TakenSuite) -> dict[str, Any]:
    report, suite = taken.report, taken.suite
    return {
        "accepted": report.accepted,
        "rows": report.cases,
        "cases": report.cases if report.accepted else 0,
        "suite": suite.name if suite else None,
        "version": suite.version if suite else None,
        "is_new": taken.is_new,
        "digest": report.digest if report.accepted else None,
        "format": report.format,
        "recognised": [_recognised_data(one) for one in report.recognised],
        "categories": {storable(name): count for name, count in report.categories.items()},
        "splits": report.splits,
        "errors": faults_as_json(report.errors),
        "warnings": faults_as_json(report.warnings),
    }


def _recognised_data(found: Recognised) -> dict[str, Any]:
    return {
        "format": found.format,
        "words": found.words,
        "layout": found.layout,
        "sure": found.sure,
        "alternatives": list(found.alternatives),
    }


def _recognised(found: dict[str, Any]) -> str:
    if not found["alternatives"]:
        return str(found["words"])
    other = " or ".join(found["alternatives"])
    return f"{found['words']}. It may be {other} instead: choose with --format"


def _overlaps(sources: Sequence[Source], options: dict[str, Any]) -> dict[str, Any]:
    found = overlap_of(sources, source_at(options["overlaps"]), format=options["format"])
    return {
        "file": storable(options["overlaps"].name),
        "cases": found.cases,
        "of": found.of,
        "examples": found.examples,
        "unread": found.unread,
        "ids": [storable(one) for one in found.ids],
    }


def _overlaps_in_words(found: dict[str, Any]) -> str:
    told = f"{found['cases']:,} of {found['of']:,} prompts stand word for word in {found['file']}"
    compared = f"{found['examples']:,} examples compared, {found['unread']:,} faults"
    if not found["cases"]:
        return f"Overlap: {told} ({compared})."
    return (
        f"Warning: {told} ({compared}), first {', '.join(found['ids'])}. A model trained on them "
        "is asked what it was taught: leave them out, or keep them apart as a category."
    )


def _cases(count: int) -> str:
    return "1 case" if count == 1 else f"{count:,} cases"
