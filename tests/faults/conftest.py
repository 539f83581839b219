"""One installation for all tests that kill its processes: starting it takes the most time."""

from collections.abc import Iterator

import pytest

from tests.faults.installation import Installation, installation


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("faults")) as found:
        yield found
