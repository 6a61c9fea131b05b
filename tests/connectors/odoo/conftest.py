"""A small Odoo on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.odoo import OdooServer, OdooState
from tests.connectors.odoo.shelf import Shelf


@pytest.fixture
def crm() -> OdooState:
    """A fresh database."""
    return OdooState()


@pytest.fixture(params=[17, 19], ids=["json_rpc", "json_2"])
def server(crm: OdooState, request: pytest.FixtureRequest) -> Iterator[OdooServer]:
    """The database on loopback, in either dialect; a defect of the sandbox fails the test."""
    with OdooServer(crm, major=request.param) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: OdooServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses would only make these tests slow."""
    monkeypatch.setattr("connectors.odoo.session.FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.base.client.Client._pause", lambda *_: 0.01)
