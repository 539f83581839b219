"""A database of their own for benchmarks: made, migrated, removed at the end."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import django


@contextmanager
def scratch_database(name: str) -> Iterator[None]:
    """Run with the product's settings on an empty database called touchstone_bench_NAME."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    # Only now can Django's parts be imported.
    from django.conf import settings  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    # Pages name static files by their plain names: no collectstatic is needed.
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )
    old = connection.settings_dict["NAME"]
    connection.settings_dict.setdefault("TEST", {})["NAME"] = f"touchstone_bench_{name}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(old, verbosity=0)
