"""When the ECB fixes rates: on TARGET days, published at about 16:00 in Frankfurt."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
PUBLISHED = time(16)
LATE = time(18)
"""When a fixing that is not there is worth a word."""


def easter(year: int) -> date:
    """Easter Sunday of a year of the Gregorian calendar (Meeus, Jones, Butcher)."""
    century, rest = divmod(year, 100)
    shift = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - century // 4 - shift + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def is_target_day(day: date) -> bool:
    """Whether the euro's settlement system is open, and so whether rates are fixed."""
    if day.weekday() >= 5 or (day.month, day.day) in {(1, 1), (5, 1), (12, 25), (12, 26)}:
        return False
    sunday = easter(day.year)
    return day not in {sunday - timedelta(days=2), sunday + timedelta(days=1)}


def latest_fixing(now: datetime, by: time = PUBLISHED) -> date:
    """The last day whose fixing is out at ``now``, published at ``by`` in Frankfurt."""
    local = now.astimezone(ZONE)
    day = local.date()
    if local.time() < by:
        day -= timedelta(days=1)
    while not is_target_day(day):
        day -= timedelta(days=1)
    return day
