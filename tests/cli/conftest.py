"""Each test of the command line meets an environment without settings of its own."""

import os

import pytest


@pytest.fixture(autouse=True)
def no_settings_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The company that other tests keep served for a whole session has its secrets there."""
    for name in os.environ:
        if name.startswith("PIPELEDGER__"):
            monkeypatch.delenv(name)
