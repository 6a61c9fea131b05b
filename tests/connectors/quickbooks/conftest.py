"""A small QuickBooks company on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.quickbooks import QuickbooksServer, QuickbooksState
from tests.connectors.quickbooks.shelf import Shelf


@pytest.fixture
def books() -> QuickbooksState:
    """A fresh company."""
    return QuickbooksState()


@pytest.fixture
def server(books: QuickbooksState) -> Iterator[QuickbooksServer]:
    """The company on loopback; a defect of the sandbox fails the test."""
    with QuickbooksServer(books) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: QuickbooksServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting would only make these tests slow; the limits have tests of their own."""
    monkeypatch.setattr("connectors.quickbooks.faults.THROTTLE_SECONDS", 0.01)
    monkeypatch.setattr("connectors.quickbooks.opening.PER_SECOND", 1000)
