"""The same ledger in every billing system gives the same invoices, balances and settlements."""

import pytest

from sandbox.company.truth_periods import count_ageing
from tests.e2e.every import Every
from tests.e2e.road import differences, keyed
from tests.e2e.vendors import InvoiceRow, cases

pytestmark = [
    *(pytest.mark.e2e, pytest.mark.slow),
    *(pytest.mark.xdist_group("every"), pytest.mark.timeout(900)),
]

LEDGERS = [case.source for case in cases() if case.invoices is not None]
QUOTING = [source for source in LEDGERS if source in {"chargebee", "quickbooks", "xero"}]
"""Billing systems that hold the quotes of the ledger; a CRM's quotes are held in test_every_crm."""
ISSUED = "is_billable and not is_deleted and status not in ('draft', 'void')"


def truth(every: Every, source: str) -> dict[str, InvoiceRow]:
    """What the marts shall hold of a billing system's invoices."""
    told = every.cases[source].invoices
    assert told is not None
    return dict(told(every.road.company))


@pytest.mark.parametrize("source", LEDGERS)
def test_every_invoice_is_what_it_is(every: Every, source: str) -> None:
    """Net, tax, gross, what was credited and paid, and what is still due, to the minor unit."""
    expected = truth(every, source)

    found = every.road.rows(
        "select invoice_key, number, currency_code, status, net_amt, tax_amt, gross_amt, "
        "balance_amt, credited_gross_amt, paid_gross_amt, issue_date from marts.fct_invoice "
        f"where connection = '{source}' and {ISSUED}"
    )

    assert {"EUR", "USD", "JPY"} == {row.currency for row in expected.values()}
    assert [] == differences(expected, keyed(found))


@pytest.mark.parametrize("source", LEDGERS)
def test_lines_make_their_invoice(every: Every, source: str) -> None:
    """No cent of an invoice lies outside of its lines."""
    expected = {key: (row.net,) for key, row in truth(every, source).items()}

    found = every.road.rows(
        "select invoice_key, sum(line.net_amt) from marts.fct_invoice_line as line "
        "join marts.fct_invoice as invoice using (invoice_key) "
        f"where invoice.connection = '{source}' and invoice.is_billable "
        "and not invoice.is_deleted and invoice.status not in ('draft', 'void') group by all"
    )

    assert [] == differences(expected, keyed(found))


@pytest.mark.parametrize("source", QUOTING)
def test_every_quote_became_its_invoice(every: Every, source: str) -> None:
    """Accepted, worth what its invoice is worth, and none is lost."""
    expected = sorted(
        (one.invoice.currency, one.invoice.amount(one.invoice.net), "accepted")
        for one in every.road.company.world.books.quotes
    )

    found = every.road.rows(
        "select currency_code, net_amt, status from marts.fct_quote "
        f"where connection = '{source}' and not is_deleted order by all"
    )

    assert expected
    assert expected == found


@pytest.mark.parametrize("source", LEDGERS)
def test_receivables_are_aged_as_they_were_on_each_of_36_month_ends(
    every: Every, source: str
) -> None:
    """By currency and bucket, what was due then: a payment of today tidies up no past report."""
    expected = count_ageing(every.road.company.world, every.cases[source].balance_of)

    found = every.road.rows(
        "select as_of_date, currency_code, bucket, count(*), sum(balance_amt) "
        "from marts.mart_ar_ageing where document_type = 'invoice' "
        f"and connection = '{source}' group by all"
    )

    assert 30 < len({day for day, _, _ in expected})
    assert [] == differences(expected, keyed(found, keys=3))


@pytest.mark.parametrize("source", LEDGERS)
def test_no_identity_of_the_ledger_is_broken(every: Every, source: str) -> None:
    """Gross is net and tax, lines are the invoice, our balance is the vendor's own."""
    found = every.road.rows(
        "select check_id, record_key, detail from marts.fct_check_result "
        f"where record_key like '{source}:%' "
        "and check_id in ('B-01', 'B-02', 'B-03', 'B-04', 'B-06', 'B-07', 'B-22')"
    )

    assert [] == found
