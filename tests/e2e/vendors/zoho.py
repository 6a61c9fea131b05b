"""Zoho CRM, whose stages are shared by the pipelines and whose clock counts whole seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from decimal import Decimal

from sandbox.company import Company
from sandbox.company.clock import business_date, instant
from sandbox.company.goods import Order
from sandbox.company.hubspot_work import product_id
from sandbox.company.ledger import Invoice
from sandbox.company.model import Deal
from sandbox.company.zoho import PIPELINE_IDS, by_second, stage_value
from sandbox.company.zoho_goods import FIRST_CASE, FIRST_ORDER, order_money
from sandbox.company.zoho_invoices import changed_at, invoice_id, is_settled
from sandbox.company.zoho_record import own_id
from sandbox.zoho import CLIENT, REFRESH_TOKEN, SECRET, ZohoServer, ZohoState
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    GoodsTruth,
    InvoiceRow,
    Served,
    StageEntry,
    TicketRow,
    activities_shown,
    deal_row,
    invoice_row,
    ticket_row,
)
from tests.e2e.vendors.whole_orders import whole_orders


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's organisation, two minutes on: the last one is left to the next run."""
    state = ZohoState(now=instant(company.world.today) + timedelta(minutes=2))
    state.load(company.zoho)
    with ZohoServer(state) as server:
        yield Served(
            f'[sources.zoho.zoho]\nbase_url = "{server.url}"\ndata_center = "eu"\n'
            f'client_id = "{CLIENT}"\nconcurrency = 10\n',
            {"client_secret": SECRET, "refresh_token": REFRESH_TOKEN},
            lambda: server.errors,
        )


def stage_key(one: Deal, stage: str) -> str:
    """A stage of the pipeline of today: that it was another one nothing tells."""
    return f"zoho:{PIPELINE_IDS[one.pipeline.id]}:{stage_value(stage)}"


def entries(one: Deal) -> list[StageEntry]:
    """The stays, but for those that ended in the second in which they began."""
    found: list[StageEntry] = []
    for edit in by_second(one.stages):
        key = stage_key(one, edit.value)
        if not found or found[-1][0] != key:
            found.append((key, instant(edit.at).replace(microsecond=0)))
    return found


def crm(company: Company) -> CrmTruth:
    """The truth, converted leads among it."""
    world = company.world
    live = {one.id for one in world.live_deals}
    emails = sum(
        one.kind == "emails"
        and one.archived_at is None
        and one.deal is not None
        and one.deal.id in live
        for one in world.activities
    )
    return CrmTruth(
        deals={
            f"zoho:{own_id(one.id)}": deal_row(
                company,
                one,
                stage_key(one, one.stage.id),
                company.truth.sales.deals[one.id].owner,
            )
            for one in world.live_deals
        },
        stays={f"zoho:{own_id(one.id)}": entries(one) for one in world.live_deals},
        quotes=sum(len(one.quotes) for one in world.deals),
        lines=sum(len(one.quotes) * len(one.lines) for one in world.deals),
        leads=sum(one.archived_at is None for one in world.leads),
        converted_leads=sum(
            one.archived_at is None and one.deal is not None for one in world.leads
        ),
        activities=activities_shown(company, "calls", "meetings", "tasks") + emails,
    )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The ledger without money and credits: paid is what a status says, and then all of it."""
    found = {}
    for one in company.world.books.invoices:
        if not one.is_billed:
            continue
        row = invoice_row(one)
        nothing = one.amount(0)
        found[f"zoho:{invoice_id(company.world, one)}"] = row._replace(
            status="paid" if is_settled(one) else "open",
            balance=nothing if is_settled(one) else row.gross,
            credited=nothing,
            paid=row.gross if is_settled(one) else nothing,
        )
    return found


def balance_of(one: Invoice, day: date) -> int:
    """What was due on a day: all of it, from its issue until the status says paid or void.

    What was credited or written off Zoho never says.
    """
    is_issued = business_date(one.finalized or one.created) <= day
    is_over = one.status == "void" or is_settled(one)
    return one.gross if is_issued and not (is_over and business_date(changed_at(one)) <= day) else 0


def money(place: int, order: Order) -> tuple[Decimal, Decimal]:
    """Net and tax of the order at a place of the list."""
    found = order_money(place, order)
    return order.net - found.discount, found.tax_of_lines + found.tax


def goods(company: Company) -> GoodsTruth:
    """Whole orders; nothing says what is a service."""
    return whole_orders(
        company,
        "zoho",
        order_key=lambda place: f"zoho:{own_id(FIRST_ORDER + place)}",
        deal_key=lambda deal: f"zoho:{own_id(deal)}",
        product_key=lambda product: f"zoho:{own_id(product_id(product))}",
        money=money,
        ships_services=True,
        tells_reserved=True,
    )


def tickets(company: Company) -> dict[str, TicketRow]:
    """The cases, none of them more than high."""
    found = {}
    for place, one in enumerate(company.world.goods.tickets):
        row = ticket_row(one, f"zoho:{own_id(one.deal.id)}" if one.deal else None)
        if row.severity == "critical":
            row = row._replace(severity="high")
        found[f"zoho:{own_id(FIRST_CASE + place)}"] = row
    return found


CASE = Case("zoho", serve, crm, invoices, balance_of, goods, tickets)
