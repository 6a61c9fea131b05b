"""The one clock of a run, passed in and never asked for below."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present instant in UTC."""


def system_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


def frozen_clock(at: datetime) -> Clock:
    """A clock that stands still, for the demo, rehearsals and tests."""
    return lambda: at


def new_sync_id() -> str:
    """An id that sorts by the wall clock, so that syncs stay in order under a frozen clock."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{secrets.token_hex(3)}"
