"""The central bank's rates behind the company's own."""

from datetime import date
from decimal import Decimal

import pytest

from tests.e2e.every import Every
from tests.e2e.vendors import cases

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("every"), pytest.mark.timeout(900)),
    pytest.mark.skipif(
        "fx" not in {case.source for case in cases()}, reason="the vendors of this run lack it"
    ),
]


def test_a_weekend_takes_fridays_fixing(every: Every) -> None:
    """Turned round to nine places, with the day that it was fixed."""
    found = every.road.rows(
        "select rate_date, rate_to_rc, filled_from_date, source from marts.fct_fx_rate "
        "where currency_code = 'GBP' and rate_type = 'spot' "
        "and rate_date between '2026-10-08' and '2026-10-13' order by rate_date"
    )

    thursday, friday, monday = (date(2026, 10, day) for day in (8, 9, 12))
    rates = {thursday: "1.145344176", friday: "1.145606599", monday: "1.145475372"}
    assert [
        (day, Decimal(rates[fixed]), fixed, "ECB")
        for day, fixed in [
            (thursday, thursday),
            (friday, friday),
            (date(2026, 10, 10), friday),
            (date(2026, 10, 11), friday),
            (monday, monday),
            (date(2026, 10, 13), monday),
        ]
    ] == found


def test_the_companys_own_file_wins(every: Every) -> None:
    """Finance states the rates of its books."""
    found = every.road.rows(
        "select distinct source_system from marts.fct_fx_rate "
        "where currency_code = 'USD' and rate_type = 'spot'"
    )

    assert [("files",)] == found


def test_a_budget_rate_and_an_irrevocable_one_hold(every: Every) -> None:
    """One for its fiscal year, the other for ever."""
    found = every.road.rows(
        "select currency_code, rate_type, rate_to_rc, filled_from_date from marts.fct_fx_rate "
        "where rate_date = '2026-10-14' and source_system = 'fx' "
        "and (rate_type = 'budget' or currency_code = 'BGN') order by all"
    )

    assert [
        ("BGN", "spot", Decimal("0.511291881"), date(2026, 1, 1)),
        ("BGN", "spot_as_known", Decimal("0.511291881"), date(2026, 1, 1)),
        ("GBP", "budget", Decimal("1.136363636"), date(2026, 2, 1)),
    ] == found
