"""manage.py score_run: stored outputs looked at by another scorer, without a call."""

from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals.formats import ScorerSpec
from evals.management.commands.import_run import positive, scorer
from evals.models import Run
from evals.scoring import ScoreCounts, score_run
from evals.scoring.summaries import ScoredWith, summary_of


class Command(StudyCommand):
    help = "Score the stored outputs of a run with a scorer more, without a call."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("run", type=positive, metavar="RUN", help="the run's number")
        parser.add_argument(
            "--scorer", action="append", default=[], type=scorer, metavar="NAME[:JSON]",
            help="repeatable; without any, only what is missing of the cases' own scores",
        )  # fmt: skip

    def answer(self, **options: Any) -> dict[str, Any]:
        run = run_numbered(study_named(options["study"]), options["run"])
        specs: list[ScorerSpec] = options["scorer"]
        counts = score_run(run, specs)
        return {
            "study": options["study"],
            "run": run.number,
            "added": _counts(counts),
            "scores": [_data(summary_of(run, spec)) for spec in specs],
        }

    def in_words(self, answer: dict[str, Any]) -> str:
        added = answer["added"]
        lines = [
            f"Run {answer['run']}: {added['scored']:,} scores added, "
            f"{added['unscored']:,} outputs without a score."
        ]
        return "\n".join([*lines, *(_in_words(one) for one in answer["scores"])])


def run_numbered(study: Study, number: int) -> Run:
    """The run, or a refusal that names those there are."""
    run = Run.objects.filter(study=study, number=number).first()
    if run is not None:
        return run
    last = Run.objects.filter(study=study).order_by("-number").first()
    there_are = f"The last is run {last.number}." if last else "It has no run yet."
    raise RefusedCommandError(f"Study '{study.slug}' has no run {number}. {there_are}")


def _counts(counts: ScoreCounts) -> dict[str, int]:
    return {
        "scored": counts.scored,
        "passed": counts.passed,
        "unscored": counts.unscored,
        "untried": counts.untried,
        "without_scorer": counts.without_scorer,
    }


def _data(found: ScoredWith) -> dict[str, Any]:
    return {
        "scorer": found.name,
        "signature": found.signature,
        "outputs": found.outputs,
        "scored": found.scored,
        "passed": found.passed,
        "failed": found.failed,
        "unscored": found.unscored,
        "mean": found.mean_score().as_json(),
        "pass_rate": found.pass_rate().as_json(),
    }


def _in_words(one: dict[str, Any]) -> str:
    told = f"{one['scorer']}: {one['scored']:,} of {one['outputs']:,} scored, mean "
    told += _estimate(one["mean"], "{:.4g}")
    if one["passed"] + one["failed"]:
        told += f"; {one['passed']:,} passed, {_estimate(one['pass_rate'], '{:.1%}')}"
    return f"{told}."


def _estimate(found: dict[str, Any], form: str) -> str:
    if found["value"] is None:
        return f"unknown ({found['reason']})"
    value = form.format(found["value"])
    if found["low"] is None:
        return value
    return f"{value} ({form.format(found['low'])} to {form.format(found['high'])})"
