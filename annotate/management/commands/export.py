"""manage.py export: items, judgements or ratings of a study, as one snapshot."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import OneLineCommand, RefusedCommandError, study_named, written
from annotate.exporting import FORMATS, KINDS, export_lines


class Command(OneLineCommand):
    help = "Write everything that a study holds to a file or to stdout."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", metavar="STUDY", help="the study's slug")
        parser.add_argument("kind", choices=sorted(KINDS))
        parser.add_argument("--format", choices=sorted(FORMATS), default="csv")
        parser.add_argument("--output", type=Path, metavar="FILE", help="else stdout")

    def act(self, **options: Any) -> int:
        study = study_named(options["study"])
        lines = export_lines(study, options["kind"], options["format"])
        if options["output"] is None:
            stdout = sys.stdout.buffer
            whole = written(lambda: stdout.writelines(line.encode() for line in lines))
            return 0 if whole else 1
        write_file(lines, options["output"])
        return 0


def write_file(lines: Iterator[str], output: Path) -> None:
    try:
        output = output.resolve()  # what a link leads to is written, not the link
        if output.exists() and not output.is_file():
            # A device or a pipe (/dev/stdout, <(…)) is written to; a file would take its place.
            _write_lines(lines, output)
        else:
            _write_whole(lines, output)
    except OSError as error:
        raise RefusedCommandError(f"{output} cannot be written: {error.strerror}.") from error


def _write_lines(lines: Iterator[str], output: Path) -> None:
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


def _write_whole(lines: Iterator[str], output: Path) -> None:
    """Write a file that is there only when it is complete."""
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        _write_lines(lines, unfinished)
        unfinished.replace(output)
    finally:
        unfinished.unlink(missing_ok=True)
