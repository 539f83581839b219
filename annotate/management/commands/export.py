"""manage.py export: items, judgements or ratings of a study, as one snapshot."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from annotate.commanding import OneLineCommand, RefusedCommandError, study_named
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
            return write_out(lines)
        write_whole(lines, options["output"])
        return 0


def write_out(lines: Iterator[str]) -> int:
    try:
        for line in lines:
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Whoever read has had enough; Python would complain once more when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return 0


def write_whole(lines: Iterator[str], output: Path) -> None:
    """Write a file that is there only when it is complete."""
    unfinished = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.writelines(lines)
        unfinished.replace(output)
    except OSError as error:
        raise RefusedCommandError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
