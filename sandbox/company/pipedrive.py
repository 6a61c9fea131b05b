"""The world as Pipedrive holds it: numbers as ids, won and lost as states, and its changelog.

Rows of each kind by id, as `sandbox.pipedrive` keeps them. Times are whole seconds, so that
what happened within one second is one change. A deal deleted longer than 30 days ago is shown
no more; merged records and converted leads are gone; there are no quotes.
"""

import uuid
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import msgspec

from sandbox.company.clock import DAY, MINUTE, business_date, instant
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import Activity, Contact, Deal, Edit, Lead, World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.people import ROSTER
from sandbox.company.pipelines import PIPELINE_OF_STAGE, PIPELINES, STAGES

Row = dict[str, Any]
PIPELINE_IDS = {name: place for place, name in enumerate(PIPELINES, start=1)}
STAGE_IDS = {
    stage.id: 10 * PIPELINE_IDS[pipeline.id] + stage.order
    for pipeline in PIPELINES.values()
    for stage in pipeline.open_stages
}
KINDS = {"calls": "call", "meetings": "meeting", "tasks": "task"}
SHOWN_DELETED = 30 * DAY


def stamp(at: int) -> str:
    """An instant as v2 writes it."""
    return instant(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: Any) -> int | None:
    """An id; None where there is none."""
    return None if value is None else int(value)


def day(at: int | None) -> str | None:
    """A business date as text."""
    return None if at is None else business_date(at).isoformat()


def plain(amount: Decimal | None) -> msgspec.Raw | None:
    """An amount as a JSON number, its digits as they are."""
    return None if amount is None else msgspec.Raw(str(amount).encode())


def lead_id(one: Lead) -> str:
    """The lead's UUID."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"nordlicht:{one.id}"))


def by_second(edits: Iterable[Edit]) -> list[Edit]:
    """What held at the end of each second in which something changed."""
    found: dict[int, Edit] = {}
    for edit in edits:
        found[edit.at // 1_000] = edit
    return list(found.values())


def lain_in(one: Deal) -> list[tuple[Edit, int]]:
    """The stage that the deal lies in after each change; a closed one stays where it was."""
    found: list[tuple[Edit, int]] = []
    for edit in by_second(one.stages):
        if edit.value in STAGE_IDS:
            lies = STAGE_IDS[edit.value]
        elif found:
            lies = found[-1][1]
        else:
            lies = STAGE_IDS[PIPELINE_OF_STAGE[edit.value].open_stages[0].id]
        found.append((edit, lies))
    return found


def changes(one: Deal) -> list[Row]:
    """The changelog, newest first."""
    rows: list[tuple[int, Row]] = []

    def tell(key: str, edits: Iterable[tuple[Edit, str | None]]) -> None:
        held: str | None = None
        for place, (edit, value) in enumerate(edits):
            if place and value != held:
                rows.append((edit.at // 1_000, change(edit, key, held, value)))
            held = value

    def told(edits: Iterable[Edit], text: Callable[[Any], str | None]) -> list[Any]:
        return [(edit, text(edit.value)) for edit in by_second(edits)]

    tell("stage_id", [(edit, str(lies)) for edit, lies in lain_in(one)])
    tell("status", told(one.stages, lambda value: STAGES[value].kind))
    tell(
        "pipeline_id",
        told(one.stages, lambda value: str(PIPELINE_IDS[PIPELINE_OF_STAGE[value].id])),
    )
    tell("value", told(one.amounts, lambda value: None if value is None else str(value)))
    tell("currency", told(one.currencies, lambda value: value or HOME))
    tell("user_id", told(one.owners, lambda value: value))
    tell("expected_close_date", told(one.closes, day))
    return [row for _, row in sorted(rows, key=lambda one: one[0], reverse=True)]


def change(edit: Edit, key: str, old: str | None, new: str | None) -> Row:
    """One row of the changelog."""
    return {
        "field_key": key,
        "old_value": old,
        "new_value": new,
        "actor_user_id": edit.by,
        "time": instant(edit.at).strftime("%Y-%m-%d %H:%M:%S"),
        "change_source": "app",
        "change_source_user_agent": None,
        "is_bulk_update_flag": False,
    }


def deal(one: Deal, source_lead: str | None) -> Row:
    """A deal."""
    closed = None if one.closed_at is None else stamp(one.closed_at)
    by_hand = one.status == "open" and one.probability != one.stage.probability
    gone = one.archived_at is not None
    return {
        "id": int(one.id),
        "title": one.name,
        "status": "deleted" if gone else one.status,
        "value": plain(one.amount),
        "currency": one.currency,
        "pipeline_id": PIPELINE_IDS[one.pipeline.id],
        "stage_id": lain_in(one)[-1][1],
        "owner_id": number(one.owners[-1].value),
        "person_id": int(one.contacts[0].id) if one.contacts else None,
        "org_id": int(one.account.id),
        "probability": round(float(one.probability) * 100) if by_hand else None,
        "lost_reason": one.loss_reason if one.status == "lost" else None,
        "origin": one.channel,
        "channel": None,
        "source_lead_id": source_lead,
        "expected_close_date": day(one.closes[-1].value),
        "add_time": stamp(one.created),
        "update_time": stamp(max(one.modified, one.archived_at or 0)),
        "stage_change_time": stamp(by_second(one.stages)[-1].at) if len(one.stages) > 1 else None,
        "won_time": closed if one.status == "won" else None,
        "lost_time": closed if one.status == "lost" else None,
        "close_time": closed,
        "is_deleted": gone,
        "is_archived": False,
        "archive_time": None,
        "products_count": len(one.lines),
        "custom_fields": {},
    }


def lines(one: Deal) -> list[Row]:
    """The products of a deal."""
    return [
        {
            "id": int(line.id),
            "deal_id": int(one.id),
            "product_id": int(product_id(line.product)),
            "name": PRODUCTS[line.product][0],
            "quantity": line.quantity,
            "item_price": plain(line.price),
            "discount": plain(line.quantity * line.price - line.amount),
            "discount_type": "amount",
            "sum": plain(line.amount),
            "tax": 0,
            "tax_method": "none",
            "currency": one.currency,
            "billing_frequency": "one-time",
            "is_enabled": True,
            "is_deleted": False,
        }
        for line in one.lines
    ]


def person(one: Contact) -> Row:
    """A person and all addresses."""
    addresses = [one.email, *one.old_emails]
    return {
        "id": int(one.id),
        "name": f"{one.given} {one.family}",
        "first_name": one.given,
        "last_name": one.family,
        "emails": [
            {"value": address, "primary": not place, "label": "work"}
            for place, address in enumerate(addresses)
        ],
        "job_title": one.title,
        "org_id": int(one.account.id),
        "owner_id": number(one.owner_id),
        "add_time": stamp(one.created),
        "update_time": stamp(max(one.created, one.modified)),
        "is_deleted": False,
        "custom_fields": {},
    }


def lead(one: Lead) -> Row:
    """A lead of the inbox."""
    when = instant(one.created).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    last = instant(one.stages[-1].at).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    return {
        "id": lead_id(one),
        "title": f"{one.contact.account.name} lead",
        "person_id": int(one.contact.id),
        "organization_id": int(one.contact.account.id),
        "owner_id": int(one.owner_id),
        "source_name": one.channel,
        "origin": "ManuallyCreated",
        "value": None,
        "is_archived": one.stages[-1].value == "unqualified-stage-id",
        "add_time": when,
        "update_time": max(when, last),
    }


def activity(one: Activity) -> Row:
    """A call, meeting or task, due to the minute in UTC."""
    due = one.at - one.at % MINUTE
    return {
        "id": int(one.id),
        "subject": one.subject,
        "type": KINDS[one.kind],
        "done": one.done,
        "due_date": stamp(due)[:10],
        "due_time": stamp(due)[11:19],
        "duration": "00:30:00",
        "owner_id": int(one.owner_id),
        "deal_id": int(one.deal.id) if one.deal else None,
        "lead_id": None,
        "person_id": int(one.contact.id),
        "org_id": int(one.contact.account.id),
        "participants": [{"person_id": int(one.contact.id), "primary": True}],
        "marked_as_done_time": stamp(one.at) if one.done else None,
        "add_time": stamp(one.created or one.at),
        "update_time": stamp(max(one.created, one.at if one.done else 0)),
        "is_deleted": False,
    }


def render(world: World) -> dict[str, Any]:
    """Everything Pipedrive holds; ``small`` are the lists that are read whole."""
    came_from = {
        one.deal.id: lead_id(one) for one in world.leads if one.deal and not one.archived_at
    }
    shown = [
        one
        for one in world.deals
        if one.archived_at is None or world.today - one.archived_at < SHOWN_DELETED
    ]
    today = business_date(world.today)
    return {
        "deals": [deal(one, came_from.get(one.id)) for one in shown],
        "changelog": {int(one.id): changes(one) for one in shown},
        "lines": {int(one.id): lines(one) for one in shown},
        "persons": [person(one) for one in world.contacts],
        "organizations": [
            {
                "id": int(one.id),
                "name": one.name,
                "owner_id": None,
                "address": {"country": one.country.code},
                "add_time": stamp(one.created),
                "update_time": stamp(max(one.created, one.modified)),
                "is_deleted": False,
                "custom_fields": {},
            }
            for one in world.accounts
        ],
        "activities": [
            activity(one)
            for one in world.activities
            if one.kind in KINDS and one.archived_at is None
        ],
        "products": [
            {
                "id": int(product_id(place)),
                "name": name,
                "code": f"NL-{place + 1:03d}",
                "add_time": stamp(world.today),
                "update_time": stamp(world.today),
                "is_deleted": False,
            }
            for place, (name, _) in enumerate(PRODUCTS)
        ],
        "leads": [lead(one) for one in world.leads if one.archived_at is None and one.deal is None],
        "small": {
            "pipelines": [
                {
                    "id": PIPELINE_IDS[one.id],
                    "name": one.label,
                    "order_nr": PIPELINE_IDS[one.id],
                    "is_deleted": False,
                    "is_deal_probability_enabled": True,
                }
                for one in PIPELINES.values()
            ],
            "stages": [
                {
                    "id": STAGE_IDS[stage.id],
                    "name": stage.label,
                    "pipeline_id": PIPELINE_IDS[one.id],
                    "order_nr": stage.order,
                    "deal_probability": round(float(stage.probability) * 100),
                    "is_deal_rot_enabled": False,
                    "days_to_rotten": None,
                    "is_deleted": False,
                }
                for one in PIPELINES.values()
                for stage in one.open_stages
            ],
            "users": [
                {
                    "id": int(one.owner_id),
                    "name": one.name,
                    "email": one.email,
                    "active_flag": one.row(today) is not None,
                    "is_deleted": False,
                }
                for one in ROSTER
            ],
        },
    }
