"""HubSpot, which knows all that the generator does."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.company.pipelines import PIPELINE_OF_STAGE
from sandbox.hubspot import STATIC_TOKEN, HubspotServer, HubspotState, Limits
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    Served,
    activities_shown,
    deal_row,
    stage_entries,
)


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's portal."""
    state = HubspotState()
    state.load(company.hubspot)
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


CASE = Case("hubspot", serve, crm)
