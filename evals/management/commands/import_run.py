"""manage.py import_run: outputs that exist already, as the run of a system, without a call."""

import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import (
    ImportCommand,
    RefusedCommandError,
    StudyCommand,
    source_at,
    study_named,
)
from annotate.intake import RefusedError
from annotate.models import Study
from annotate.reports import storable
from evals.formats import ScorerSpec
from evals.importing import (
    JOINS,
    Files,
    OutputsReport,
    Reading,
    TakenOutputs,
    check_systems,
    import_systems,
)
from evals.metrics import ParameterError
from evals.models import Suite
from evals.scoring import spec_of
from evals.suites import NoSuiteError, suite_named

SYSTEMS = ("baseline", "candidate")


def scorer(text: str) -> ScorerSpec:
    """NAME, or NAME:{"parameter": value}."""
    name, _, parameters = text.partition(":")
    try:
        return spec_of(name, parameters)
    except ParameterError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError(f"'{text}': write a whole number from 1 on")
    return int(text)


class Command(ImportCommand, StudyCommand):
    help = "Import outputs that exist already as a run that is done, whole or not at all."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", type=Path, metavar="FILE", help="outputs of another tool")
        parser.add_argument(
            "file2", type=Path, nargs="?", metavar="FILE2",
            help="what belongs to it: requests or errors of an OpenAI Batch, MT-bench questions",
        )  # fmt: skip
        parser.add_argument("--system", choices=SYSTEMS, help="whose outputs these are")
        parser.add_argument("--pick", metavar="NAME", help="which system or filter of the file")
        parser.add_argument("--baseline", metavar="NAME", help="what the file calls the baseline")
        parser.add_argument("--candidate", metavar="NAME", help="what it calls the candidate")
        parser.add_argument(
            "--suite", metavar="X", help="the suite that was answered; else one is found or made"
        )
        parser.add_argument("--join", choices=JOINS, default="auto", help="by id or by prompt")
        parser.add_argument(
            "--sample", type=positive, default=1, metavar="1", help="which answer to each case"
        )
        parser.add_argument("--suite-name", default="", metavar="N", help="of a suite it makes")
        parser.add_argument(
            "--scorer", type=scorer, metavar="NAME[:JSON]", help="of a suite it makes"
        )
        parser.add_argument("--check", action="store_true", help="report, write nothing")
        self._parser = parser

    def answer(self, **options: Any) -> dict[str, Any]:
        picks = self._picks(options)
        study = study_named(options["study"])
        files = Files(
            [source_at(path) for path in (options["file"], options["file2"]) if path],
            _suite(options["suite"]),
            Reading(
                sample=options["sample"],
                join=options["join"],
                suite_name=options["suite_name"],
                scorer=options["scorer"],
            ),
        )
        try:
            taken = _take_in(study, files, picks, check=options["check"])
        except RefusedError as error:
            report = OutputsReport()
            report.refuse(error.code, str(error))
            taken = [TakenOutputs(None, report)]
        self._tell(taken, options)
        return _answer(taken, list(picks))

    def _picks(self, options: dict[str, Any]) -> dict[str, str | None]:
        """What the file calls each system that is wanted of it; None where it has only one."""
        named = {system: options[system] for system in SYSTEMS if options[system] is not None}
        if named and (options["system"] or options["pick"] is not None):
            self._parser.error("write --baseline and --candidate, or --system with --pick")
        if not named and not options["system"]:
            self._parser.error("write --system baseline or --system candidate")
        return named or {options["system"]: options["pick"]}

    def _tell(self, taken: list[TakenOutputs], options: dict[str, Any]) -> None:
        for one in taken:
            self.tell_of(one.report, options)

    def accepted_in_words(self, answer: dict[str, Any]) -> str:
        read = [f"  Read as: {words}" for words in answer["recognised"]]
        return "\n".join([*(_in_words(one) for one in answer["runs"]), *read])


def _suite(name: str | None) -> Suite | None:
    try:
        return suite_named(name) if name else None
    except NoSuiteError as error:
        raise RefusedCommandError(str(error)) from error


def _take_in(
    study: Study, files: Files, picks: dict[str, str | None], *, check: bool
) -> list[TakenOutputs]:
    if check:
        return [TakenOutputs(None, report) for report in check_systems(study, files, picks)]
    return import_systems(study, files, picks)


def _answer(taken: list[TakenOutputs], systems: list[str]) -> dict[str, Any]:
    """As import_batch answers, with the run; `runs` has one entry for each system."""
    reports = [one.report.as_data() for one in taken]
    accepted = all(one["accepted"] for one in reports)
    runs = [_of_run(one, system) for one, system in zip(taken, systems, strict=False)]
    return {
        "accepted": accepted,
        "rows": sum(one["records"] for one in reports),
        "items": sum(one["matched"] for one in reports) if accepted else 0,
        "run": taken[0].run.number if taken[0].run else None,
        "format": reports[0]["format"],
        "columns": {},
        "recognised": [words for _, words in reports[0]["recognised"]],
        "systems": dict(reports[0]["systems"]),
        "runs": runs if accepted else [],
        "errors": [error for one in reports for error in one["errors"]],
        "warnings": [warning for one in reports for warning in one["warnings"]],
    }


def _of_run(taken: TakenOutputs, system: str) -> dict[str, Any]:
    report, scores = taken.report, taken.scores
    return {
        "run": taken.run.number if taken.run else None,
        "system": system,
        "suite": storable(report.suite),
        "suite_is_new": report.suite_is_new,
        "joined_by": report.joined_by,
        "cases": report.cases,
        "matched": report.matched,
        "missing": report.missing,
        "unmatched": report.unmatched,
        "failed": report.failed,
        "scored": scores.scored,
        "passed": scores.passed,
        "unscored": scores.unscored,
    }


def _in_words(one: dict[str, Any]) -> str:
    made = "a suite made of the file" if one["suite_is_new"] else f"the suite {one['suite']}"
    told = f"{one['matched']:,} of {one['cases']:,} cases of {made} have an output"
    if one["run"] is None:
        return f"{told}. Nothing was written."
    return (
        f"Imported as run {one['run']} of the {one['system']}: {told}. "
        f"{one['scored']:,} scored, {one['passed']:,} passed, {one['unscored']:,} without a score."
    )
