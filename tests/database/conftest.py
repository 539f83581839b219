"""A data folder of its own for each test, and processes that end with it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.database.users import Process, Start, wait_until_gone


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data of a study"
    yield folder
    wait_until_gone(folder)


@pytest.fixture
def start() -> Iterator[Start]:
    """Start processes that use a database; they are ended before `data` is looked at."""
    started: list[Process] = []

    def start_one(*arguments: object, **options: object) -> Process:
        started.append(Process(*arguments, **options))  # type: ignore[arg-type]
        return started[-1]

    yield start_one
    for process in started:
        process.end()
