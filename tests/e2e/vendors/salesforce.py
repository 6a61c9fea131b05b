"""Salesforce, whose stages are labels and whose clock counts whole seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from sandbox.company import Company
from sandbox.company.clock import instant
from sandbox.company.model import Deal
from sandbox.company.people import ROSTER
from sandbox.company.salesforce import record_id, seconds, shares, stage_key
from sandbox.salesforce import CLIENT_ID, CLIENT_SECRET, SalesforceServer, SalesforceState
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    Served,
    StageEntry,
    TicketRow,
    activities_shown,
    deal_row,
    ticket_row,
)


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's org; what is younger than its settling time is read, too."""
    state = SalesforceState()
    state.load(company.salesforce)
    with SalesforceServer(state) as server:
        yield Served(
            f'[sources.salesforce.salesforce]\nbase_url = "{server.url}"\n'
            f'client_id = "{CLIENT_ID}"\nsettle_minutes = 0\n',
            {"client_secret": CLIENT_SECRET},
            lambda: server.errors,
        )


def entries(one: Deal) -> list[StageEntry]:
    """The stays by whole seconds, under the record type of today."""
    found: list[StageEntry] = []
    for second in seconds(one.stages):
        stage = one.at(one.stages, second * 1_000 + 999)
        key = f"salesforce:{stage_key(stage, one)}"
        if not found or found[-1][0] != key:
            found.append((key, instant(second * 1_000)))
    return found


def crm(company: Company) -> CrmTruth:
    """The truth as it is."""
    world = company.world
    email_of = {rep.owner_id: rep.email for rep in ROSTER}
    deals = {}
    for one in world.live_deals:
        owner = company.truth.sales.deals[one.id].owner
        key = f"salesforce:{stage_key(one.stage.id, one)}"
        deals[f"salesforce:{record_id('Opportunity', one.id)}"] = deal_row(company, one, key, owner)
    return CrmTruth(
        deals=deals,
        stays={
            f"salesforce:{record_id('Opportunity', one.id)}": entries(one)
            for one in world.live_deals
        },
        quotes=sum(len(one.quotes) for one in world.deals),
        lines=sum((1 + len(one.quotes)) * len(one.lines) for one in world.deals),
        leads=sum(one.archived_at is None for one in world.leads),
        converted_leads=sum(one.deal is not None and not one.archived_at for one in world.leads),
        activities=activities_shown(company, "calls", "meetings", "tasks"),
        contacts=frozenset(
            (
                f"salesforce:{record_id('Opportunity', one.id)}",
                f"salesforce:{record_id('Contact', person.id)}",
                place == 0,
            )
            for one in world.live_deals
            for place, person in enumerate(one.contacts)
        ),
        shares={
            (f"salesforce:{record_id('Opportunity', one.id)}", kind, email_of[owner_id]): Decimal(
                percent
            )
            / 100
            for one in world.live_deals
            for kind, owner_id, percent in shares(one)
        },
    )


def tickets(company: Company) -> dict[str, TicketRow]:
    """The cases; no deal is named."""
    return {
        f"salesforce:{record_id('Case', place)}": ticket_row(one)
        for place, one in enumerate(company.world.goods.tickets, 1)
    }


CASE = Case("salesforce", serve, crm, tickets=tickets)
