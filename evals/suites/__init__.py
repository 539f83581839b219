"""Suites of automated tests: read, checked as their scorers will see them, kept in versions."""

from evals.suites.finding import NoSuiteError, suite_named
from evals.suites.naming import SuiteNameError, valid_name
from evals.suites.overlaps import Overlap, overlap_of
from evals.suites.probing import expected_for
from evals.suites.reading import SuiteReport
from evals.suites.taking import (
    TakenSuite,
    add_shipped,
    check_suite,
    import_suite,
    make_suite_of,
)

__all__ = [
    "NoSuiteError",
    "Overlap",
    "SuiteNameError",
    "SuiteReport",
    "TakenSuite",
    "add_shipped",
    "check_suite",
    "expected_for",
    "import_suite",
    "make_suite_of",
    "overlap_of",
    "suite_named",
    "valid_name",
]
