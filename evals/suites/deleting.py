"""Suites that nobody has run may go; what was asked of a system stays."""

from django.db import IntegrityError, connection, transaction

from evals.models import Suite


class SuiteInUseError(Exception):
    """Runs have asked this version of a suite: their results rest on it."""

    def __init__(self, suite: Suite) -> None:
        super().__init__(
            f"{suite.name}, version {suite.version}, was run. What was asked stays, so that "
            "results can be understood. Import another version instead."
        )


def delete_suite(suite: Suite) -> None:
    """Remove a version with its cases.

    Raises
    ------
    SuiteInUseError
        If a run uses it: the foreign keys refuse, also a run that began at this moment.
    """
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # By statements: Django would first load every case.
            cursor.execute("DELETE FROM evals_case WHERE suite_id = %s", [suite.pk])
            cursor.execute("DELETE FROM evals_suite WHERE id = %s", [suite.pk])
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    except IntegrityError as error:
        raise SuiteInUseError(suite) from error
