"""An empty Zoho CRM on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.zoho import ZohoServer, ZohoState
from tests.connectors.zoho.shelf import Shelf


@pytest.fixture
def crm() -> ZohoState:
    """A fresh organisation with one user."""
    return ZohoState()


@pytest.fixture
def server(crm: ZohoState) -> Iterator[ZohoServer]:
    """The organisation on loopback; a defect of the sandbox itself fails the test."""
    with ZohoServer(crm) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: ZohoServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses would only make these tests slow."""
    monkeypatch.setattr("connectors.zoho.opening.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.zoho.opening.THROTTLED_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.zoho.signin.PAUSE_SECONDS", 0.01)
