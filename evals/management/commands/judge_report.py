"""manage.py judge_report: a model judge's run beside the people who judged the same items."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals import queries
from evals.deciding import policy_in_force
from evals.management.commands.report import confidence
from evals.model_judge import JudgeError
from evals.models import Run
from evals.reporting.judging import standing
from evals.reporting.judging_answer import judge_report, judge_report_in_words
from evals.reporting.model_judges import JudgeRun, judge_run
from evals.stats.judge_standing import EPSILON, EPSILONS

MOST_NAMED = 20


def epsilon(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}': write a share such as {EPSILON}")
    return number


class Command(StudyCommand):
    help = (
        "How far a model judge agrees with people, whether it may stand in for them, and what "
        "both together say of the win rate."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        told = ", ".join(f"{value:g} for {who}" for who, value in EPSILONS.items())
        parser.add_argument("--run", type=int, required=True, metavar="N", help="the judge's run")
        parser.add_argument("--epsilon", type=epsilon, default=EPSILON, metavar=f"{EPSILON}",
                            help=f"what people are given ahead: {told}")  # fmt: skip
        parser.add_argument("--only", choices=("blind", "imported"))
        parser.add_argument("--confidence", type=confidence, default=0.95, metavar="0.95")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        with queries.snapshot():
            judge = _judge(study, options["run"])
            return judge_report(
                standing(
                    judge,
                    epsilon=options["epsilon"],
                    only=options["only"],
                    confidence=options["confidence"],
                    ties=policy_in_force(study).ties,
                )
            )

    def in_words(self, answer: dict[str, Any]) -> str:
        return judge_report_in_words(answer)


def _judge(study: Study, number: int) -> JudgeRun:
    run = Run.objects.select_related("suite").filter(study=study, number=number).first()
    if run is None or run.system != Run.System.JUDGE:
        raise RefusedCommandError(f"Run {number} is no judge's. {_judges(study)}")
    try:
        return judge_run(run)
    except JudgeError as error:
        raise RefusedCommandError(str(error)) from error


def _judges(study: Study) -> str:
    judges = Run.objects.filter(study=study, system=Run.System.JUDGE).order_by("number")
    numbers = [str(number) for number in judges.values_list("number", flat=True)[:MOST_NAMED]]
    if not numbers:
        return f"'{study.slug}' has none yet: manage.py run_judge makes one."
    return f"Runs of judges: {', '.join(numbers)}."
