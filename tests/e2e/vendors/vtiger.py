"""Vtiger, which keeps amounts in the base currency, one pipeline and no history."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.company import Company
from sandbox.company.clock import business_date
from sandbox.company.model import Deal
from sandbox.company.people import BY_OWNER, QUEUE_OWNER_ID
from sandbox.company.vtiger import STAGE_NAMES, base_amount, stage_name
from sandbox.vtiger import ACCESS_KEY, ADMIN, VtigerServer, VtigerState
from tests.e2e.vendors import Case, CrmTruth, DealRow, Served, activities_shown, deal_row


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


CASE = Case("vtiger", serve, crm)
