"""Pipedrive, whose stages do not end a deal and whose clock counts whole seconds."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sandbox.company import Company
from sandbox.company.model import Deal
from sandbox.company.pipedrive import PIPELINE_IDS, STAGE_IDS
from sandbox.company.pipelines import PIPELINE_OF_STAGE, STAGES
from sandbox.pipedrive import API_TOKEN, PipedriveServer, PipedriveState
from tests.e2e.vendors import (
    Case,
    CrmTruth,
    Served,
    StageEntry,
    activities_shown,
    deal_row,
    stage_entries,
)


@contextmanager
def serve(company: Company) -> Iterator[Served]:
    """The company's account."""
    state = PipedriveState()
    state.load(company.pipedrive)
    with PipedriveServer(state) as server:
        yield Served(
            f'[sources.pipedrive.pipedrive]\nbase_url = "{server.url}"\n'
            "daily_tokens = 1000000\nburst_requests = 3000\n",
            {"api_token": API_TOKEN},
            lambda: server.errors,
        )


def stage_key(stage: str) -> str:
    """A stage of its pipeline; won and lost are states of the deal."""
    kind = STAGES[stage].kind
    own = kind if kind != "open" else STAGE_IDS[stage]
    return f"pipedrive:{PIPELINE_IDS[PIPELINE_OF_STAGE[stage].id]}:{own}"


def entries(one: Deal) -> list[StageEntry]:
    """The stays, but for those that ended in the second in which they began."""
    found: list[StageEntry] = []
    for stage, entered in stage_entries(one, stage_key):
        second = entered.replace(microsecond=0)
        if found and found[-1][1] == second:
            found.pop()
        if not found or found[-1][0] != stage:
            found.append((stage, second))
    return found


def crm(company: Company) -> CrmTruth:
    """The truth, but for quotes, and leads that were converted before the first reading."""
    world = company.world
    deals = {}
    for one in world.live_deals:
        owner = company.truth.sales.deals[one.id].owner
        deals[f"pipedrive:{one.id}"] = deal_row(company, one, stage_key(one.stage.id), owner)
    return CrmTruth(
        deals=deals,
        stays={f"pipedrive:{one.id}": entries(one) for one in world.live_deals},
        quotes=0,
        lines=sum(
            len(one.lines)
            for one in world.deals
            if one.archived_at is None
            or world.today - one.archived_at < timedelta(days=30) / timedelta(milliseconds=1)
        ),
        leads=sum(one.archived_at is None and one.deal is None for one in world.leads),
        converted_leads=0,
        activities=activities_shown(company, "calls", "meetings", "tasks"),
    )


CASE = Case("pipedrive", serve, crm)
