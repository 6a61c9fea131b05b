"""A small Pipedrive on loopback, and a shelf to land it on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.pipedrive import PipedriveServer, PipedriveState
from tests.connectors.pipedrive.shelf import Shelf


@pytest.fixture
def crm() -> PipedriveState:
    """A fresh company."""
    return PipedriveState()


@pytest.fixture
def server(crm: PipedriveState) -> Iterator[PipedriveServer]:
    """The company on loopback; a defect of the sandbox fails the test."""
    with PipedriveServer(crm) as running:
        yield running
    assert not running.errors


@pytest.fixture
def shelf(server: PipedriveServer, tmp_path: Path) -> Shelf:
    """Nothing landed yet."""
    return Shelf(server, tmp_path)
