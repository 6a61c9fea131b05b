"""Orders, goods, cash and service after the deal equal what the company really did."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from sandbox.company.goods import UNCOUNTED
from sandbox.company.hubspot_work import product_id
from sandbox.company.truth_after_deal import (
    STEPS,
    count_bills,
    count_committed,
    count_service,
    count_stock,
    count_won_deals,
    expect_payments,
)
from tests.e2e.road import Road, differences, keyed

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("company"), pytest.mark.timeout(900)),
]


def test_every_won_deal_is_as_far_as_it_is(road: Road) -> None:
    """Order to cash: the lag of each step, the goods that are there, and where it is stuck."""
    truth = count_won_deals(road.company.world, road.company.truth.money.deals)
    expected = {
        f"hubspot:{deal}": (
            *(one.lags[step] for step in STEPS),
            *(one.orders, one.delivered_share, one.billed_before_delivered),
            *(one.delivered_not_billed, one.stuck),
        )
        for deal, one in truth.items()
    }

    found = road.rows(
        "select deal_key, "
        + ", ".join(f"{step}_lag_days" for step in STEPS)
        + ", n_orders, round(delivered_share, 9), is_billed_before_delivered, "
        "is_delivered_not_billed, stuck_step from marts.mart_order_to_cash"
    )

    assert {*STEPS, None} == {one.stuck for one in truth.values()}
    assert any(one.delivered_share not in {None, 0, 1} for one in truth.values())
    assert [] == differences(expected, keyed(found))


def test_every_bill_owes_what_is_left_of_it(road: Road) -> None:
    """A bill paid twice owes nothing, and what is too much is not lost."""
    truth = count_bills(road.company.world)
    expected = {f"plan:{bill}": told for bill, told in truth.items()}

    found = road.rows("select bill_key, status, balance_amt, overpaid_amt from marts.fct_bill")

    assert {"open", "paid", "void"} == {status for status, _, _ in truth.values()}
    assert any(overpaid for _, _, overpaid in truth.values())
    assert [] == differences(expected, keyed(found))


def test_cash_is_forecast_by_what_was_known(road: Road) -> None:
    """What suppliers get in the weeks to come, and what would have been said weeks before."""
    world = road.company.world
    today = road.company.truth.as_of_date
    monday = today - timedelta(days=today.weekday())
    expected: dict[tuple[date, str], tuple[Decimal, ...]] = {
        key: (amount,) for key, amount in expect_payments(world, today + timedelta(days=1)).items()
    }
    # What is due today already is due today, not tomorrow.
    assert all(week >= monday for week, _ in expected)
    said: dict[tuple[date, str], tuple[Decimal, ...]] = {}
    for past in range(1, 14):
        week = monday - timedelta(weeks=past)
        by_horizon = [expect_payments(world, week - timedelta(weeks=n)) for n in (4, 8, 13)]
        for currency in ("EUR", "USD"):
            told = tuple(-one.get((week, currency), Decimal(0)) for one in by_horizon)
            if any(told):
                said[week, currency] = told

    found = road.rows(
        "select week_start, currency_code, payments_amt from marts.mart_cash_forecast "
        "where source_class = 'bills' and not is_past"
    )
    before = road.rows(
        "select week_start, currency_code, said_4w_amt, said_8w_amt, said_13w_amt "
        "from marts.mart_cash_forecast where source_class = 'bills' and is_past "
        "and (said_4w_amt, said_8w_amt, said_13w_amt) <> (0, 0, 0)"
    )

    assert said
    assert [] == differences(expected, keyed(found, keys=2))
    assert [] == differences(said, keyed(before, keys=2))


def test_receipts_to_come_are_all_that_is_due(road: Road) -> None:
    """By currency: nothing that is open on an invoice is forecast twice or not at all."""
    money = road.company.truth.money.total
    expected = {
        currency: (flow.outstanding_ledger,)
        for currency, flow in money.items()
        if flow.outstanding_ledger
    }

    found = road.rows(
        "select currency_code, sum(receipts_amt) from marts.mart_cash_forecast "
        "where source_class = 'open_invoices' and not is_past group by 1"
    )

    assert [] == differences(expected, keyed(found))


def test_stock_and_what_orders_owe_are_the_companys(road: Road) -> None:
    """Below nothing is below nothing, and a product that nobody counts is not known."""
    world = road.company.world
    stock = count_stock(world)
    expected = {f"hubspot:{product_id(one)}": (held,) for one, held in stock.items()}
    owed = {
        f"hubspot:{product_id(one)}": (quantity,)
        for one, quantity in count_committed(world).items()
    }

    found = road.rows(
        "select product_key, sum(on_hand_qty) from marts.fct_stock where is_newest group by 1"
    )
    lines = road.rows(
        "select product_key, sum(open_qty) from marts.fct_order_line where open_qty > 0 group by 1"
    )
    unknown = road.rows(
        "select product_key from marts.mart_product_demand "
        "where not is_stock_known and product_key <> 'unknown' and shortfall_qty is null"
    )

    assert owed
    assert [] == differences(expected, keyed(found))
    assert [] == differences(owed, keyed(lines))
    assert f"hubspot:{product_id(UNCOUNTED)}" in {key for (key,) in unknown}


def test_service_is_what_customers_called_for(road: Road) -> None:
    """Cases opened, solved and open at each month's end, grave ones apart."""
    truth = count_service(road.company.world)
    expected = {
        (company if company == "unknown" else f"hubspot:{company}", month): (
            *(one.opened, one.solved, one.open_grave, one.open_other),
        )
        for (company, month), one in truth.items()
    }

    found = road.rows(
        "select company_key, strftime(month_start_date, '%Y-%m'), opened_n, solved_n, "
        "open_high_n + open_critical_n, open_low_n + open_normal_n from marts.mart_after_sales "
        "where opened_n + solved_n + open_high_n + open_critical_n + open_low_n + open_normal_n > 0"
    )

    assert any(one.open_grave for one in truth.values())
    assert [] == differences(expected, keyed(found, keys=2))
