"""Fixtures of the Stripe tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.stripe import StripeServer, StripeState
from tests.connectors.stripe.shelf import Reader


@pytest.fixture
def server() -> Iterator[StripeServer]:
    """An empty account; the test fails if the server saw something that it cannot answer."""
    with StripeServer(StripeState(), per_second=10_000) as running:
        yield running
        assert [] == running.errors


@pytest.fixture
def reader(server: StripeServer, tmp_path: Path) -> Reader:
    """A reader of the account."""
    return Reader(server, tmp_path)
