"""Importing: outputs that exist already become runs, recognised by content, without a call."""

from evals.importing.report import JOINS, Example, OutputsReport, Reading
from evals.importing.taking import (
    Files,
    TakenOutputs,
    check_outputs,
    check_systems,
    import_outputs,
    import_systems,
)

__all__ = [
    "JOINS",
    "Example",
    "Files",
    "OutputsReport",
    "Reading",
    "TakenOutputs",
    "check_outputs",
    "check_systems",
    "import_outputs",
    "import_systems",
]
