"""The company's service cases as HubSpot's tickets.

The demo's portal holds none: there the ERP's exports tell of them.
"""

from typing import Any

from sandbox.company.clock import iso
from sandbox.company.goods import Ticket
from sandbox.company.hubspot_record import HubSpot, history, record
from sandbox.company.model import Edit, World
from sandbox.company.pipelines import CREATED

FIRST = 9_100_000_000
PIPELINE = "0"
NEW, WAITING, CLOSED = "1", "2", "4"
STAGES = ((NEW, "New", "OPEN"), (WAITING, "Waiting on us", "OPEN"), (CLOSED, "Closed", "CLOSED"))
PRIORITIES = {"low": "LOW", "normal": "MEDIUM", "high": "HIGH", "critical": "URGENT"}


def ticket_id(place: int) -> str:
    """The id of the ticket at a place of the list."""
    return str(FIRST + place)


def _stages(world: World, one: Ticket) -> list[Edit]:
    """New, answered, and each time that it was closed and taken up again."""
    end = one.solved or world.today
    edits = [Edit(one.opened, NEW, None)]
    for turn in range(2 * one.reopened):
        at = one.opened + (end - one.opened) * (turn + 1) // (2 * one.reopened + 1)
        edits.append(Edit(at, WAITING if turn % 2 else CLOSED, None))
    if one.solved:
        edits.append(Edit(one.solved, CLOSED, None))
    return edits


def tickets(world: World) -> dict[str, list[Any]]:
    """The tickets, and the pipeline that they lie in."""
    found: list[HubSpot] = []
    for place, one in enumerate(world.goods.tickets):
        stages = _stages(world, one)
        properties = {
            "subject": "It hums",
            "content": f"BODY-OF-{one.id}",
            "createdate": iso(one.opened),
            "closed_date": iso(one.solved) if one.solved else None,
            "first_agent_reply_date": iso(one.answered) if one.answered else None,
            "hs_pipeline": PIPELINE,
            "hs_pipeline_stage": stages[-1].value,
            "hs_ticket_priority": PRIORITIES[one.severity],
        }
        found.append(
            record(
                ticket_id(place),
                properties,
                one.opened,
                max(stages[-1].at, one.answered or 0),
                history={"hs_pipeline_stage": history("hs_pipeline_stage", stages)},
                associations={
                    "companies": [one.account.id] if one.account else [],
                    "deals": [one.deal.id] if one.deal else [],
                },
            )
        )
    stamps = {"createdAt": CREATED, "updatedAt": CREATED, "archived": False}
    listed = [
        {
            "id": stage,
            "label": label,
            "displayOrder": place,
            "metadata": {"ticketState": state, "isClosed": str(state == "CLOSED").lower()},
            **stamps,
        }
        for place, (stage, label, state) in enumerate(STAGES)
    ]
    pipeline: dict[str, Any] = {"id": PIPELINE, "label": "Support", "displayOrder": 0, **stamps}
    return {"tickets": found, "ticket_pipelines": [pipeline | {"stages": listed}]}
