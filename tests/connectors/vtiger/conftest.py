"""An empty Vtiger on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.vtiger import VtigerServer, VtigerState
from tests.connectors.vtiger.shelf import Shelf


@pytest.fixture
def crm() -> VtigerState:
    """A fresh installation with one administrator."""
    return VtigerState()


@pytest.fixture
def server(crm: VtigerState) -> Iterator[VtigerServer]:
    """The installation on loopback; a defect of the sandbox itself fails the test."""
    with VtigerServer(crm, per_minute=10_000) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: VtigerServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses would only make these tests slow."""
    monkeypatch.setattr("connectors.vtiger.session.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.vtiger.signin.PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.base.client.Client._pause", lambda *_: 0.01)
