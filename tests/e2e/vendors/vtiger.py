"""Vtiger: amounts in the base currency, one pipeline, no history, and payments as a sum."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sandbox.company import Company
from sandbox.company.clock import business_date
from sandbox.company.ledger import Invoice
from sandbox.company.model import Deal
from sandbox.company.people import BY_OWNER, QUEUE_OWNER_ID
from sandbox.company.vtiger import STAGE_NAMES, base_amount, stage_name
from sandbox.company.vtiger_goods import FIRST_ORDER, FIRST_TICKET, order_money, sold
from sandbox.company.vtiger_invoices import changed_at, invoice_number, is_settled, received
from sandbox.vtiger import ACCESS_KEY, ADMIN, VtigerServer, VtigerState
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    DealRow,
    GoodsTruth,
    InvoiceRow,
    Served,
    TicketRow,
    activities_shown,
    deal_row,
    invoice_row,
    ticket_row,
)
from tests.e2e.vendors.whole_orders import whole_orders


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's Vtiger."""
    state = VtigerState()
    state.picklists["Potentials", "sales_stage"] = STAGE_NAMES
    state.load(company.vtiger)
    with VtigerServer(state) as server:
        yield Served(
            f'[sources.vtiger.vtiger]\nbase_url = "{server.url}"\nusername = "{ADMIN}"\n'
            "concurrency = 8\n",
            {"access_key": ACCESS_KEY},
            lambda: server.errors,
        )


def owner(company: Company, owner_id: str | None) -> str:
    """A person who is still here, a group, or nobody that Vtiger shows."""
    rep = BY_OWNER.get(owner_id or "")
    if owner_id == QUEUE_OWNER_ID:
        return f"vtiger:20x{owner_id}"
    day = business_date(company.world.today)
    return rep.email if rep is not None and rep.row(day) is not None else "unknown"


def row(company: Company, one: Deal) -> DealRow:
    """A deal in euro; a closed one is dated by its close, and nothing tells of a re-opening."""
    found = deal_row(
        company,
        one,
        f"vtiger:default:{stage_name(one.stage)}",
        owner(company, one.owners[-1].value),
        currency="EUR",
        amount=base_amount(company.world, one),
    )
    return found._replace(n_reopened=0, expected_close=found.closed_date or found.expected_close)


def crm(company: Company) -> CrmTruth:
    """The truth without histories."""
    world = company.world
    return CrmTruth(
        deals={f"vtiger:13x{one.id}": row(company, one) for one in world.live_deals},
        stays=None,
        quotes=sum(len(one.quotes) for one in world.deals),
        lines=sum(len(one.quotes) * len(one.lines) for one in world.deals),
        # Who was converted before the first reading is in no list.
        leads=sum(one.archived_at is None and one.deal is None for one in world.leads),
        converted_leads=0,
        activities=activities_shown(company, "calls", "meetings", "tasks"),
        tells_loss_reasons=False,
    )


def settled(one: Invoice) -> int:
    """What counts as paid: all of it where the status says so, else what was received."""
    return one.gross if is_settled(one) else received(one)


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The ledger without credits and write-offs: what is not received is due until set to Paid."""
    found = {}
    for one in company.world.books.invoices:
        if not one.is_billed:
            continue
        found[f"vtiger:7x{invoice_number(company.world, one)}"] = invoice_row(one)._replace(
            status="paid" if settled(one) == one.gross else "open",
            balance=one.amount(one.gross - settled(one)),
            credited=one.amount(0),
            paid=one.amount(settled(one)),
        )
    return found


def balance_of(one: Invoice, day: date) -> int:
    """What was due on a day: all of it until the last edit, the only date that there is.

    One that was cancelled is due no more from then on, and none that is a draft ever was.
    """
    if business_date(one.finalized or one.created) > day:
        return 0
    if business_date(changed_at(one)) > day:
        return one.gross
    return 0 if one.status == "void" else one.gross - settled(one)


def goods(company: Company) -> GoodsTruth:
    """Whole orders; services are never shipped."""
    return whole_orders(
        company,
        "vtiger",
        order_key=lambda place: f"vtiger:6x{FIRST_ORDER + place}",
        deal_key=lambda deal: f"vtiger:13x{deal}",
        product_key=lambda product: f"vtiger:{sold(product)}",
        money=order_money,
        ships_services=False,
        tells_reserved=False,
    )


def tickets(company: Company) -> dict[str, TicketRow]:
    """The cases."""
    return {
        f"vtiger:17x{FIRST_TICKET + place}": ticket_row(one)
        for place, one in enumerate(company.world.goods.tickets)
    }


CASE = Case("vtiger", serve, crm, invoices, balance_of, goods, tickets)
