"""Windows: no instant between two reads is left out, none is read too early."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.base.errors import ConfigError
from connectors.base.window import Window, cursor_instant, instant_text, window_since

NOW = datetime(2026, 10, 15, 6, tzinfo=UTC)


def test_a_window_overlaps_the_last_one_and_stops_before_now() -> None:
    """What the vendor showed late is caught; what it may not show yet is left alone."""
    since = NOW - timedelta(hours=1)

    found = window_since(since, NOW, lookback=timedelta(minutes=10), settle=timedelta(minutes=1))

    assert Window(since - timedelta(minutes=10), NOW - timedelta(minutes=1)) == found


@given(st.integers(1, 5_000), st.integers(1, 700))
def test_split_windows_touch_and_cover_the_whole(minutes: int, step: int) -> None:
    """A gap of one microsecond between two pieces would lose what fell into it."""
    whole = Window(NOW - timedelta(minutes=minutes), NOW)

    pieces = list(whole.split(timedelta(minutes=step)))

    assert (whole.since, whole.until) == (pieces[0].since, pieces[-1].until)
    assert [piece.until for piece in pieces[:-1]] == [piece.since for piece in pieces[1:]]


def test_halves_meet_in_the_middle() -> None:
    """For vendors that cap how much one window may show."""
    first, second = Window(NOW - timedelta(hours=2), NOW).halves()

    assert first.until == second.since == NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    "stored", ["yesterday", 17, "2026-10-15T06:00:00", "2999-12-31T00:00:00+00:00"]
)
def test_a_cursor_that_is_no_past_instant_is_refused_with_the_way_out(stored: object) -> None:
    """Read on from 2999, the stream would be silent for ever."""
    with pytest.raises(ConfigError, match="--full"):
        cursor_instant({"since": stored}, "since", NOW)


def test_a_cursor_instant_comes_back_as_it_was_stored() -> None:
    """To the microsecond: records share seconds."""
    moment = NOW + timedelta(microseconds=1)

    assert moment == cursor_instant({"since": instant_text(moment)}, "since", NOW)
    assert cursor_instant(None, "since", NOW) is None
