"""manage.py evaluate: suites are put to both systems, scored, compared and weighed."""

import io
from collections.abc import Sequence
from typing import Any

from django.core.management import call_command
from django.core.management.base import CommandError, CommandParser

from annotate.commanding import JsonCommand, RefusedCommandError, study_named
from annotate.demo.content import load_study
from annotate.models import Study
from evals.deciding import policy_in_force
from evals.evaluating import (
    Endpoints,
    Evaluated,
    InterruptedEvaluationError,
    Judged,
    Limits,
    NoEndpointError,
    RefusedEvaluationError,
    endpoints_for,
    evaluate,
    has_answers,
    judge_endpoint,
    judge_pair,
    speaks,
)
from evals.management.arguments import at_least_one, money
from evals.management.verdicts import (
    EXIT_CODES,
    add_files,
    verdict_answer,
    verdict_in_words,
    weighed,
    write_files,
)
from evals.management.watching import ProgressLine, stopping
from evals.models import Endpoint, Suite
from evals.pairing import PairingError, batch_from_runs
from evals.queries.compared_cases import changed_cases
from evals.reporting.compared_text import comparison_in_words
from evals.stats import wording
from evals.stats.estimates import Estimate, Undefined
from evals.suites import NoSuiteError, suite_named

CHANGED = 20


class Command(JsonCommand):
    help = (
        "Put suites to both systems, score and compare the answers, and weigh the evidence: "
        "exit 0 for GO, 3 for NO-GO, 4 for NOT YET. What was done before is not done again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("study", metavar="STUDY", nargs="?", help="the study's slug")
        parser.add_argument("--demo", action="store_true",
                            help="the demo study, loaded if there is no study yet")  # fmt: skip
        parser.add_argument("--suite", action="append", required=True, metavar="X",
                            help="NAME or NAME@VERSION; repeatable")  # fmt: skip
        parser.add_argument("--baseline", default="", metavar="ENDPOINT")
        parser.add_argument("--candidate", default="", metavar="ENDPOINT")
        parser.add_argument("--stand-in", action="store_true",
                            help="ask the built-in stand-ins, which are no models")  # fmt: skip
        parser.add_argument("--call-limit", type=at_least_one, metavar="N", help="for each run")
        parser.add_argument("--cost-limit", type=money, metavar="AMOUNT", help="for each run")
        parser.add_argument("--fresh", action="store_true", help="ask again what was answered")
        parser.add_argument("--judge", nargs="?", const="", metavar="ENDPOINT",
                            help="also let a model compare them; it feeds no gate")  # fmt: skip
        parser.add_argument("--batch", action="store_true",
                            help="also hand the answers to people, to be judged blind")  # fmt: skip
        add_files(parser)

    def answer(self, **options: Any) -> dict[str, Any]:
        study = self._study(options)
        try:
            suites = list(dict.fromkeys(suite_named(name) for name in options["suite"]))
            endpoints = _endpoints(study, suites, options)
            judge = _judge(options)
            self.done = self._evaluate(study, suites, endpoints, options)
            self.judged = self._judged(judge, options) if judge else []
        except (NoSuiteError, NoEndpointError, RefusedEvaluationError) as error:
            raise RefusedCommandError(str(error)) from error
        except InterruptedEvaluationError as error:
            raise RefusedCommandError(str(error)) from error
        batches = self._batches() if options["batch"] else []
        self.told = weighed(study)
        write_files(self.told, options)
        suites_said = [_as_json(one) for one in self.done]
        extra: dict[str, Any] = {"batches": batches} if options["batch"] else {}
        if judge:
            extra["judged"] = [one.as_json() for one in self.judged]
        return {**verdict_answer(self.told), "suites": suites_said, **extra}

    def _study(self, options: dict[str, Any]) -> Study:
        if options["demo"] == bool(options["study"]):
            raise CommandError("Name a study, or write --demo for the demo study.", returncode=2)
        if not options["demo"]:
            return study_named(options["study"])
        if not Study.objects.exists():
            self.note("Loading the demo study.")
            call_command("load_demo", stdout=io.StringIO())
        return study_named(load_study()["slug"])

    def _evaluate(
        self,
        study: Study,
        suites: Sequence[Suite],
        endpoints: Endpoints | None,
        options: dict[str, Any],
    ) -> list[Evaluated]:
        policy = policy_in_force(study)
        line, done = ProgressLine(self.stderr), []
        with stopping(self.stderr) as stop:
            for one in evaluate(
                study,
                suites,
                endpoints,
                confidence=policy.confidence,
                margin=max(0.0, -policy.gate("general_regression").threshold),
                limits=Limits(options["call_limit"], options["cost_limit"]),
                fresh=options["fresh"],
                say=self.note,
                watch=line,
                should_stop=stop,
            ):
                line.clear()
                self._tell(study, one)
                done.append(one)
        return done

    def _judged(self, judge: Endpoint, options: dict[str, Any]) -> list[Judged]:
        line, limits = ProgressLine(self.stderr), Limits(options["call_limit"],
                                                         options["cost_limit"])  # fmt: skip
        pairs = [one.comparison.pair for one in self.done if one.comparison]
        with stopping(self.stderr) as stop:
            found = [
                judge_pair(pair, judge, limits=limits, watch=line, should_stop=stop)
                for pair in pairs
            ]
        line.clear()
        return found

    def _tell(self, study: Study, one: Evaluated) -> None:
        for trouble in one.trouble:
            self.note(f"Warning: {trouble}")
        if one.comparison is not None and not speaks(study, one.comparison.pair):
            self.note(f"Warning: gates go by other runs of {one.suite.name} than these.")

    def _batches(self) -> list[dict[str, Any]]:
        made = []
        for one in self.done:
            if one.comparison is None:
                continue
            try:
                batch = batch_from_runs(*one.comparison.pair.runs)
            except PairingError as error:
                raise RefusedCommandError(str(error)) from error
            made.append({"batch": batch.pk, "number": batch.number, "name": batch.name,
                         "items": batch.item_count})  # fmt: skip
        return made

    def in_words(self, answer: dict[str, Any]) -> str:
        parts = [_in_words(one) for one in self.done]
        parts += [_judge_in_words(one) for one in self.judged]
        parts += [
            f"Batch {batch['number']} ({batch['name']}): {batch['items']:,} items to be judged "
            "blind."
            for batch in answer.get("batches", ())
        ]
        return "\n\n".join([*parts, verdict_in_words(self.told)])

    def exit_code(self, answer: dict[str, Any]) -> int:
        return EXIT_CODES[answer["verdict"]]


def _endpoints(study: Study, suites: Sequence[Suite], options: dict[str, Any]) -> Endpoints | None:
    """Who is asked; None where nobody need be, since both systems have answered elsewhere."""
    named = bool(options["baseline"] or options["candidate"])
    if named and options["stand_in"]:
        raise CommandError("Name endpoints, or write --stand-in, not both.", returncode=2)
    try:
        return endpoints_for(
            study, options["baseline"], options["candidate"], stand_in=options["stand_in"]
        )
    except NoEndpointError:
        if named or options["fresh"] or not all(has_answers(study, suite) for suite in suites):
            raise
        return None


def _judge(options: dict[str, Any]) -> Endpoint | None:
    if options["judge"] is None:
        return None
    return judge_endpoint(options["judge"], stand_in=options["stand_in"])


def _judge_in_words(one: Judged) -> str:
    head = f"Judged by {one.run.model} (run {one.run.number})"
    if one.counts is None:
        return f"{head}: {one.run.get_state_display().lower()}, so nothing is said. " + (
            one.run.stop_reason
        )
    counts = one.counts
    return (
        f"{head}: {counts.wins:,} for the candidate, {counts.ties:,} ties, {counts.losses:,} for "
        f"the baseline, {counts.unscored:,} without a verdict.\n"
        f"  Of what was decided the candidate won {_rate(counts.decided_win_rate())}.\n"
        f"  The judge changed sides with the order in {_rate(counts.inconsistency())}; those are "
        "ties.\n  It feeds no gate: the page Metrics says how far it agrees with people."
    )


def _rate(found: Estimate | Undefined) -> str:
    if isinstance(found, Undefined):
        return f"an unknown share ({found.reason})"
    return wording.estimate(found, "share", "pairs")


def _as_json(one: Evaluated) -> dict[str, Any]:
    return {
        "suite": f"{one.suite.name}@{one.suite.version}",
        "runs": {run.system: run.number for run in one.runs},
        "how": one.how,
        "trouble": list(one.trouble),
        "comparison": one.comparison.as_json() if one.comparison else None,
    }


def _in_words(one: Evaluated) -> str:
    if one.comparison is None:
        return f"{one.suite.name}@{one.suite.version}: no comparison. {' '.join(one.trouble)}"
    pair = one.comparison.pair
    lost = changed_cases(pair, "regressions", CHANGED)
    won = changed_cases(pair, "improvements", CHANGED)
    return comparison_in_words(one.comparison, lost, won)
