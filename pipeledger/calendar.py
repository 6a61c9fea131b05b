"""Fiscal periods: which days belong to which month, quarter, year and week of the business.

A calendar is a rule (a start month, or 4-4-5 weeks and their kin) or a table of periods that
somebody wrote down. Either way `fiscal_periods` gives plain rows; they become the table
``config.fiscal_periods`` and from there ``dim_fiscal_period`` and ``dim_date``.

Sources of the rules: 4-4-5 and the 53rd week as in the National Retail Federation's calendar
and in ASC 280 filers' "last Saturday of January" years: a year has 52 weeks unless the next
anchor lies 53 weeks away, and the extra week belongs to its last month.
"""

import calendar as month_table
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import Final, Literal, TypeAlias

Grain: TypeAlias = Literal["month", "quarter", "year", "week"]
Pattern: TypeAlias = Literal["months", "4-4-5", "4-5-4", "5-4-4", "custom"]
Anchor: TypeAlias = Literal["ends_on_last", "ends_nearest", "starts_on_last"]

GRAINS: Final[tuple[Grain, ...]] = ("month", "quarter", "year", "week")
WEEKS_OF_MONTHS: Final = {"4-4-5": (4, 4, 5), "4-5-4": (4, 5, 4), "5-4-4": (5, 4, 4)}
DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)


class CalendarError(ValueError):
    """A calendar that does not give each day exactly one period; one line per problem."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Keep the problems, so that settings can report them beside others."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """One period: ``start_date`` and ``end_date`` both belong to it."""

    period_key: str
    grain: Grain
    label: str
    start_date: date
    end_date: date
    fiscal_year: int
    fiscal_quarter: int | None = None
    """1 to 4; None for a year. A week has that of its first day."""
    fiscal_month: int | None = None
    """1 to 12 within the fiscal year; None for a year or quarter."""
    is_53rd_week_year: bool = False

    def __str__(self) -> str:
        """Name the period with its days, as a message shows it."""
        return f"{self.period_key} ({self.start_date} to {self.end_date})"


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """How a company cuts time.

    ``months``: calendar months, the year begins on the first of ``start_month``.
    ``4-4-5`` and kin: whole weeks. ``anchor`` says where a year ends or starts: on the last
    ``weekday`` (0 = Monday) of ``anchor_month``, or on the one nearest to that month's end.
    ``custom``: the rows of ``periods``; quarters and years that are not given are put
    together from the months.
    """

    pattern: Pattern = "months"
    start_month: int = 1
    named_by: Literal["end", "start"] = "end"
    """FY2027 is the year that ends (or starts) in 2027."""
    anchor: Anchor = "ends_on_last"
    anchor_month: int = 1
    weekday: int = 5
    week_starts_on: int = 0
    """First weekday of reporting weeks where the pattern does not itself count in weeks."""
    periods: tuple[FiscalPeriod, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values outside their range, all at once."""
        problems = [
            f"{name} is {value}, not {low} to {high}"
            for name, value, low, high in (
                ("start_month", self.start_month, 1, 12),
                ("anchor_month", self.anchor_month, 1, 12),
                ("weekday", self.weekday, 0, 6),
                ("week_starts_on", self.week_starts_on, 0, 6),
            )
            if not low <= value <= high
        ]
        if (self.pattern == "custom") != bool(self.periods):
            problems.append("a custom calendar needs periods, and only a custom one has them")
        if problems:
            raise CalendarError(problems)


def fiscal_periods(calendar: FiscalCalendar, first: date, last: date) -> list[FiscalPeriod]:
    """Every period, of all grains, of the fiscal years that touch ``first`` to ``last``.

    Years are always whole, so that quarters partition them. A custom calendar gives what its
    table holds, whole years likewise. Rows are sorted by grain (month, quarter, year, week)
    and date.

    Raises:
        CalendarError: ``first`` after ``last``, or days with no period or two of a grain.
    """
    if first > last:
        raise CalendarError([f"the first day {first} lies after the last {last}"])
    if calendar.pattern == "custom":
        found = _complete(calendar)
    else:
        months = [
            month
            for year, start, end in _years(calendar, first, last)
            for month in _months(calendar, year, start, end)
        ]
        quarters, years = _joined(months, "quarter"), _joined(months, "year")
        found = [*months, *quarters, *years, *_weeks(calendar, years, months)]
    if problems := find_problems(found):
        raise CalendarError(problems)
    touched = {
        period.fiscal_year
        for period in found
        if period.grain == "year" and period.start_date <= last and period.end_date >= first
    }
    return sorted(
        (period for period in found if period.fiscal_year in touched),
        key=lambda period: (GRAINS.index(period.grain), period.start_date),
    )


def find_problems(periods: Iterable[FiscalPeriod]) -> list[str]:
    """Say where periods of one grain overlap or leave a gap, and where names repeat.

    Each message names both periods. Quarters and months that do not begin and end with their
    year are told as well.
    """
    rows = sorted(periods, key=lambda period: (GRAINS.index(period.grain), period.start_date))
    problems = [
        f"{period} ends before it starts" for period in rows if period.end_date < period.start_date
    ]
    seen: dict[str, FiscalPeriod] = {}
    for period in rows:
        if period.period_key in seen:
            problems.append(f"two periods have one name: {seen[period.period_key]} and {period}")
        seen.setdefault(period.period_key, period)
    for _, of_grain in groupby(rows, key=lambda period: period.grain):
        problems.extend(_breaks(list(of_grain)))
    years = {period.fiscal_year: period for period in rows if period.grain == "year"}
    for year in years.values():
        for grain in ("quarter", "month"):
            parts = [p for p in rows if p.grain == grain and p.fiscal_year == year.fiscal_year]
            if parts and (parts[0].start_date, parts[-1].end_date) != (
                year.start_date,
                year.end_date,
            ):
                problems.append(f"{parts[0]} to {parts[-1]} do not make up {year}")
    return problems


def _breaks(rows: Sequence[FiscalPeriod]) -> Iterator[str]:
    """Overlaps and gaps between neighbours of one grain, sorted by start."""
    reach: FiscalPeriod | None = None
    for earlier, later in pairwise(rows):
        reach = earlier if reach is None or earlier.end_date > reach.end_date else reach
        if later.start_date <= reach.end_date:
            until = min(reach.end_date, later.end_date)
            yield f"{reach} and {later} overlap from {later.start_date} to {until}"
        elif later.start_date > reach.end_date + DAY:
            gap_end = later.start_date - DAY
            yield f"between {reach} and {later} the days {reach.end_date + DAY} to {gap_end} have no {later.grain}"  # noqa: E501 - one message, one line


def _years(calendar: FiscalCalendar, first: date, last: date) -> Iterator[tuple[int, date, date]]:
    """Yield (name, first day, last day) of each fiscal year that touches the span."""
    for calendar_year in range(max(first.year - 2, 2), min(last.year + 2, 9998) + 1):
        start, end = _start(calendar, calendar_year), _start(calendar, calendar_year + 1) - DAY
        if start <= last and end >= first:
            yield _name(calendar, calendar_year), start, end


def _start(calendar: FiscalCalendar, year: int) -> date:
    """First day of the fiscal year that nominally begins in (or right after) ``year``."""
    if calendar.pattern == "months":
        return date(year, calendar.start_month, 1)
    anchored = _last_weekday(year, calendar.anchor_month, calendar.weekday)
    if calendar.anchor == "starts_on_last":
        return anchored
    if calendar.anchor == "ends_nearest":
        month_end = _month_end(year, calendar.anchor_month)
        if month_end - anchored > timedelta(days=3):
            anchored += WEEK
    return anchored + DAY


def _name(calendar: FiscalCalendar, year: int) -> int:
    """Number of the fiscal year that starts in ``year``, by its nominal first and last month.

    Nominal, because a 52-week year named 2026 may end on 2 January 2027.
    """
    if calendar.pattern == "months":
        starts_with_the_year = calendar.start_month == 1
        return year if calendar.named_by == "start" or starts_with_the_year else year + 1
    if calendar.named_by == "end" or calendar.anchor_month == 12:
        return year + 1
    return year


def _months(calendar: FiscalCalendar, year: int, start: date, end: date) -> Iterator[FiscalPeriod]:
    """Twelve months of a fiscal year; a 53rd week lengthens the last one."""
    n_weeks = ((end - start).days + 1) // 7
    long = calendar.pattern != "months" and n_weeks == 53
    first = start
    for number in range(1, 13):
        if calendar.pattern == "months":
            last = _month_end(first.year, first.month)
            label = f"{month_table.month_abbr[first.month]} {first.year}"
        else:
            last = first + WEEKS_OF_MONTHS[calendar.pattern][(number - 1) % 3] * WEEK - DAY
            label = f"FY{year} M{number:02}"
        if number == 12:
            last = end
        quarter = (number + 2) // 3
        yield FiscalPeriod(
            *(f"FY{year}-M{number:02}", "month", label, first, last, year, quarter, number, long)
        )
        first = last + DAY


def _joined(parts: Sequence[FiscalPeriod], grain: Literal["quarter", "year"]) -> list[FiscalPeriod]:
    """Quarters or years put together from their parts, which are sorted by date."""
    found: dict[tuple[int, int | None], list[FiscalPeriod]] = {}
    for part in parts:
        quarter = part.fiscal_quarter if grain == "quarter" else None
        found.setdefault((part.fiscal_year, quarter), []).append(part)
    return [
        FiscalPeriod(
            period_key=f"FY{year}" if quarter is None else f"FY{year}-Q{quarter}",
            grain=grain,
            label=f"FY{year}" if quarter is None else f"FY{year} Q{quarter}",
            start_date=min(part.start_date for part in of),
            end_date=max(part.end_date for part in of),
            fiscal_year=year,
            fiscal_quarter=quarter,
            is_53rd_week_year=any(part.is_53rd_week_year for part in of),
        )
        for (year, quarter), of in found.items()
    ]


def _weeks(
    calendar: FiscalCalendar, years: Sequence[FiscalPeriod], months: Sequence[FiscalPeriod]
) -> Iterator[FiscalPeriod]:
    """Weeks of each year; the first and last are cut where the year does not keep to weeks."""
    by_weeks = calendar.pattern in WEEKS_OF_MONTHS
    for year in years:
        of_year = [month for month in months if month.fiscal_year == year.fiscal_year]
        first, number = year.start_date, 1
        while first <= year.end_date:
            length = 7 if by_weeks else 7 - (first.weekday() - calendar.week_starts_on) % 7
            last = min(first + timedelta(days=length - 1), year.end_date)
            month = next((one for one in of_year if one.start_date <= first <= one.end_date), None)
            yield FiscalPeriod(
                period_key=f"{year.period_key}-W{number:02}",
                grain="week",
                label=f"{year.label} W{number:02}",
                start_date=first,
                end_date=last,
                fiscal_year=year.fiscal_year,
                fiscal_quarter=month.fiscal_quarter if month else None,
                fiscal_month=month.fiscal_month if month else None,
                is_53rd_week_year=year.is_53rd_week_year,
            )
            first, number = last + DAY, number + 1


def _complete(calendar: FiscalCalendar) -> list[FiscalPeriod]:
    """A custom table with the grains that it leaves out."""
    rows = sorted(calendar.periods, key=lambda period: period.start_date)
    of: dict[Grain, list[FiscalPeriod]] = {
        grain: [row for row in rows if row.grain == grain] for grain in GRAINS
    }
    if not of["quarter"] and all(row.fiscal_quarter for row in of["month"]):
        of["quarter"] = _joined(of["month"], "quarter")
    if not of["year"]:
        of["year"] = _joined(of["quarter"] or of["month"], "year")
    if problems := find_problems([*of["month"], *of["quarter"], *of["year"], *of["week"]]):
        raise CalendarError(problems)
    if not of["week"]:
        of["week"] = list(_weeks(calendar, of["year"], of["month"] or of["quarter"]))
    return [row for grain in GRAINS for row in of[grain]]


def _month_end(year: int, month: int) -> date:
    """Last day of a calendar month."""
    return date(year, month, month_table.monthrange(year, month)[1])


def _last_weekday(year: int, month: int, weekday: int) -> date:
    """Last such weekday of a calendar month, 0 = Monday."""
    end = _month_end(year, month)
    return end - timedelta(days=(end.weekday() - weekday) % 7)
