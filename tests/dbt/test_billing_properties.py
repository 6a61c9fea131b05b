"""Whatever happens to deals and invoices, every cent of billing has exactly one place.

Each example fills the inputs of the empty company with a random history and runs the very SQL
that dbt compiled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.empty import EmptyCompany, Models

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]

CHAIN = (
    "intermediate/int_invoice_deal_bookings",
    "intermediate/int_invoice_deal_allocations",
    "intermediate/int_invoice_shares",
    "intermediate/int_invoice_billing_events",
    "marts/mart_billed_vs_forecast",
)
"""Models rebuilt for each example, each after those it reads."""
AS_OF = date(2026, 10, 15)
FIRST_QUARTER = date(2026, 2, 1)
QUARTERS = (
    ("FY2027-Q1", date(2026, 2, 1), date(2026, 4, 30)),
    ("FY2027-Q2", date(2026, 5, 1), date(2026, 7, 31)),
    ("FY2027-Q3", date(2026, 8, 1), date(2026, 10, 31)),
)

days = st.integers(0, (AS_OF - FIRST_QUARTER).days).map(lambda n: FIRST_QUARTER + timedelta(n))
euros = st.integers(0, 500_000).map(lambda cents: Decimal(cents) / 100)
rates = st.integers(800, 1_000).map(lambda thousandths: Decimal(thousandths) / 1_000)


@dataclass(frozen=True)
class Deal:
    """A deal in dollars; ``won`` None while open."""

    amount: Decimal
    created: date
    expected: date
    probability: Decimal
    won: date | None
    rate: Decimal


@dataclass(frozen=True)
class Invoice:
    """An invoice in dollars of none, one or several deals, with what became of it."""

    net: Decimal
    issued: date
    voided: date | None
    credit: Decimal
    credited: date
    rate: Decimal
    deals: tuple[int, ...]


deals_of = st.lists(
    st.builds(
        Deal,
        amount=euros,
        created=days,
        expected=days,
        probability=st.sampled_from([Decimal("0.1"), Decimal("0.35"), Decimal("0.9")]),
        won=st.none() | days,
        rate=rates,
    ),
    min_size=1,
    max_size=4,
)
invoices_of = st.lists(
    st.builds(
        Invoice,
        net=euros,
        issued=days,
        voided=st.none() | st.none() | days,
        credit=euros,
        credited=days,
        rate=rates,
        deals=st.lists(st.integers(0, 3), max_size=3, unique=True).map(tuple),
    ),
    max_size=6,
)


@pytest.fixture(scope="module")
def warehouse(
    empty_company: EmptyCompany, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Models]:
    """An empty warehouse with a calendar, and the models of the chain."""
    with empty_company.models(tmp_path_factory.mktemp("billing"), CHAIN) as models:
        for key, start, end in QUARTERS:
            models.insert(
                "config.fiscal_periods",
                period_key=key,
                grain="quarter",
                start_date=start,
                end_date=end,
            )
        yield models


def fill(models: Models, deals: list[Deal], invoices: list[Invoice]) -> Decimal:
    """Write a history into the chain's inputs; return what is billed today in euro."""
    for table in (
        *("marts.fct_deal", "marts.fct_deal_version", "marts.fct_fx_rate"),
        *("intermediate.int_invoices_valued", "intermediate.int_invoice_links"),
        "intermediate.int_credit_notes_current",
    ):
        models.db.execute(f"DELETE FROM {table}")
    for place, deal in enumerate(deals):
        won = deal.won
        common: dict[str, object] = {"deal_key": f"d:{place}", "owner_user_key": "u"}
        common |= {"pipeline_key": "p", "amount_amt": deal.amount}
        common |= {"currency_code": "USD", "is_deleted": False}
        models.insert(
            "marts.fct_deal",
            **common,
            status="won" if won else "open",
            closed_date=won,
            amount_at_won_amt=deal.amount if won else None,
            currency_at_won="USD" if won else None,
            amount_basis="net",
            is_excluded=False,
        )
        models.insert(
            "marts.fct_deal_version",
            **common,
            status="open",
            probability=deal.probability,
            expected_close_date=deal.expected,
            is_merged_away=False,
            valid_from=f"{deal.created} 12:00:00+00",
            valid_to=f"{won} 12:00:00+00" if won and won > deal.created else None,
            seen_from="2026-10-15 06:00:00+00",
            version_no=1,
        )
        models.insert(
            "marts.fct_fx_rate",
            fx_rate_key=f"{place}",
            currency_code="USD",
            rate_type="spot",
            rate_to_rc=deal.rate,
            rate_date=won,
        )
    for key, start, _ in QUARTERS:
        models.insert(
            "marts.fct_fx_rate",
            fx_rate_key=key,
            currency_code="USD",
            rate_type="spot",
            rate_to_rc=Decimal("0.9"),
            rate_date=start,
        )
    # One rate per day: the deals' own days, and the first days of the quarters.
    models.db.execute(
        "DELETE FROM marts.fct_fx_rate WHERE rate_date IS NULL OR fx_rate_key NOT IN"
        " (SELECT min(fx_rate_key) FROM marts.fct_fx_rate GROUP BY rate_date)"
    )
    billed = Decimal(0)
    for place, invoice in enumerate(invoices):
        key = f"i:{place}"
        voided = invoice.voided if invoice.voided and invoice.voided >= invoice.issued else None
        worth = (invoice.net * invoice.rate).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        models.insert(
            "intermediate.int_invoices_valued",
            invoice_key=key,
            currency_code="USD",
            net_amt=invoice.net,
            tax_amt=0,
            gross_amt=invoice.net,
            rate_to_rc=invoice.rate,
            is_billable=True,
            status="void" if voided else "open",
            issue_date=invoice.issued,
            voided_date=voided,
        )
        for index in invoice.deals:
            if index < len(deals):
                models.insert(
                    "intermediate.int_invoice_links",
                    deal_key=f"d:{index}",
                    invoice_key=key,
                    is_accepted=True,
                )
        credit = min(invoice.credit, invoice.net)
        if credit:
            models.insert(
                "intermediate.int_credit_notes_current",
                credit_note_key=f"c:{place}",
                invoice_key=key,
                currency_code="USD",
                net_amt=credit,
                status="issued",
                issue_date=max(invoice.credited, invoice.issued),
            )
        if not voided:
            taken = (credit * invoice.rate).quantize(Decimal("0.01"), "ROUND_HALF_UP")
            billed += worth - taken
    return billed


@settings(
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deals=deals_of, invoices=invoices_of)
def test_every_bridge_closes_and_every_cent_is_billed_once(
    warehouse: Models,
    deals: list[Deal],
    invoices: list[Invoice],
) -> None:
    """A cent lost between forecast, booking and billing is a cent finance cannot explain."""
    billed = fill(warehouse, deals, invoices)

    warehouse.rebuild()

    residuals = warehouse.db.execute(
        "SELECT * FROM marts.mart_billed_vs_forecast WHERE residual_rc <> 0"
    ).fetchall()
    by_deal, by_rollup = warehouse.db.execute(
        "SELECT coalesce(sum(billed_rc) FILTER (row_type <> 'rollup'), 0),"
        " coalesce(sum(billed_rc) FILTER (row_type = 'rollup'), 0)"
        " FROM marts.mart_billed_vs_forecast WHERE scope_type = 'company'"
    ).fetchall()[0]
    lost = warehouse.db.execute(
        "SELECT invoice_key FROM intermediate.int_invoices_valued AS i"
        " WHERE net_amt <> (SELECT sum(allocated_net_amt) FROM intermediate.int_invoice_shares"
        " AS s WHERE s.invoice_key = i.invoice_key)"
    ).fetchall()
    overfull = warehouse.db.execute(
        "SELECT invoice_key FROM intermediate.int_invoice_deal_allocations AS a"
        " JOIN intermediate.int_invoices_valued USING (invoice_key)"
        " GROUP BY invoice_key, net_amt HAVING sum(allocated_net_amt) > net_amt"
    ).fetchall()
    assert [] == residuals
    assert billed == by_deal == by_rollup
    assert [] == lost
    assert [] == overfull
