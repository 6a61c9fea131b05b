"""HubSpot, which knows all that the generator does."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.company.clock import instant
from sandbox.company.hubspot_tickets import ticket_id
from sandbox.company.hubspot_tickets import tickets as tickets_of
from sandbox.company.pipelines import PIPELINE_OF_STAGE
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState, Limits
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    Served,
    TicketRow,
    activities_shown,
    deal_row,
    stage_entries,
    ticket_row,
)


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's portal."""
    state = HubspotState()
    state.load(company.hubspot | tickets_of(company.world))
    with HubspotServer(state, limits=Limits(per_ten_seconds=10_000)) as server:
        yield Served(
            f'[sources.hubspot.hubspot]\nbase_url = "{server.url}"\n',
            {"token": STATIC_TOKEN},
            lambda: server.errors,
        )


def stage_key(stage: str) -> str:
    """A stage of one of the two pipelines."""
    return f"hubspot:{PIPELINE_OF_STAGE[stage].id}:{stage}"


def crm(company: Company) -> CrmTruth:
    """The truth as it is."""
    world = company.world
    return CrmTruth(
        deals={
            f"hubspot:{one.id}": deal_row(
                company,
                one,
                stage_key(one.stage.id),
                company.truth.sales.deals[one.id].owner,
            )
            for one in world.live_deals
        },
        stays={f"hubspot:{one.id}": stage_entries(one, stage_key) for one in world.live_deals},
        quotes=sum(len(one.quotes) for one in world.deals),
        lines=sum(len(one.lines) for one in world.deals),
        leads=sum(one.archived_at is None for one in world.leads),
        converted_leads=sum(one.deal is not None for one in world.leads),
        activities=activities_shown(company, "calls", "emails", "meetings", "notes", "tasks"),
    )


def tickets(company: Company) -> dict[str, TicketRow]:
    """The cases with their first answer, and how often they were taken up again."""
    return {
        f"hubspot:{ticket_id(place)}": ticket_row(
            one, f"hubspot:{one.deal.id}" if one.deal else None
        )._replace(
            n_reopened=one.reopened,
            opened_at=instant(one.opened),
            first_response_at=instant(one.answered) if one.answered else None,
            solved_at=instant(one.solved) if one.solved else None,
        )
        for place, one in enumerate(company.world.goods.tickets)
    }


CASE = Case("hubspot", serve, crm, tickets=tickets)
