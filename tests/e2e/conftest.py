"""The published company, made once for the tests of one worker."""

from collections.abc import Iterator

import pytest

from tests.e2e.road import Road, company_road


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """The company at a quarter of its size, read, built and published."""
    with company_road(tmp_path_factory.mktemp("company")) as made:
        yield made
