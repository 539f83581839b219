"""What `decide` and `evaluate` share: the verdict as an answer, in words, as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from annotate.commanding import RefusedCommandError
from annotate.models import Study
from evals.deciding import digest_of, evidence_of, latest_decision, record_of, weigh
from evals.queries import snapshot
from evals.reporting import headline, reading
from evals.reporting.decided import Document, signed_line, verdict_as_json, warnings
from evals.reporting.files import FILES

EXIT_CODES = {"GO": 0, "NO-GO": 3, "NOT YET": 4}
# The option of each kind of file.
OPTIONS = {"junit": "xml", "html": "html", "markdown": "md"}
HELP = {
    "junit": "also write JUnit XML",
    "html": "also write a page",
    "markdown": "also write Markdown",
}


@dataclass(frozen=True, slots=True)
class Told:
    """The evidence as it is, and beside it the latest decision that somebody signed."""

    document: Document
    signed: Document | None

    @property
    def evidence(self) -> dict[str, Any]:
        return dict(self.document.evidence)


def add_files(parser: CommandParser) -> None:
    for option, said in HELP.items():
        parser.add_argument(f"--{option}", type=Path, metavar="FILE", help=said)


def weighed(study: Study) -> Told:
    with snapshot():
        evidence = evidence_of(weigh(study))
        decision = latest_decision(study)
        record = record_of(decision, evidence) if decision else None
    document = Document(evidence, digest_of(evidence), timezone.now())
    if decision is None:
        return Told(document, None)
    signed = Document(decision.evidence, decision.digest, decision.created_at, record, evidence)
    return Told(document, signed)


def write_files(told: Told, options: dict[str, Any]) -> None:
    for option, kind in OPTIONS.items():
        if options[option]:
            _write(options[option], FILES[kind].write(told.document))


def verdict_answer(told: Told) -> dict[str, Any]:
    """The verdict and its gates; where somebody has signed, what they signed."""
    answer = verdict_as_json(told.evidence)
    return answer | {"signed": told.signed.record} if told.signed else answer


def verdict_in_words(told: Told) -> str:
    evidence = told.evidence
    lines = [f"{evidence['verdict']}  {headline(evidence)}", ""]
    for gate in evidence["gates"]:
        required = "" if gate["required"] else " (not required)"
        lines.append(f"{gate['status'].upper()}  {gate['title']}{required}: {gate['asks']}")
        lines.append(f"  {reading(gate)}")
    lines += ["", *evidence["notes"]] if evidence["notes"] else []
    if told.signed and told.signed.record:
        lines += ["", f"Signed: {signed_line(told.signed.record)}."]
        lines += [f"  {line}" for line in warnings(told.signed)]
    return "\n".join(lines)


def _write(file: Path, content: bytes) -> None:
    try:
        file.write_bytes(content)
    except OSError as error:
        raise RefusedCommandError(f"{file} cannot be written: {error.strerror}.") from error
