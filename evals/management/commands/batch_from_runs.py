"""manage.py batch_from_runs: the answers of two runs become a batch for blind judging."""

from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from annotate.models import Study
from evals.models import Run
from evals.pairing import PairingError, batch_from_runs, batch_of_runs


class Command(StudyCommand):
    help = "Make a batch for blind judging of two runs on the same suite; twice is once."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        for system in ("baseline", "candidate"):
            parser.add_argument(
                f"--{system}-run", type=int, required=True, metavar="N", help=f"the {system}'s run"
            )

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        baseline = run_numbered(study, options["baseline_run"])
        candidate = run_numbered(study, options["candidate_run"])
        is_new = batch_of_runs(baseline, candidate) is None
        try:
            batch = batch_from_runs(baseline, candidate)
        except PairingError as error:
            raise RefusedCommandError(str(error)) from error
        made = batch_of_runs(baseline, candidate)
        return {
            "batch": batch.pk,
            "number": batch.number,
            "name": batch.name,
            "items": batch.item_count,
            "is_new": is_new,
            "left_out": made.left_out if made else [],
        }

    def in_words(self, answer: dict[str, Any]) -> str:
        items = "1 item" if answer["items"] == 1 else f"{answer['items']:,} items"
        if not answer["is_new"]:
            return f"Batch {answer['number']} ({answer['name']}) holds these runs already: {items}."
        lines = [f"Made batch {answer['number']} ({answer['name']}) of {items}."]
        lines += [f"Left out: {one['case']}, {one['why']}." for one in answer["left_out"]]
        return "\n".join(lines)


def run_numbered(study: Study, number: int) -> Run:
    """The run, or a refusal that names those there are."""
    runs = Run.objects.filter(study=study).select_related("suite", "study")
    if found := runs.filter(number=number).first():
        return found
    numbers = [str(one) for one in runs.order_by("-number").values_list("number", flat=True)[:20]]
    there_are = f"Runs: {', '.join(numbers)}." if numbers else "It has no runs yet."
    raise RefusedCommandError(f"Study '{study.slug}' has no run {number}. {there_are}")
