"""The ECB on loopback with three fixings, and a shelf to land them on."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from sandbox.fx import FxServer, FxState
from tests.connectors.fx.shelf import Shelf


@pytest.fixture
def bank() -> FxState:
    """Rates of Monday to Wednesday; it is Thursday, 15 October 2026, in the morning."""
    state = FxState()
    for day, dollar in ((12, "1.1534"), (13, "1.1600"), (14, "1.1550")):
        state.fixes(date(2026, 10, day), USD=dollar, JPY="172.31", GBP="0.87310")
    return state


@pytest.fixture
def server(bank: FxState) -> Iterator[FxServer]:
    """The bank's server; a defect of the sandbox itself fails the test."""
    with FxServer(bank) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: FxServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses would only make these tests slow."""
    monkeypatch.setattr("connectors.base.client.random.uniform", lambda *_: 0.01)
