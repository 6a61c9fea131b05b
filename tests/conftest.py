"""The published companies, each made once for the tests of one worker."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.e2e.every import Every, every_vendor
from tests.e2e.road import SMALL, Road, company_road

# A busy machine is slow and not wrong.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """The company at a quarter of its size, read, built and published."""
    with company_road(tmp_path_factory.mktemp("company")) as made:
        yield made


@pytest.fixture(scope="session")
def small_road(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Road]:
    """The company at a fiftieth of its size, for what is asked of every run and not of numbers."""
    with company_road(tmp_path_factory.mktemp("small"), SMALL) as made:
        yield made


@pytest.fixture(scope="session")
def every(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Every]:
    """The company at a twentieth of its size, in every CRM and billing system at once."""
    with every_vendor(tmp_path_factory.mktemp("every")) as made:
        yield made
