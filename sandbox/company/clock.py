"""The company's calendar: its frozen today, its zone, its fiscal quarters.

Instants are whole milliseconds since 1970 in UTC (``int``): they compare, add and
hash fast, and no float ever holds a time. Dates are business dates in Europe/Berlin.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def millis(moment: datetime) -> int:
    """Milliseconds since 1970 of an aware instant."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


START = millis(datetime(2023, 10, 15, tzinfo=UTC))
"""The first day of the company's history."""
TODAY = millis(datetime(2026, 10, 15, 6, tzinfo=UTC))
"""The frozen now: 08:00 on Thursday 15 October 2026 in Berlin."""
SECOND_DAY = millis(datetime(2026, 10, 16, 6, tzinfo=UTC))
"""The now of the second sync, after ``Company.changes()``."""


def instant(ms: int) -> datetime:
    """The aware UTC instant."""
    return EPOCH + timedelta(milliseconds=ms)


def iso(ms: int) -> str:
    """``2026-03-02T09:14:55.123Z``, the form HubSpot gives."""
    return instant(ms).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


def business_date(ms: int) -> date:
    """The company's calendar day that contains the instant."""
    return instant(ms).astimezone(ZONE).date()


@cache
def midnight(day: date) -> int:
    """The instant at which a business date begins."""
    return millis(datetime.combine(day, time(), tzinfo=ZONE))


def local(day: date, hour: int, minute: int = 0) -> int:
    """The instant of a wall-clock time in Berlin."""
    return millis(datetime.combine(day, time(hour, minute), tzinfo=ZONE))


def is_workday(day: date) -> bool:
    """Monday to Friday and not a TARGET holiday: the days that have an FX fixing."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    sunday = easter(day.year)
    return day not in {sunday - timedelta(days=2), sunday + timedelta(days=1)}


@cache
def easter(year: int) -> date:
    """Easter Sunday (Gregorian computus of Meeus, Jones and Butcher)."""
    golden, century = year % 19, year // 100
    leap = century // 4
    epact = (19 * golden + century - leap - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - epact - year % 100 % 4) % 7
    shift = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * shift + 114, 31)
    return date(year, month, day + 1)


def quarter(day: date) -> str:
    """The fiscal quarter of a business date, e.g. ``FY2027-Q3`` for 2026-10-15.

    The fiscal year starts on 1 February and is named by the year in which it ends.
    """
    year = day.year + 1 if day.month >= 2 else day.year
    return f"FY{year}-Q{(day.month - 2) % 12 // 3 + 1}"


def quarter_bounds(key: str) -> tuple[date, date]:
    """First and last day, both inclusive, of a fiscal quarter key."""
    year, number = int(key[2:6]), int(key[-1])
    first = date(year - 1, 3 * number - 1, 1)
    after = date(year, 2, 1) if number == 4 else date(year - 1, 3 * number + 2, 1)
    return first, after - timedelta(days=1)


def quarters(first: date, last: date) -> list[str]:
    """The fiscal quarters from that of one day to that of another, in order."""
    keys = [quarter(first)]
    while keys[-1] != quarter(last):
        keys.append(quarter(quarter_bounds(keys[-1])[1] + timedelta(days=1)))
    return keys
