"""What `decide` and `evaluate` share: the verdict as an answer, in words, as files."""

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.template.loader import render_to_string
from django.utils import timezone

from annotate.commanding import RefusedCommandError
from evals.reporting import VERDICT_LOOKS, gate_rows, headline, junit, level, reading

EXIT_CODES = {"GO": 0, "NO-GO": 3, "NOT YET": 4}
ANSWERED = ("gate", "status", "threshold", "estimate", "sentence")


def add_files(parser: CommandParser) -> None:
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write JUnit XML")
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write a page")


def write_files(evidence: dict[str, Any], options: dict[str, Any]) -> None:
    if options["junit"]:
        _write(options["junit"], junit(evidence))
    if options["html"]:
        _write(options["html"], _page(evidence))


def verdict_as_json(evidence: dict[str, Any]) -> dict[str, Any]:
    gates = [{key: gate[key] for key in ANSWERED} for gate in evidence["gates"]]
    return {"verdict": evidence["verdict"], "gates": gates}


def verdict_in_words(evidence: dict[str, Any]) -> str:
    lines = [f"{evidence['verdict']}  {headline(evidence)}", ""]
    for gate in evidence["gates"]:
        required = "" if gate["required"] else " (not required)"
        lines.append(f"{gate['status'].upper()}  {gate['title']}{required}: {gate['asks']}")
        lines.append(f"  {reading(gate)}")
    lines += ["", *evidence["notes"]] if evidence["notes"] else []
    return "\n".join(lines)


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
