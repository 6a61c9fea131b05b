"""What follows the deal, through every vendor that knows of it, is what the company really did."""

from collections.abc import Mapping

import pytest

from tests.e2e.every import Every
from tests.e2e.road import differences, keyed
from tests.e2e.vendors import BillRow, GoodsTruth, TicketRow, cases

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("every"), pytest.mark.timeout(900)),
]

SELLING = [case.source for case in cases() if case.goods is not None]
SERVING = [case.source for case in cases() if case.tickets is not None]
BUYING = [case.source for case in cases() if case.bills is not None]


def goods(every: Every, source: str) -> GoodsTruth:
    """What the marts shall hold of orders and stock."""
    told = every.cases[source].goods
    assert told is not None
    return told(every.road.company)


def tickets(every: Every, source: str) -> Mapping[str, TicketRow]:
    """What the marts shall hold of cases."""
    told = every.cases[source].tickets
    assert told is not None
    return told(every.road.company)


def bills(every: Every, source: str) -> Mapping[str, BillRow]:
    """What the marts shall hold of bills."""
    told = every.cases[source].bills
    assert told is not None
    return told(every.road.company)


@pytest.mark.parametrize("source", SELLING)
def test_every_order_is_what_it_is(every: Every, source: str) -> None:
    """Its deal, who ordered, its state, net and tax to the minor unit, and when."""
    expected = goods(every, source).orders

    found = every.road.rows(
        "select order_key, deal_key, any_value(companies.domain), status, currency_code, net_amt, "
        "tax_amt, ordered_at, is_committed from marts.fct_order as orders "
        "left join marts.dim_company as companies "
        "on orders.company_key = companies.company_key and companies.domain is not null "
        f"where orders.connection = '{source}' and not orders.is_deleted "
        "group by all"
    )

    assert {None} < {row.deal_key for row in expected.values()}
    assert len({row.currency for row in expected.values()}) > 1
    assert [] == differences(expected, keyed(found))
    assert [] == every.road.rows(
        f"select 1 from marts.fct_order where connection = '{source}' and (is_status_assumed "
        "or gross_amt <> net_amt + tax_amt or net_rc is null)"
    )


@pytest.mark.parametrize("source", SELLING)
def test_every_line_of_an_order_owes_what_is_left_of_it(every: Every, source: str) -> None:
    """Product, quantity and net, what is with the customer, and what is still to come."""
    expected = goods(every, source).lines

    found = every.road.rows(
        "select order_key, product_key, qty, net_amt, delivered_qty, open_qty, is_deliverable "
        f"from marts.fct_order_line where connection = '{source}' and not is_deleted"
    )

    assert any(owed for *_, owed, _ in expected)
    assert sorted(expected) == sorted(found)


@pytest.mark.parametrize("source", SELLING)
def test_every_delivery_is_dated(every: Every, source: str) -> None:
    """What arrived of each line, and when it was there."""
    expected = goods(every, source).deliveries

    found = every.road.rows(
        "select lines.order_key, product_key, deliveries.shipped_qty, delivered_at "
        "from marts.fct_delivery as deliveries join marts.fct_order_line as lines "
        f"using (order_line_key) where deliveries.connection = '{source}' "
        "and not deliveries.is_deleted and status in ('delivered', 'returned')"
    )

    assert expected
    assert sorted(expected) == sorted(found)


@pytest.mark.parametrize("source", SELLING)
def test_the_newest_stock_is_that_of_the_newest_count(every: Every, source: str) -> None:
    """Below nothing stays below nothing, and what nobody tells is not 0."""
    expected = goods(every, source).stock

    found = every.road.rows(
        "select product_key, warehouse_key, business_date, on_hand_qty, reserved_qty, inbound_qty "
        f"from marts.fct_stock where connection = '{source}' and is_newest"
    )

    assert expected
    assert [] == differences(expected, keyed(found, keys=2))


@pytest.mark.parametrize("source", SERVING)
def test_every_case_is_dated_and_belongs_to_somebody(every: Every, source: str) -> None:
    """Whose it is, also where only a person is named; how grave, and when what happened."""
    expected = tickets(every, source)

    found = every.road.rows(
        "select ticket_key, any_value(companies.domain), deal_key, severity, "
        "n_reopened, opened_at, first_response_at, solved_at "
        "from marts.fct_ticket as tickets left join marts.dim_company as companies "
        "on tickets.company_key = companies.company_key and companies.domain is not null "
        f"where tickets.connection = '{source}' and not tickets.is_deleted "
        "group by all"
    )

    assert len({row.severity for row in expected.values()}) > 1
    assert [] == differences(expected, keyed(found))


@pytest.mark.parametrize("source", BUYING)
def test_every_bill_owes_what_is_left_of_it(every: Every, source: str) -> None:
    """Supplier, kind of cost, money and days, in part paid and paid twice."""
    expected = bills(every, source)

    found = every.road.rows(
        "select bill_key, number, supplier_name, category, currency_code, status, net_amt, "
        "tax_amt, balance_amt, overpaid_amt, issue_date, due_date from marts.fct_bill "
        f"where connection = '{source}' and not is_deleted"
    )

    assert {"open", "paid"} <= {row.status for row in expected.values()}
    assert {"EUR", "USD"} == {row.currency for row in expected.values()}
    assert [] == differences(expected, keyed(found))
    assert [] == every.road.rows(
        f"select 1 from marts.fct_bill where connection = '{source}' "
        "and source_balance_amt <> balance_amt"
    )
