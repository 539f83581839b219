"""manage.py compare: the candidate's run of a suite against the baseline's."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals.comparing import MARGIN, Comparison, compare
from evals.models import Suite
from evals.queries.compared_cases import changed_cases
from evals.queries.runs import RunPair, chosen_pair, latest_pair, suites_run
from evals.reporting.compared_text import comparison_in_words

CHANGED = 20


def confidence(text: str) -> float:
    return _share(text, 0.5, 1.0, "write a share such as 0.95")


def margin(text: str) -> float:
    return _share(text, -1e-9, 1.0, "write a share such as 0.05 for 5 points")


def _share(text: str, low: float, high: float, cure: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = low
    if not low < number < high:
        raise argparse.ArgumentTypeError(f"'{text}': {cure}")
    return number


class Command(StudyCommand):
    help = (
        "Compare the latest runs of both systems on a suite: pass rates by category, wins and "
        "losses, regressions, lengths, latency."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--suite", metavar="NAME", help="NAME or NAME@VERSION")
        parser.add_argument("--baseline", type=int, metavar="RUN", help="number of its run")
        parser.add_argument("--candidate", type=int, metavar="RUN", help="number of its run")
        parser.add_argument("--confidence", type=confidence, default=0.95, metavar="0.95")
        parser.add_argument("--margin", type=margin, default=MARGIN, metavar="0.05")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        pair = _pair(study, options)
        self.found: Comparison = compare(pair, options["confidence"], options["margin"])
        self.lost = changed_cases(pair, "regressions", CHANGED)
        self.won = changed_cases(pair, "improvements", CHANGED)
        return self.found.as_json()

    def in_words(self, answer: dict[str, Any]) -> str:
        return comparison_in_words(self.found, self.lost, self.won)


def _pair(study: Study, options: dict[str, Any]) -> RunPair:
    name, version = _named(study, options["suite"])
    if (options["baseline"] is None) != (options["candidate"] is None):
        raise RefusedCommandError("Name both runs, with --baseline and --candidate, or none.")
    if options["baseline"] is not None:
        return _chosen(study, name, version, options)
    pair = latest_pair(study, name, version)
    if pair is None:
        raise RefusedCommandError(_none(study, name, version))
    return pair


def _named(study: Study, given: str | None) -> tuple[str, int | None]:
    """The suite that is asked for; the one there is where none is named."""
    if given:
        name, at, version = given.partition("@")
        if at and not (version.isascii() and version.isdigit()):
            raise RefusedCommandError(f"'{given}': write NAME or NAME@VERSION.")
        return name, int(version) if at else None
    there = [found.name for found in suites_run(study)]
    if len(there) == 1:
        return there[0], None
    told = f"Name one with --suite: {', '.join(there)}." if there else "Start a run first."
    raise RefusedCommandError(f"This study has runs of {len(there) or 'no'} suites. {told}")


def _chosen(study: Study, name: str, version: int | None, options: dict[str, Any]) -> RunPair:
    numbers = options["baseline"], options["candidate"]
    suites = Suite.objects.filter(name=name).order_by("-version")
    if version is not None:
        suites = suites.filter(version=version)
    for suite in suites:
        if pair := chosen_pair(study, suite, *numbers):
            return pair
    raise RefusedCommandError(
        f"Runs {numbers[0]} and {numbers[1]} are not finished runs of the baseline and of the "
        f"candidate on one version of '{name}'."
    )


def _none(study: Study, name: str, version: int | None) -> str:
    found = next((one for one in suites_run(study) if one.name == name), None)
    if found is None:
        there = [one.name for one in suites_run(study)]
        told = f"Suites with runs: {', '.join(there)}." if there else "It has no runs yet."
        return f"Study '{study.slug}' has no run of the suite '{name}'. {told}"
    if found.lacks:
        return f"No run of the {' and of the '.join(found.lacks)} on '{name}' is finished yet."
    which = f"version {version}" if version is not None else "one version"
    return f"The two systems have not both answered {which} of '{name}'."
