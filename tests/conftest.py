"""The published companies, each made once for the tests of one worker."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from hypothesis import settings

from tests.connectors.certificates import authority_file
from tests.e2e.every import Every, every_vendor
from tests.e2e.road import SMALL, Road, company_road

# A busy machine is slow and not wrong.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

LONGEST_FIRST = (
    *("small", "company", "empty", "every", "month_end"),
    *("history", "kontor", "vtiger"),
)
"""Groups of `pytest.mark.xdist_group` that share something dear, by how long they take.

Two workers end together when what is long is begun first and what is short fills up.
"""
CONNECTORS = Path(__file__).parent / "connectors"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the long groups forward, then whatever is slow; the rest keeps its order.

    First of all what waits: a client pauses as a vendor asks, and the linters work meanwhile.
    """

    def place(item: pytest.Item) -> int:
        if CONNECTORS in item.path.parents:
            return -1
        mark = item.get_closest_marker("xdist_group")
        group = mark.args[0] if mark else ""
        if group in LONGEST_FIRST:
            return LONGEST_FIRST.index(group)
        is_slow = item.get_closest_marker("slow") or item.get_closest_marker("e2e")
        return len(LONGEST_FIRST) + (0 if is_slow else 1)

    items.sort(key=place)


def pytest_configure() -> None:
    """To import tests and libraries makes no garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Look for garbage among what the tests make, and less often: the libraries are none.

    A worker holds a million objects; to look at all of them again and again was a tenth of its
    time.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(10_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The machine trusts one authority, which nobody has: no test reaches the world.

    Every client that a test makes reads what is trusted, and the world's hundred take 20 ms.
    """
    with pytest.MonkeyPatch.context() as patch:
        trusted = authority_file(trustme.CA(), tmp_path_factory.mktemp("trusted"))
        patch.setenv("SSL_CERT_FILE", trusted)
        yield


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
