"""manage.py report: the numbers of the lead's pages."""

import argparse
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import StudyCommand, study_named
from evals.deciding import policy_in_force
from evals.reporting import report, report_in_words


def confidence(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.5 < number < 1:
        raise argparse.ArgumentTypeError(f"'{text}': write a share such as 0.95")
    return number


class Command(StudyCommand):
    help = "Preference, agreement and progress of a study, with intervals."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--only", choices=("blind", "imported"))
        parser.add_argument("--confidence", type=confidence, default=0.95, metavar="0.95")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        policy = policy_in_force(study)
        return report(
            study,
            only=options["only"],
            confidence=options["confidence"],
            threshold=policy.gate("human_preference").threshold,
            ties=policy.ties,
        )

    def in_words(self, answer: dict[str, Any]) -> str:
        return report_in_words(answer)
