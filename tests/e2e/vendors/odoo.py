"""Odoo, which keeps amounts in the company's currency, one team a deal, and its own ledger."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.company import Company
from sandbox.company.clock import instant
from sandbox.company.goods import WAREHOUSES
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import Deal
from sandbox.company.odoo import STAGE_IDS, TEAM_IDS, amount_of, lain_in
from sandbox.company.odoo_goods import order_number, quotation
from sandbox.company.odoo_ledger import move_id
from sandbox.company.pipelines import STAGES
from sandbox.company.truth_periods import balance_without_lost_payments
from sandbox.odoo import API_KEY, DATABASE, LOGIN, OdooServer, OdooState
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    GoodsTruth,
    InvoiceRow,
    OrderRow,
    Served,
    StageEntry,
    TicketRow,
    deal_row,
    invoice_row,
    second,
    ticket_row,
)

KINDS = ("calls", "meetings", "tasks")


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's database."""
    state = OdooState()
    state.install_helpdesk()
    state.load(company.odoo)
    with OdooServer(state) as server:
        yield Served(
            f'[sources.odoo.odoo]\nbase_url = "{server.url}"\ndatabase = "{DATABASE}"\n'
            f'username = "{LOGIN}"\n',
            {"api_key": API_KEY},
            lambda: server.errors,
        )


def stage_key(one: Deal, stage: str, lies: int | None = None) -> str:
    """A stage of the team of today; a lost deal lies in 'lost'."""
    kind = STAGES[stage].kind
    own = "lost" if kind == "lost" else lies or STAGE_IDS[stage]
    return f"odoo:{TEAM_IDS[one.pipeline.id]}:{own}"


def entries(one: Deal) -> list[StageEntry]:
    """The stays, by whole seconds; there are none where nothing was ever tracked."""
    found: list[StageEntry] = []
    for edit, lies, _ in lain_in(one):
        key = stage_key(one, edit.value, lies)
        if not found or found[-1][0] != key:
            found.append((key, instant(edit.at).replace(microsecond=0)))
    return found if len(found) > 1 else []


def crm(company: Company) -> CrmTruth:
    """The truth in euro; a lead that was converted is its deal."""
    world = company.world
    deals = {}
    for one in world.live_deals:
        owner = company.truth.sales.deals[one.id].owner
        deals[f"odoo:{one.id}"] = deal_row(
            company,
            one,
            stage_key(one, one.stage.id),
            owner,
            currency="EUR",
            amount=amount_of(world, one),
        )
    unquoted = [one for one in world.goods.orders if quotation(one) is None]
    waiting = sum(one.archived_at is None and one.deal is None for one in world.leads)
    live = {one.id for one in world.live_deals}
    converted = {one.deal.id for one in world.leads if one.deal and one.archived_at is None} & live
    return CrmTruth(
        deals=deals,
        stays={f"odoo:{one.id}": entries(one) for one in world.live_deals if len(entries(one)) > 1},
        # An order that nobody quoted is a quotation here all the same.
        quotes=sum(len(one.quotes) for one in world.live_deals) + len(unquoted),
        lines=sum(len(one.quotes) * len(one.lines) for one in world.live_deals)
        + sum(len(one.lines) for one in unquoted),
        leads=waiting + len(converted),
        converted_leads=len(converted),
        activities=sum(
            one.kind in KINDS
            and one.archived_at is None
            and (one.deal is None or one.deal.archived_at is None)
            for one in world.activities
        ),
    )


def invoices(company: Company) -> dict[str, InvoiceRow]:
    """The ledger; what is written off is settled, what a dispute took back was never applied."""
    found = {}
    for one in company.world.books.invoices:
        if not one.is_billed:
            continue
        row = invoice_row(one)
        lost = sum(paid.amount for paid in one.payments if paid.dispute_lost)
        is_settled = row.balance == Decimal(0)
        found[f"odoo:{move_id(company.world, one)}"] = row._replace(
            status="paid" if is_settled else "open",
            credited=one.amount(one.lowered + one.from_balance),
            paid=one.amount(one.paid - lost),
        )
    return found


def goods(company: Company) -> GoodsTruth:
    """Orders that were not cancelled, and accepted quotations of deals without one.

    Of what a line says is delivered nobody tells the parts: it is one delivery, as of the newest
    transfer of its order.
    """
    world = company.world
    orders: dict[str, OrderRow] = {}
    lines, deliveries = [], []
    ordered = {order_number(world, one): one for one in world.goods.orders}
    for number, order in ordered.items():
        if order.status == "cancelled":
            continue
        key = f"odoo:{number}"
        orders[key] = OrderRow(
            deal_key=f"odoo:{order.deal.id}" if order.deal else None,
            domain=order.account.domain,
            status=order.status,
            currency=order.currency,
            net=order.net,
            tax=Decimal(0),
            ordered_at=second(order.at),
            is_committed=True,
        )
        for one in order.lines:
            product = f"odoo:{product_id(one.line.product)}"
            quantity, arrived = Decimal(one.line.quantity), Decimal(one.arrived)
            owed = max(quantity - arrived, Decimal(0)) if one.is_goods else Decimal(0)
            lines.append((key, product, quantity, one.line.amount, arrived, owed, one.is_goods))
            if arrived:
                last = second(order.arrivals[-1])
                deliveries.append((key, product, arrived, last))
    for deal in world.live_deals:
        for quote in deal.quotes:
            if quote.status != "APPROVED" or int(quote.id) in ordered:
                continue
            key = f"odoo:{quote.id}"
            orders[key] = OrderRow(
                deal_key=f"odoo:{deal.id}",
                domain=deal.account.domain,
                status="confirmed",
                currency=deal.currency,
                net=quote.amount,
                tax=Decimal(0),
                ordered_at=second(quote.created),
                is_committed=True,
            )
            for line in deal.lines:
                product, quantity = f"odoo:{product_id(line.product)}", Decimal(line.quantity)
                lines.append((key, product, quantity, line.amount, Decimal(0), quantity, True))
    return GoodsTruth(
        orders=orders,
        lines=lines,
        deliveries=deliveries,
        stock={
            (f"odoo:{product_id(one.product)}", f"odoo:{1 + WAREHOUSES.index(one.warehouse)}"): (
                *(one.on, Decimal(one.on_hand), Decimal(one.reserved), None),
            )
            for one in sorted(world.goods.stock, key=lambda one: one.on)
        },
    )


def tickets(company: Company) -> dict[str, TicketRow]:
    """The helpdesk's cases, which name no deal."""
    return {
        f"odoo:{number}": ticket_row(one)
        for number, one in enumerate(company.world.goods.tickets, 1)
    }


CASE = Case("odoo", serve, crm, invoices, balance_without_lost_payments, goods, tickets)
