"""The one clock of a run, passed in and never asked for below."""

import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]
"""Gives the present instant in UTC."""
_STAMP = "%Y%m%dT%H%M%S%f"


def system_clock() -> datetime:
    """The machine's time in UTC."""
    return datetime.now(UTC)


def frozen_clock(at: datetime) -> Clock:
    """A clock that stands still, for the demo, rehearsals and tests."""
    return lambda: at


def new_sync_id(after: str | None = None) -> str:
    """An id that sorts by the wall clock, so that syncs stay in order under a frozen clock.

    ``after`` is the newest id known: should the machine's clock have run back since, the
    new id still sorts behind it.
    """
    stamp = f"{datetime.now(UTC):{_STAMP}}"
    if after is not None and after[: len(stamp)] >= stamp:
        try:
            last = datetime.strptime(after.partition("-")[0], _STAMP).replace(tzinfo=UTC)
            stamp = f"{last + timedelta(microseconds=1):{_STAMP}}"
        except (ValueError, OverflowError):
            return f"{after}-{secrets.token_hex(3)}"
    return f"{stamp}-{secrets.token_hex(3)}"
