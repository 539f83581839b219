"""manage.py run_suite: put a suite to one system or to both, and wait for the answers."""

from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser
from django.urls import reverse

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals.endpoints import ensure_stand_ins
from evals.evaluating import NoEndpointError, named_endpoint
from evals.management.arguments import at_least_one, money
from evals.management.watching import ProgressLine, stopping
from evals.models import Endpoint, Run
from evals.reporting.run_report import run_report, run_report_in_words
from evals.running import RefusedRunError, resumable, resume_runs, start_runs, work_on
from evals.suites import NoSuiteError, suite_named

SYSTEMS = ("baseline", "candidate")


class Command(StudyCommand):
    help = "Put a suite to the systems of a study, and wait until every case is answered."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("suite", nargs="?", metavar="SUITE", help="its name, or NAME@VERSION")
        for system in SYSTEMS:
            parser.add_argument(
                f"--{system}", metavar="ENDPOINT", help=f"the endpoint that answers as {system}"
            )
        parser.add_argument(
            "--stand-in", action="store_true", help="ask the built-in stand-ins, no service"
        )
        parser.add_argument("--call-limit", type=at_least_one, metavar="N", help="of each run")
        parser.add_argument("--cost-limit", type=money, metavar="AMOUNT", help="of each run")
        parser.add_argument(
            "--resume", type=at_least_one, metavar="NUMBER", help="go on with a run and its pair"
        )

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        runs = _resumed(study, options) if options["resume"] else _started(study, options)
        names = " and ".join(f"run {run.number} ({run.system})" for run in runs)
        self.note(f"{names[:1].upper()}{names[1:]} of {runs[0].suite}: asking.")
        line = ProgressLine(self.stderr)
        with stopping(self.stderr) as stop:
            work_on(runs, watch=line, should_stop=stop)
        line.clear()
        told = [run_report(run) | {"url": _url(run)} for run in runs]
        if any(one["state"] == Run.State.RUNNING for one in told):
            self.note(f"Not done. Go on with: manage.py run_suite {study.slug} "
                      f"--resume {runs[0].number}")  # fmt: skip
        return {"study": study.slug, "suite": told[0]["suite"], "runs": told}

    def exit_code(self, answer: dict[str, Any]) -> int:
        return 0 if all(one["state"] == Run.State.DONE for one in answer["runs"]) else 1

    def in_words(self, answer: dict[str, Any]) -> str:
        return "\n".join(run_report_in_words(one) for one in answer["runs"])


def _started(study: Study, options: dict[str, Any]) -> list[Run]:
    if not options["suite"]:
        raise RefusedCommandError("Name a suite, or --resume the number of a run.")
    try:
        return start_runs(
            study,
            suite_named(options["suite"]),
            _endpoints(options),
            call_limit=options["call_limit"],
            cost_limit=options["cost_limit"],
        )
    except (NoEndpointError, NoSuiteError, RefusedRunError) as error:
        raise RefusedCommandError(str(error)) from error


def _endpoints(options: dict[str, Any]) -> dict[str, Endpoint]:
    named = {system: options[system] for system in SYSTEMS if options[system]}
    if options["stand_in"]:
        if named:
            raise RefusedCommandError("--stand-in names both endpoints: leave the others off.")
        made = ensure_stand_ins()
        return {system: made[system] for system in SYSTEMS}
    if not named:
        raise RefusedCommandError(
            "Name who answers: --baseline ENDPOINT, --candidate ENDPOINT, or --stand-in."
        )
    return {system: named_endpoint(name) for system, name in named.items()}


def _resumed(study: Study, options: dict[str, Any]) -> list[Run]:
    """A run that was left, and the one that was started with it."""
    given = ("suite", *SYSTEMS)
    if options["stand_in"] or any(options[name] is not None for name in given):
        raise RefusedCommandError("--resume goes on with what was chosen: leave the rest off.")
    runs = Run.objects.select_related("suite", "endpoint")
    run = runs.filter(study=study, number=options["resume"]).first()
    if run is None:
        raise RefusedCommandError(f"{study.slug} has no run {options['resume']}.")
    if run.source != Run.Source.CALLS:
        raise RefusedCommandError(f"Run {run.number} was imported: there is nothing to ask.")
    limits = {name: options[name] for name in ("call_limit", "cost_limit")}
    if resumable(run):
        try:
            return resume_runs(run, **limits)
        except RefusedRunError as error:
            raise RefusedCommandError(str(error)) from error
    if any(limit is not None for limit in limits.values()):
        words = run.get_state_display().lower()
        raise RefusedCommandError(
            f"Run {run.number} is {words}: new limits are for one that ended before its time."
        )
    return list(runs.filter(pair=run.pair).order_by("number"))


def _url(run: Run) -> str:
    return f"{settings.BASE_URL}{reverse('run', args=[run.study.slug, run.number])}"
