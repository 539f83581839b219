"""What a page shows: the finding, then the numbers behind it, never an adjective."""

from evals.reporting import agreement, annotators, items, overview, preference, progress
from evals.reporting.gates import VERDICT_LOOKS, GateRow, gate_rows, headline, reading, tally
from evals.reporting.junit import junit
from evals.reporting.numbers import from_json, level, shown
from evals.reporting.report import report
from evals.reporting.words import report_in_words

__all__ = [
    "VERDICT_LOOKS",
    "GateRow",
    "agreement",
    "annotators",
    "from_json",
    "gate_rows",
    "headline",
    "items",
    "junit",
    "level",
    "overview",
    "preference",
    "progress",
    "reading",
    "report",
    "report_in_words",
    "shown",
    "tally",
]
