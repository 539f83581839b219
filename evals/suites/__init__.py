"""Suites of automated tests: read, checked as their scorers will see them, kept in versions."""

from evals.suites.counting import (
    CategoryRow,
    SuiteCard,
    category_rows,
    not_yet_added,
    scorers_of,
    suite_cards,
    versions_of,
)
from evals.suites.deleting import SuiteInUseError, delete_suite
from evals.suites.finding import NoSuiteError, suite_named
from evals.suites.naming import SuiteNameError, name_from, valid_name
from evals.suites.overlaps import Overlap, overlap_of
from evals.suites.previewing import Preview, preview_of, report_data, scorer_counts
from evals.suites.probing import expected_for
from evals.suites.reading import SuiteReport
from evals.suites.showing import ShownCase, shown_case
from evals.suites.taking import (
    TakenSuite,
    add_shipped,
    check_suite,
    import_suite,
    make_suite_of,
)

__all__ = [
    "CategoryRow",
    "NoSuiteError",
    "Overlap",
    "Preview",
    "ShownCase",
    "SuiteCard",
    "SuiteInUseError",
    "SuiteNameError",
    "SuiteReport",
    "TakenSuite",
    "add_shipped",
    "category_rows",
    "check_suite",
    "delete_suite",
    "expected_for",
    "import_suite",
    "make_suite_of",
    "name_from",
    "not_yet_added",
    "overlap_of",
    "preview_of",
    "report_data",
    "scorer_counts",
    "scorers_of",
    "shown_case",
    "suite_cards",
    "suite_named",
    "valid_name",
    "versions_of",
]
