"""The world as HubSpot's API holds it: plain dicts that the sandbox server serves.

Every object is ``{"id", "properties", "history", "createdAt", "updatedAt", "archived",
"archivedAt", "associations"}``: property values are text or None, ``history`` maps a
tracked property to its entries newest first, ``associations`` maps an object type to
ids (the first company is the primary one). Property names: docs/sources/hubspot.md.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sandbox.company.clock import DAY, HOUR, MINUTE, business_date, iso, midnight
from sandbox.company.model import Account, Activity, Contact, Deal, Edit, Lead, World
from sandbox.company.money import HOME, rounded
from sandbox.company.names import PRODUCTS
from sandbox.company.people import QUEUE_OWNER_ID, ROSTER
from sandbox.company.pipelines import (
    CREATED,
    LEAD_PIPELINE,
    hubspot_deal_pipelines,
    hubspot_lead_pipelines,
)
from sandbox.company.properties import DEFINITIONS

HubSpot = dict[str, Any]
TRACKED = {
    "dealstage": "stages",
    "pipeline": "pipelines",
    "amount": "amounts",
    "closedate": "closes",
    "hubspot_owner_id": "owners",
    "deal_currency_code": "currencies",
}
"""Deal properties with history and the field of ``Deal`` that holds it."""


def number(value: Decimal) -> str:
    """A decimal as HubSpot prints it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text(value: Any, name: str = "") -> str | None:
    """A property value: every one is text or null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return number(value)
    # Close dates: HubSpot drops the milliseconds where there are none.
    return iso(value).replace(".000Z", "Z") if name == "closedate" else iso(value)


def record(
    id_: str,
    properties: dict[str, str | None],
    created: int,
    modified: int,
    *,
    archived_at: int | None = None,
    history: dict[str, list[dict[str, Any]]] | None = None,
    associations: dict[str, list[str]] | None = None,
    cursor: str = "hs_lastmodifieddate",
) -> HubSpot:
    """An object with the properties that all of them carry."""
    modified = max(created, modified, archived_at or 0)
    properties["hs_object_id"] = id_
    properties["createdate" if cursor == "lastmodifieddate" else "hs_createdate"] = iso(created)
    properties[cursor] = iso(modified)
    return {
        "id": id_,
        "properties": properties,
        "history": history or {},
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived_at is not None,
        "archivedAt": iso(archived_at) if archived_at else None,
        "associations": associations or {},
    }


def history(name: str, edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The edits of a property, newest first; emptied properties show an empty text."""
    entries: list[dict[str, Any]] = []
    for edit in edits:
        if edit.value is None and not entries:
            continue  # never filled in, so there is nothing to remember
        entry: dict[str, Any] = {
            "value": text(edit.value, name) or "",
            "timestamp": iso(edit.at),
            "sourceType": edit.source,
            "sourceId": f"userId:{edit.by}" if edit.by else "pipeledger-sandbox",
            "sourceLabel": None,
        }
        if edit.by:
            entry["updatedByUserId"] = edit.by
        entries.append(entry)
    return entries[::-1]


def deal(world: World, one: Deal) -> HubSpot:
    """A deal with the history of its six tracked properties."""
    today = business_date(world.today)
    amount, closed_at = one.amount, one.closed_at
    in_home = None if amount is None else world.rates.to_home(amount, one.currency, today)
    if amount is not None and one.currency == HOME:
        in_home = rounded(amount, HOME)
    stripe_quotes = [quote.stripe_id for quote in one.quotes if quote.stripe_id]
    days = None if closed_at is None else str((closed_at - one.created) // DAY)
    properties = {
        "amount": text(amount),
        "amount_in_home_currency": text(in_home),
        "closed_lost_reason": one.loss_reason if one.status == "lost" else None,
        "closedate": text(one.closes[-1].value, "closedate"),
        "createdate": iso(one.created),
        "days_to_close": days,
        "deal_currency_code": one.currencies[-1].value,
        "dealname": one.name,
        "dealstage": one.stage.id,
        "dealtype": "existingbusiness" if one.pipeline.id != "default" else "newbusiness",
        "description": None,
        "hs_analytics_source": one.channel,
        "hs_closed_amount": text(amount or Decimal(0)) if one.status == "won" else "0",
        "hs_deal_stage_probability": one.probability,
        "hs_is_closed": "false" if one.status == "open" else "true",
        "hs_is_closed_won": "true" if one.status == "won" else "false",
        "hs_manual_forecast_category": one.forecast_category,
        "hs_merged_object_ids": ";".join(one.merged_ids) or None,
        "hs_next_step": None,
        "hubspot_owner_id": one.owners[-1].value,
        "pipeline": one.pipeline.id,
        "po_number": one.po_number,
        "region__custom": one.account.country.team.upper(),
        "stripe_quote_id": stripe_quotes[-1] if stripe_quotes else None,
    }
    return record(
        one.id,
        properties,
        one.created,
        one.modified,
        archived_at=one.archived_at,
        history={name: history(name, getattr(one, field)) for name, field in TRACKED.items()},
        associations={
            "companies": [one.account.id],
            "contacts": [contact.id for contact in one.contacts],
            "line_items": [line.id for line in one.lines],
            "quotes": [quote.id for quote in one.quotes],
        },
    )


def company(one: Account) -> HubSpot:
    """A company."""
    properties = {
        "annualrevenue": str(500_000 + int(one.id) % 90 * 250_000),
        "country": one.country.code,
        "createdate": iso(one.created),
        "domain": one.domain,
        "hs_merged_object_ids": ";".join(one.merged_ids) or None,
        "hs_parent_company_id": None,
        "hubspot_owner_id": one.contacts[0].owner_id if one.contacts else None,
        "industry": one.industry,
        "lifecyclestage": "opportunity",
        "name": one.name,
    }
    contacts = {"contacts": [contact.id for contact in one.contacts]}
    return record(one.id, properties, one.created, one.modified, associations=contacts)


def contact(one: Contact) -> HubSpot:
    """A contact; its cursor is ``lastmodifieddate``, unlike everything else."""
    properties = {
        "associatedcompanyid": one.account.id,
        "email": one.email,
        "firstname": one.given,
        "hs_additional_emails": ";".join(one.old_emails) or None,
        "hs_merged_object_ids": ";".join(one.merged_ids) or None,
        "hubspot_owner_id": one.owner_id,
        "jobtitle": one.title,
        "lastname": one.family,
        "lifecyclestage": one.lifecycle,
        "phone": None,
    }
    return record(
        one.id,
        properties,
        one.created,
        one.modified,
        associations={"companies": [one.account.id]},
        cursor="lastmodifieddate",
    )


def lead(one: Lead) -> HubSpot:
    """A lead, HubSpot's own object."""
    properties = {
        "hs_associated_contact_email": one.contact.email,
        "hs_associated_contact_firstname": one.contact.given,
        "hs_associated_contact_lastname": one.contact.family,
        "hs_lead_label": "WARM" if one.deal else "COLD",
        "hs_lead_name": f"{one.contact.given} {one.contact.family}",
        "hs_lead_source": one.channel,
        "hs_lead_type": one.kind,
        "hs_pipeline": LEAD_PIPELINE,
        "hs_pipeline_stage": one.stages[-1].value,
        "hubspot_owner_id": one.owner_id,
    }
    return record(
        one.id,
        properties,
        one.created,
        one.stages[-1].at,
        archived_at=one.archived_at,
        history={"hs_pipeline_stage": history("hs_pipeline_stage", one.stages)},
        associations={
            "contacts": [one.contact.id],
            "companies": [one.contact.account.id],
            "deals": [one.deal.id] if one.deal else [],
        },
    )


def line_items(world: World) -> list[HubSpot]:
    """The line items of all deals; each belongs to its deal and the deal's quotes."""
    found = []
    for one in world.deals:
        quotes = [quote.id for quote in one.quotes]
        for line in one.lines:
            properties = {
                "amount": text(line.amount),
                "discount": None,
                "hs_discount_percentage": None,
                "hs_line_item_currency_code": one.currencies[-1].value,
                "hs_product_id": product_id(line.product),
                "name": PRODUCTS[line.product][0],
                "price": text(line.price),
                "quantity": str(line.quantity),
                "recurringbillingfrequency": "annually" if line.product == 1 else None,
            }
            found.append(
                record(
                    line.id,
                    properties,
                    line.created,
                    line.created,
                    associations={"deals": [one.id], "quotes": quotes},
                )
            )
    return found


def quotes(world: World) -> list[HubSpot]:
    """The quotes of all deals."""
    return [
        record(
            quote.id,
            {
                "hs_currency": one.currency,
                "hs_expiration_date": business_date(quote.expires).isoformat(),
                "hs_quote_amount": text(quote.amount),
                "hs_quote_number": quote.number,
                "hs_status": quote.status,
                "hs_title": f"{one.name} {quote.number}",
                "hubspot_owner_id": one.at(one.owners, quote.created),
                "stripe_quote_id": quote.stripe_id,
            },
            quote.created,
            quote.created,
            associations={
                "deals": [one.id],
                "contacts": [contact.id for contact in one.contacts],
                "line_items": [line.id for line in one.lines],
            },
        )
        for one in world.deals
        for quote in one.quotes
    ]


def product_id(place: int) -> str:
    """The HubSpot id of a product."""
    return str(1_450_001_000 + 13 * place)


def products() -> list[HubSpot]:
    """The product library."""
    first = midnight(business_date(0).replace(2023, 10, 2))
    return [
        record(
            product_id(place),
            {
                "description": None,
                "hs_sku": f"NL-{place + 1:03d}",
                "name": name,
                "price": str(price),
                "recurringbillingfrequency": "annually" if place == 1 else None,
            },
            first,
            first,
        )
        for place, (name, price) in enumerate(PRODUCTS)
    ]


def engagement(one: Activity) -> HubSpot:
    """An e-mail, call, meeting, task or note. ``BODY-OF`` marks what must not be kept."""
    at, body = iso(one.at), f"BODY-OF-{one.id}"
    rep = next((rep for rep in ROSTER if rep.owner_id == one.owner_id), ROSTER[0])
    properties: dict[str, str | None] = {"hs_timestamp": at, "hubspot_owner_id": one.owner_id}
    if one.kind == "emails":
        coming = one.direction == "in"
        properties |= {
            "hs_email_direction": "INCOMING_EMAIL" if coming else "EMAIL",
            "hs_email_from_email": one.contact.email if coming else rep.email,
            "hs_email_message_id": f"<{one.message_id}>",
            "hs_email_status": "SENT",
            "hs_email_subject": f"Re: {one.subject}" if one.reply_to else one.subject,
            "hs_email_text": body,
            "hs_email_thread_id": one.thread,
            "hs_email_to_email": rep.email if coming else one.contact.email,
        }
    elif one.kind == "calls":
        properties |= {
            "hs_call_body": body,
            "hs_call_direction": "OUTBOUND",
            "hs_call_disposition": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
            "hs_call_duration": str(60_000 + int(one.id) % 1_500 * 1_000),
            "hs_call_status": "COMPLETED",
            "hs_call_title": one.subject,
        }
    elif one.kind == "meetings":
        properties |= {
            "hs_meeting_body": body,
            "hs_meeting_end_time": iso(one.at + 45 * MINUTE),
            "hs_meeting_outcome": "COMPLETED" if one.done else "SCHEDULED",
            "hs_meeting_start_time": at,
            "hs_meeting_title": one.subject,
        }
    elif one.kind == "tasks":
        properties |= {
            "hs_task_body": body,
            "hs_task_completion_date": iso(one.at + HOUR) if one.done else None,
            "hs_task_status": "COMPLETED" if one.done else "NOT_STARTED",
            "hs_task_subject": one.subject,
            "hs_task_type": "TODO",
        }
    else:
        properties |= {"hs_note_body": body}
    return record(
        one.id,
        properties,
        one.created,
        one.created,
        archived_at=one.archived_at,
        associations={
            "deals": [one.deal.id] if one.deal else [],
            "contacts": [one.contact.id],
            "companies": [one.contact.account.id],
        },
    )


def owners(world: World) -> list[dict[str, Any]]:
    """Owners, leavers archived, and one queue that is nobody."""
    day = business_date(world.today)
    found: list[dict[str, Any]] = []
    teams: dict[str, str] = {}
    for rep in ROSTER:
        gone = rep.row(day) is None
        team = rep.rows[-1].team
        teams.setdefault(team, str(4_400 + len(teams)))
        # The owner's address is written as HubSpot users do, capitals and all.
        address = rep.email.title() if int(rep.owner_id) % 3 == 0 else rep.email
        changed = midnight(rep.left_on or rep.rows[-1].valid_from)
        found.append(
            {
                "id": rep.owner_id,
                "email": address,
                "type": "PERSON",
                "firstName": rep.given,
                "lastName": rep.family,
                "userId": None if gone else rep.user_id,
                "userIdIncludingInactive": rep.user_id,
                "createdAt": iso(midnight(rep.hired_on)),
                "updatedAt": iso(changed),
                "archived": gone,
                "teams": [] if gone else [{"id": teams[team], "name": team, "primary": True}],
            }
        )
    found.append(
        {
            "id": QUEUE_OWNER_ID,
            "email": None,
            "type": "QUEUE",
            "firstName": "Inbound",
            "lastName": "queue",
            "userId": None,
            "userIdIncludingInactive": None,
            "createdAt": CREATED,
            "updatedAt": CREATED,
            "archived": False,
            "teams": [],
        }
    )
    return found


def exchange_rates(world: World) -> list[dict[str, Any]]:
    """One rate a month and currency, equal to the day's fixing: euro per one unit."""
    found: list[dict[str, Any]] = []
    for currency, series in world.rates.daily.items():
        months: set[tuple[int, int]] = set()
        for day, rate in series.items():
            if (day.year, day.month) in months:
                continue
            months.add((day.year, day.month))
            at = iso(midnight(day) + 8 * HOUR)
            found.append(
                {
                    "id": f"{900_000 + len(found)}",
                    "fromCurrencyCode": currency,
                    "toCurrencyCode": HOME,
                    # A JSON number at the vendor; nine places survive a double's repr.
                    "conversionRate": float(rate),
                    "effectiveAt": at,
                    "visibleInUI": True,
                    "createdAt": at,
                    "updatedAt": at,
                }
            )
    return found


def goal_targets(world: World) -> list[HubSpot]:
    """Goals for meetings held: counts, not money; quotas come from the spreadsheet."""
    start, end = world.today - 75 * DAY, world.today + 16 * DAY
    return [
        record(
            str(88_000_000 + rep.user_id),
            {
                "hs_assignee_user_id": str(rep.user_id),
                "hs_end_datetime": iso(midnight(business_date(end))),
                "hs_goal_name": f"Meetings held: {rep.name}",
                "hs_start_datetime": iso(midnight(business_date(start))),
                "hs_target_amount": "20",
            },
            start,
            start,
        )
        for rep in ROSTER
        if rep.row(business_date(world.today)) and rep.rows[-1].quota_carrying
    ]


def merged(world: World) -> dict[str, list[dict[str, str]]]:
    """Records that were merged away: no list shows them, a GET leads to the survivor."""
    found: dict[str, list[dict[str, str]]] = {"deals": [], "contacts": [], "companies": []}
    for alias in world.aliases:
        survivor = world.survivor(alias.kind, alias.loser)
        entry = {"id": alias.loser, "mergedInto": alias.survivor, "survivorId": survivor}
        found[alias.kind].append({**entry, "mergedAt": iso(alias.at)})
    return found


def render(world: World) -> dict[str, Any]:
    """Everything HubSpot holds: object type to objects in order of id."""
    kinds: dict[str, list[HubSpot]] = {
        kind: [] for kind in ("emails", "calls", "meetings", "tasks", "notes")
    }
    for activity in world.activities:
        kinds[activity.kind].append(engagement(activity))
    objects: dict[str, list[HubSpot]] = {
        "deals": [deal(world, one) for one in world.deals],
        "contacts": [contact(one) for one in world.contacts],
        "companies": [company(one) for one in world.accounts],
        "leads": [lead(one) for one in world.leads],
        "line_items": line_items(world),
        "products": products(),
        "quotes": quotes(world),
        **kinds,
        "goal_targets": goal_targets(world),
    }
    for held in objects.values():
        held.sort(key=lambda one: int(one["id"]))
    return {
        **objects,
        "owners": owners(world),
        "deal_pipelines": hubspot_deal_pipelines(),
        "lead_pipelines": hubspot_lead_pipelines(),
        "exchange_rates": exchange_rates(world),
        "company_currency": HOME,
        "properties": DEFINITIONS,
        "merged": merged(world),
    }
