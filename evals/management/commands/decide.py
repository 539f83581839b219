"""manage.py decide: GO, NO-GO or NOT YET, with every gate; the exit code says which."""

from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import StudyCommand, study_named
from evals.management.verdicts import (
    EXIT_CODES,
    add_files,
    verdict_answer,
    verdict_in_words,
    weighed,
    write_files,
)


class Command(StudyCommand):
    help = "Weigh the evidence of a study: exit 0 for GO, 3 for NO-GO, 4 for NOT YET."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        add_files(parser)

    def answer(self, **options: Any) -> dict[str, Any]:
        self.told = weighed(study_named(options["study"]))
        write_files(self.told, options)
        return verdict_answer(self.told)

    def in_words(self, answer: dict[str, Any]) -> str:
        return verdict_in_words(self.told)

    def exit_code(self, answer: dict[str, Any]) -> int:
        return EXIT_CODES[answer["verdict"]]
