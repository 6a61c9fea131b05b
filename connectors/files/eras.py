"""Days of the Japanese calendar: an era and the year in it, 令和8年 for 2026.

Formats name them as POSIX does: ``%EC`` is the era, ``%Ey`` the year in it, beside ``%m`` and
``%d``. An era counts from 1, which is written 元 too. A day outside its era (平成 ended on
2019-04-30) is refused: either the era or the year was mistyped, and nothing says which.
"""

import re
import unicodedata
from datetime import date
from functools import cache

_FIRST_DAYS = (
    # From 1873, when Japan took the Gregorian calendar; days before had another.
    (("明治", "M"), date(1873, 1, 1), 1868),
    (("大正", "T"), date(1912, 7, 30), 1912),
    (("昭和", "S"), date(1926, 12, 25), 1926),
    (("平成", "H"), date(1989, 1, 8), 1989),
    (("令和", "R"), date(2019, 5, 1), 2019),
)
_PARTS = {
    "%EC": f"(?P<era>{'|'.join(name for names, _, _ in _FIRST_DAYS for name in names)})",
    "%Ey": r"(?P<year>元|\d{1,2})",
    "%m": r"(?P<month>\d{1,2})",
    "%d": r"(?P<day>\d{1,2})",
}


def is_era_format(pattern: str) -> bool:
    """Does the format name an era?"""
    return "%E" in pattern


def problem_of(pattern: str) -> str | None:
    """Why a format with an era cannot be used; None if it can."""
    parts = re.findall(r"%E?.", pattern)
    if sorted(parts) != sorted(_PARTS):
        return f"{pattern!r} must hold %EC, %Ey, %m and %d, once each, and no other part"
    return None


def era_date(text: str, pattern: str) -> date | None:
    """The day that a text names in a format with an era; None where it does not fit.

    One-character eras (㋿), full-width digits and letters are read as their plain forms.
    """
    found = _expression(pattern).fullmatch(unicodedata.normalize("NFKC", text).upper())
    if found is None:
        return None
    year = 1 if found["year"] == "元" else int(found["year"])
    for index, (names, first, begin) in enumerate(_FIRST_DAYS):
        if found["era"] not in names or year == 0:
            continue
        try:
            day = date(begin + year - 1, int(found["month"]), int(found["day"]))
        except ValueError:
            return None
        is_over = index + 1 < len(_FIRST_DAYS) and day >= _FIRST_DAYS[index + 1][1]
        return None if is_over or day < first else day
    return None


@cache
def _expression(pattern: str) -> re.Pattern[str]:
    plain = unicodedata.normalize("NFKC", pattern)
    parts = re.split(r"(%E?.)", plain)
    return re.compile("".join(_PARTS.get(part) or re.escape(part.upper()) for part in parts))
