"""Who is who in the tests: alice judges, bob judges elsewhere, charlie is a stranger.

Lena leads, Adam administers. Each has a client that is signed in.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.core.cache import cache
from django.test import Client, TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker

from annotate.models import Role, Study, User
from tests.emptying import empty_tables, end_other_sessions, give_new_pages, keep_as_new
from tests.factories import make_batch, make_study, make_user

ROOT = Path(__file__).resolve().parent.parent


# The longest of those that need tables of their own.
LONG = ("test_tour.py", "test_race.py", "test_intake_races.py", "test_runs_killed.py",
        "test_late_work.py", "test_tour_stories.py", "test_cut_lines.py")  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First what starts the whole product, and asks this process for no database.

    These are the longest; begun last, they leave one worker alone with the rest for minutes. So
    too of the tests that pytest-django puts after the others, because they commit.
    """
    items.sort(key=lambda item: not _starts_the_product(item.path))
    places = [place for place, item in enumerate(items) if _commits(item)]
    ordered = sorted((items[place] for place in places), key=lambda one: one.path.name not in LONG)
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def _starts_the_product(path: Path) -> bool:
    names = {"test_every_statement.py", "test_killed_processes.py", "test_serve.py"}
    return path.name in names or path.parent.name == "database"


def _commits(item: pytest.Item) -> bool:
    mark = item.get_closest_marker("django_db")
    asked = isinstance(item, pytest.Function) and "transactional_db" in item.fixturenames
    return asked or (mark is not None and bool(mark.kwargs.get("transaction")))


@pytest.fixture(scope="session", autouse=True)
def static_files_as_they_are() -> Iterator[None]:
    """Pages name static files by their plain names: tests need no `collectstatic`.

    For the whole session, since the live server is made once and reads it then.
    """
    storages = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }
    # Each client would list all files first: a tenth of what its page takes.
    looked_up = {"WHITENOISE_AUTOREFRESH": True, "WHITENOISE_MAX_AGE": 60}
    with override_settings(STATIC_ROOT=ROOT / "static", STORAGES=storages, **looked_up):
        yield


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """As pytest-django makes the database, and then settled for many tests one after the other."""
    with django_db_blocker.unblock():
        keep_as_new()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: empty_tables())
        yield
    with django_db_blocker.unblock():
        end_other_sessions()


@pytest.fixture(scope="module", autouse=True)
def tables_of_few_pages(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Where the last module has left many; between two modules all tables are empty."""
    yield
    with django_db_blocker.unblock():
        give_new_pages()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of files that are kept outside the project."""
    folder = Path(os.environ.get("TOUCHSTONE_SHARED", ROOT.parent / "shared")).resolve()
    if not folder.is_dir():
        pytest.skip(f"{folder} is missing: set TOUCHSTONE_SHARED to run the tests of shared files")
    return folder


@pytest.fixture
def fresh_cache(db: None) -> None:
    """No sign-in was tried before."""
    cache.clear()


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice(db: None) -> User:
    return make_user("Alice")


@pytest.fixture
def bob(db: None) -> User:
    return make_user("Bob")


@pytest.fixture
def charlie(db: None) -> User:
    return make_user("Charlie")


@pytest.fixture
def lena(db: None) -> User:
    return make_user("Lena", role=Role.LEAD)


@pytest.fixture
def adam(db: None) -> User:
    return make_user("Adam", role=Role.ADMIN)


@pytest.fixture
def study(alice: User) -> Study:
    """Open, alice judges in it, three items with three slots each."""
    study = make_study("Support replies", annotators=[alice])
    make_batch(study, 3)
    return study


@pytest.fixture
def other_study(bob: User) -> Study:
    """As `study`, but bob's."""
    study = make_study("Product texts", annotators=[bob])
    make_batch(study, 3)
    return study


@pytest.fixture
def alice_client(alice: User) -> Client:
    return client_of(alice)


@pytest.fixture
def bob_client(bob: User) -> Client:
    return client_of(bob)


@pytest.fixture
def charlie_client(charlie: User) -> Client:
    return client_of(charlie)


@pytest.fixture
def lena_client(lena: User) -> Client:
    return client_of(lena)


@pytest.fixture
def adam_client(adam: User) -> Client:
    return client_of(adam)
