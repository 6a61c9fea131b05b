"""Time windows to read: half-open, with an overlap at the start and rest at the end.

A window is ``[cursor - lookback, now - settle)``. The lookback catches what the vendor
showed late, the settling time leaves out what it may not show yet. Reading a window
twice is harmless: landing drops unchanged versions.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from connectors.base.errors import ConfigError
from connectors.base.stream import Cursor


@dataclass(frozen=True, slots=True)
class Window:
    """``since`` belongs to it, ``until`` does not; both aware, UTC."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise ValueError("a window needs instants with a time zone")

    @property
    def is_empty(self) -> bool:
        """True when nothing can lie inside."""
        return self.since >= self.until

    def split(self, step: timedelta) -> Iterator["Window"]:
        """Yield consecutive windows of at most ``step``, oldest first, without a gap."""
        if step <= timedelta(0):
            raise ValueError("a window can only be split by a positive step")
        since = self.since
        while since < self.until:
            until = min(since + step, self.until)
            yield Window(since, until)
            since = until

    def halves(self) -> tuple["Window", "Window"]:
        """The two halves, for vendors that cap how many rows one window may show."""
        middle = self.since + (self.until - self.since) / 2
        return Window(self.since, middle), Window(middle, self.until)


def window_since(
    since: datetime, now: datetime, *, lookback: timedelta, settle: timedelta
) -> Window:
    """The window that continues from ``since``, the end of the last one."""
    return Window(since - lookback, now - settle)


def instant_text(instant: datetime) -> str:
    """An instant as a cursor stores it: ISO 8601 in UTC, to the microsecond, with Z."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def cursor_instant(cursor: Cursor | None, key: str, now: datetime) -> datetime | None:
    """Read an instant back from a cursor; None where there is none yet.

    Raises:
        ConfigError: the stored state is not an instant, or lies in the future, where
            reading on from it would skip everything until then without a word.
    """
    if cursor is None or cursor.get(key) is None:
        return None
    text = cursor[key]
    try:
        instant = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        raise ConfigError(
            f"the stored cursor's {key!r} is {text!r}, not an instant. "
            "Sync the stream with --full to start its state anew."
        )
    if instant > now + timedelta(days=1):
        raise ConfigError(
            f"the stored cursor's {key!r} is {text}, in the future of {instant_text(now)}. "
            "Check the clock, or sync the stream with --full to start its state anew."
        )
    return instant
