"""An empty HubSpot account on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.hubspot import HubspotServer, HubspotState, Limits
from tests.connectors.hubspot.shelf import Shelf


@pytest.fixture
def account() -> HubspotState:
    """An empty account whose search shows a change after five minutes."""
    return HubspotState(index_lag=timedelta(minutes=5))


@pytest.fixture
def server(account: HubspotState) -> Iterator[HubspotServer]:
    """The account on loopback; a defect of the sandbox itself fails the test."""
    limits = Limits(per_ten_seconds=100_000, search_per_second=100_000)
    with HubspotServer(account, limits=limits, inline_associations=3) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: HubspotServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _quick_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own four searches a second would make these tests wait for nothing."""
    monkeypatch.setattr("connectors.hubspot.opening.SEARCH_PER_SECOND", 10_000)
