"""manage.py decide: GO, NO-GO or NOT YET, with every gate; the exit code says which."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.template.loader import render_to_string
from django.utils import timezone

from annotate.commanding import RefusedCommandError, StudyCommand, study_named
from evals.deciding import evidence_of, weigh
from evals.queries import snapshot
from evals.reporting import VERDICT_LOOKS, gate_rows, headline, junit, level, reading

EXIT_CODES = {"GO": 0, "NO-GO": 3, "NOT YET": 4}
ANSWERED = ("gate", "status", "threshold", "estimate", "sentence")


class Command(StudyCommand):
    help = "Weigh the evidence of a study: exit 0 for GO, 3 for NO-GO, 4 for NOT YET."

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit XML")
        parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page")

    def answer(self, **options: Any) -> dict[str, Any]:
        study = study_named(options["study"])
        with snapshot():
            evidence = evidence_of(weigh(study))
        if options["junit"]:
            _write(options["junit"], junit(evidence))
        if options["html"]:
            _write(options["html"], _page(evidence))
        self.evidence = evidence
        gates = [{key: gate[key] for key in ANSWERED} for gate in evidence["gates"]]
        return {"verdict": evidence["verdict"], "gates": gates}

    def in_words(self, answer: dict[str, Any]) -> str:
        lines = [f"{answer['verdict']}  {headline(self.evidence)}", ""]
        for gate in self.evidence["gates"]:
            required = "" if gate["required"] else " (not required)"
            lines.append(f"{gate['status'].upper()}  {gate['title']}{required}: {gate['asks']}")
            lines.append(f"  {reading(gate)}")
        return "\n".join(lines)

    def exit_code(self, answer: dict[str, Any]) -> int:
        return EXIT_CODES[answer["verdict"]]


def _page(evidence: dict[str, Any]) -> bytes:
    context = {
        "evidence": evidence,
        "headline": headline(evidence),
        "gates": gate_rows(evidence),
        "look": VERDICT_LOOKS[evidence["verdict"]],
        "level": level(evidence["policy"]["confidence"]),
        "made_at": timezone.now(),
    }
    return render_to_string("evals/decide_file.html", context).encode()


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise RefusedCommandError(f"{file} cannot be written: {error.strerror}.") from error
