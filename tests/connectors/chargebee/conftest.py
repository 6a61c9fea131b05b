"""An empty Chargebee site on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.chargebee import ChargebeeServer, ChargebeeState
from tests.connectors.chargebee.shelf import Shelf


@pytest.fixture
def site() -> ChargebeeState:
    """A site of Product Catalog 2.0 without any object."""
    return ChargebeeState()


@pytest.fixture
def server(site: ChargebeeState) -> Iterator[ChargebeeServer]:
    """The site on loopback; a defect of the sandbox itself fails the test."""
    with ChargebeeServer(site, per_minute=100_000) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: ChargebeeServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)
