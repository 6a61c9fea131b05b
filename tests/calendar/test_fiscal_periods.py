"""Fiscal periods: every day belongs to exactly one month, quarter, year and week."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeledger.calendar import (
    GRAINS,
    CalendarError,
    FiscalCalendar,
    FiscalPeriod,
    find_problems,
    fiscal_periods,
)

RULES = st.builds(
    FiscalCalendar,
    pattern=st.sampled_from(["months", "4-4-5", "4-5-4", "5-4-4"]),
    start_month=st.integers(1, 12),
    named_by=st.sampled_from(["end", "start"]),
    anchor=st.sampled_from(["ends_on_last", "ends_nearest", "starts_on_last"]),
    anchor_month=st.integers(1, 12),
    weekday=st.integers(0, 6),
    week_starts_on=st.integers(0, 6),
)
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def of_day(periods: list[FiscalPeriod], grain: str, day: date) -> str:
    """The one period of a grain that holds the day."""
    found = [
        p.period_key for p in periods if p.grain == grain and p.start_date <= day <= p.end_date
    ]
    assert len(found) == 1
    return found[0]


@given(RULES, DAYS, st.integers(0, 1500))
def test_every_day_lies_in_exactly_one_period_of_each_grain(
    calendar: FiscalCalendar, first: date, length: int
) -> None:
    """A day in two quarters is counted twice, a day in none is lost from every report."""
    last = first + timedelta(days=length)

    periods = fiscal_periods(calendar, first, last)

    for grain in GRAINS:
        rows = [period for period in periods if period.grain == grain]
        assert rows[0].start_date <= first
        assert rows[-1].end_date >= last
        assert all(a.end_date + timedelta(days=1) == b.start_date for a, b in pairwise(rows))


@given(RULES, DAYS)
def test_quarters_partition_years_and_months_partition_quarters(
    calendar: FiscalCalendar, day: date
) -> None:
    """A quarter that hangs over its year would break every year-to-date sum."""
    periods = fiscal_periods(calendar, day, day)

    (year,) = [period for period in periods if period.grain == "year"]
    quarters = [period for period in periods if period.grain == "quarter"]
    months = [period for period in periods if period.grain == "month"]
    assert [quarter.fiscal_quarter for quarter in quarters] == [1, 2, 3, 4]
    assert [month.fiscal_month for month in months] == list(range(1, 13))
    assert (quarters[0].start_date, quarters[-1].end_date) == (year.start_date, year.end_date)
    for quarter, of_quarter in zip(
        quarters, (months[i : i + 3] for i in (0, 3, 6, 9)), strict=True
    ):
        assert of_quarter[0].start_date == quarter.start_date
        assert of_quarter[-1].end_date == quarter.end_date


@given(RULES, DAYS)
def test_year_names_never_repeat_or_skip(calendar: FiscalCalendar, first: date) -> None:
    """A 52-week year that ends on 2 January must not share its name with the next one."""
    periods = fiscal_periods(calendar, first, first + timedelta(days=3000))

    years = [period.fiscal_year for period in periods if period.grain == "year"]
    assert years == list(range(years[0], years[0] + len(years)))
    assert len({period.period_key for period in periods}) == len(periods)


@given(RULES.filter(lambda calendar: calendar.pattern != "months"), DAYS)
def test_week_years_have_52_or_53_weeks_and_say_which(calendar: FiscalCalendar, day: date) -> None:
    """Year on year shifts by a week unless the long year is known as such."""
    periods = fiscal_periods(calendar, day, day)

    (year,) = [period for period in periods if period.grain == "year"]
    weeks = [period for period in periods if period.grain == "week"]
    assert len(weeks) == (53 if year.is_53rd_week_year else 52)
    assert all((week.end_date - week.start_date).days == 6 for week in weeks)


@given(RULES.filter(lambda calendar: calendar.pattern != "months"), DAYS)
def test_week_years_keep_to_their_weekday(calendar: FiscalCalendar, day: date) -> None:
    """A year that ends on "the last Saturday" must end on a Saturday, whichever year it is."""
    (year,) = [p for p in fiscal_periods(calendar, day, day) if p.grain == "year"]

    anchored = year.start_date if calendar.anchor == "starts_on_last" else year.end_date
    assert anchored.weekday() == calendar.weekday


def test_the_year_that_starts_in_february_is_named_by_its_end() -> None:
    """15 October 2026 lies in the third quarter of FY2027 = August to October."""
    periods = fiscal_periods(FiscalCalendar(start_month=2), date(2026, 10, 15), date(2026, 10, 15))

    day = date(2026, 10, 15)
    assert [of_day(periods, grain, day) for grain in GRAINS] == [
        *("FY2027-M09", "FY2027-Q3", "FY2027", "FY2027-W38")
    ]
    (quarter,) = [period for period in periods if period.period_key == "FY2027-Q3"]
    assert (quarter.start_date, quarter.end_date) == (date(2026, 8, 1), date(2026, 10, 31))


def test_the_calendar_year_needs_no_rule() -> None:
    """Most companies close in December."""
    periods = fiscal_periods(FiscalCalendar(), date(2026, 3, 31), date(2026, 3, 31))

    assert of_day(periods, "quarter", date(2026, 3, 31)) == "FY2026-Q1"


def test_a_year_that_starts_on_the_last_sunday_of_january_starts_then() -> None:
    """25 January 2026 is that Sunday; a year later it is the 31st, 53 weeks on."""
    rule = FiscalCalendar(pattern="4-4-5", anchor="starts_on_last", anchor_month=1, weekday=6)

    (year,) = [
        p for p in fiscal_periods(rule, date(2026, 6, 1), date(2026, 6, 1)) if p.grain == "year"
    ]

    assert (year.period_key, year.start_date, year.end_date, year.is_53rd_week_year) == (
        *("FY2027", date(2026, 1, 25), date(2027, 1, 30), True),
    )


def test_the_last_saturday_of_january_makes_fiscal_2023_of_nrf_a_long_year() -> None:
    """The retail calendar ends on the Saturday nearest to 31 January: 3 February 2024."""
    rule = FiscalCalendar(
        pattern="4-5-4", anchor="ends_nearest", anchor_month=1, weekday=5, named_by="start"
    )

    periods = fiscal_periods(rule, date(2023, 6, 1), date(2024, 6, 1))

    years = {period.period_key: period for period in periods if period.grain == "year"}
    assert (years["FY2023"].start_date, years["FY2023"].end_date) == (
        *(date(2023, 1, 29), date(2024, 2, 3)),
    )
    assert [years["FY2023"].is_53rd_week_year, years["FY2024"].is_53rd_week_year] == [True, False]
    (last_month,) = [period for period in periods if period.period_key == "FY2023-M12"]
    assert (last_month.end_date - last_month.start_date).days + 1 == 5 * 7


def custom(*rows: tuple[str, int, date, date]) -> FiscalCalendar:
    """A calendar of quarters that somebody wrote down."""
    return FiscalCalendar(
        pattern="custom",
        periods=tuple(
            FiscalPeriod(key, "quarter", key, start, end, year, int(key[-1]))
            for key, year, start, end in rows
        ),
    )


def test_a_table_of_quarters_gains_its_years_and_weeks() -> None:
    """A company whose rule fits no pattern writes its quarters down and gets the rest."""
    calendar = custom(
        ("FY2026-Q1", 2026, date(2026, 1, 1), date(2026, 4, 2)),
        ("FY2026-Q2", 2026, date(2026, 4, 3), date(2026, 7, 1)),
    )

    periods = fiscal_periods(calendar, date(2026, 1, 1), date(2026, 7, 1))

    (year,) = [period for period in periods if period.grain == "year"]
    assert (year.start_date, year.end_date) == (date(2026, 1, 1), date(2026, 7, 1))
    assert of_day(periods, "quarter", date(2026, 4, 2)) == "FY2026-Q1"
    assert of_day(periods, "week", date(2026, 4, 2)) == "FY2026-W14"


def test_overlapping_periods_are_refused_and_both_are_named() -> None:
    """Whoever mends the settings has to find the two lines."""
    calendar = custom(
        ("FY2026-Q1", 2026, date(2026, 1, 1), date(2026, 4, 2)),
        ("FY2026-Q2", 2026, date(2026, 4, 1), date(2026, 7, 1)),
    )

    with pytest.raises(CalendarError) as refused:
        fiscal_periods(calendar, date(2026, 1, 1), date(2026, 7, 1))

    assert str(refused.value) == (
        "FY2026-Q1 (2026-01-01 to 2026-04-02) and FY2026-Q2 (2026-04-01 to 2026-07-01)"
        " overlap from 2026-04-01 to 2026-04-02"
    )


def test_a_gap_between_periods_is_refused_and_both_are_named() -> None:
    """A deal won on such a day would be in no quarter's bookings."""
    calendar = custom(
        ("FY2026-Q1", 2026, date(2026, 1, 1), date(2026, 3, 30)),
        ("FY2026-Q2", 2026, date(2026, 4, 1), date(2026, 7, 1)),
    )

    with pytest.raises(CalendarError) as refused:
        fiscal_periods(calendar, date(2026, 1, 1), date(2026, 7, 1))

    assert str(refused.value) == (
        "between FY2026-Q1 (2026-01-01 to 2026-03-30) and FY2026-Q2 (2026-04-01 to 2026-07-01)"
        " the days 2026-03-31 to 2026-03-31 have no quarter"
    )


def test_one_name_for_two_periods_is_refused() -> None:
    """Quotas name their period; two of one name would both claim it."""
    quarter = FiscalPeriod("Q1", "quarter", "Q1", date(2026, 1, 1), date(2026, 3, 31), 2026, 1)
    other = FiscalPeriod("Q1", "quarter", "Q1", date(2026, 4, 1), date(2026, 6, 30), 2026, 2)

    assert find_problems([quarter, other]) == [
        "two periods have one name: Q1 (2026-01-01 to 2026-03-31) and Q1 (2026-04-01 to 2026-06-30)"
    ]


def test_values_out_of_range_are_refused_together() -> None:
    """One run of the settings check shows every mistake."""
    with pytest.raises(CalendarError) as refused:
        FiscalCalendar(start_month=13, weekday=7)

    assert refused.value.problems == (
        "start_month is 13, not 1 to 12",
        "weekday is 7, not 0 to 6",
    )
