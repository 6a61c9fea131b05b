"""A small org on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.salesforce import SalesforceServer, SalesforceState
from tests.connectors.salesforce.shelf import Shelf


@pytest.fixture
def org() -> SalesforceState:
    """A fresh org."""
    return SalesforceState()


@pytest.fixture
def server(org: SalesforceState) -> Iterator[SalesforceServer]:
    """The org on loopback; a defect of the sandbox fails the test."""
    with SalesforceServer(org) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: SalesforceServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses would only make these tests slow."""
    monkeypatch.setattr("connectors.base.client.Client._pause", lambda *_: 0.01)
    monkeypatch.setattr("connectors.salesforce.bulk.FIRST_LOOK_SECONDS", 0.01)
