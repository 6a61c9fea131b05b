"""An empty Xero organisation on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.xero import XeroServer, XeroState
from tests.connectors.xero.shelf import Shelf


@pytest.fixture
def books() -> XeroState:
    """One organisation without any object."""
    return XeroState()


@pytest.fixture
def server(books: XeroState) -> Iterator[XeroServer]:
    """The organisation on loopback; a defect of the sandbox itself fails the test."""
    with XeroServer(books, per_minute=100_000, per_day=100_000) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: XeroServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet; the connection's own folder below the one that all share."""
    state = tmp_path / "state" / "books"
    state.mkdir(parents=True)
    return Shelf(server, state)
