"""What people do in HubSpot, and what surrounds the deals: activities, quotes, owners, rates."""

from typing import Any

from sandbox.company.clock import DAY, HOUR, MINUTE, TODAY, business_date, iso, midnight
from sandbox.company.hubspot_record import HubSpot, record, text
from sandbox.company.model import Activity, World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.people import QUEUE_OWNER_ID, ROSTER
from sandbox.company.pipelines import (
    CREATED,
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
            # HubSpot counts the opens of what it sent; mail scanners open most of it.
            "hs_email_open_count": None if coming else str(int(one.id) % 4),
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


def goal_targets() -> list[HubSpot]:
    """Goals for meetings held: counts, not money; quotas come from the spreadsheet."""
    start, end = TODAY - 75 * DAY, TODAY + 16 * DAY
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
        if rep.row(business_date(TODAY)) and rep.rows[-1].quota_carrying
    ]
