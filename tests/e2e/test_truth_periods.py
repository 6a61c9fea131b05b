"""Receivables and recurring revenue of every month's end equal the company's own ledger."""

import pytest

from sandbox.company.truth_periods import count_ageing, count_mrr, month_ends
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]


def test_receivables_are_aged_as_they_were_on_each_of_36_month_ends(road: Road) -> None:
    """A payment of today must not tidy up a report of the past."""
    expected = count_ageing(road.company.world)

    found = road.rows(
        "select as_of_date, currency_code, bucket, count(*), sum(balance_amt) "
        "from marts.mart_ar_ageing where document_type = 'invoice' group by all"
    )

    days = {day for day, _, _ in expected}
    ends = month_ends(max(days))
    assert {day for day in ends if day >= min(days)} == days
    assert 34 < len(days)
    assert [] == differences(expected, keyed(found, keys=3))


def test_recurring_revenue_of_each_month_is_what_ran_at_its_end(road: Road) -> None:
    """Subscriptions begin and end in the past, too."""
    expected = {key: (amount,) for key, amount in count_mrr(road.company.world).items()}

    found = road.rows(
        "select least(p.end_date, as_of.day), currency_code, sum(mrr_end_amt) "
        "from marts.mart_mrr_movement join marts.dim_fiscal_period as p using (period_key) "
        "cross join (select max(as_of_date) as day from marts.mart_ar_ageing) as as_of "
        "where mrr_end_amt > 0 group by all"
    )

    first = min(day for day, _ in expected)
    told = {key: row for key, row in keyed(found, keys=2).items() if key[0] >= first}
    assert expected
    assert [] == differences(expected, told)


def test_all_that_was_billed_is_earned_or_credited(road: Road) -> None:
    """No cent of a line is earned twice or never."""
    found = road.rows(
        "select count(*) from (select invoice_line_key, sum(billed_amt) as billed, "
        "sum(recognised_amt + credited_amt) as gone from marts.mart_revenue_schedule "
        "group by invoice_line_key) where billed <> gone"
    )
    lines = road.rows(
        "select sum(line.net_amt) - (select sum(billed_amt) from marts.mart_revenue_schedule) "
        "from marts.fct_invoice_line as line join marts.fct_invoice using (invoice_key) "
        "where is_billable"
    )

    assert [(0,)] == found
    assert [(0,)] == lines
