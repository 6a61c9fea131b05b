from collections.abc import Iterator

import pytest

from tests.postgres.server import Server, running


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One server for the tests of a worker; each makes databases of its own."""
    with running() as made:
        yield made
