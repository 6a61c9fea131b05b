"""The world as Zoho CRM holds it: text ids, pipelines of shared stages, the history of stages.

``{"records", "stays", "roles", "emails", "users", "pipelines", "currencies"}``; a record is
``{"row", "lines", "deleted", "is_converted"}``. Instants are whole seconds, ids are unique in
the organisation. A stage is one value in all pipelines, so that a deal that moves between two
of them in "Negotiation" leaves no mark; what people see of one stage is not its value.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sandbox.company.clock import HOUR, MINUTE, business_date, midnight
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import Activity, Deal, Edit, Lead, World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.people import BY_OWNER, ROSTER
from sandbox.company.pipelines import PIPELINES, STAGES
from sandbox.company.zoho_goods import goods, stock_columns
from sandbox.company.zoho_invoices import invoice
from sandbox.company.zoho_record import PREFIX, Row, entry, link, own_id, plain, stamp

PIPELINE_IDS = {name: f"{PREFIX}{place:012d}" for place, name in enumerate(PIPELINES, 9_000)}
LAYOUT_ID = f"{PREFIX}{8_000:012d}"
ACTUAL_VALUES = {"Demo": "Product Demonstration"}
"""Stages that were renamed after deals had been in them."""
KINDS = {"open": "Open", "won": "Closed Won", "lost": "Closed Lost"}
QUOTE_STAGES = {"DRAFT": "Draft", "APPROVED": "Confirmed", "REJECTED": "Closed Lost"}
LEAD_STATUS = {
    "new-stage-id": "Not Contacted",
    "attempting-stage-id": "Attempted to Contact",
    "connected-stage-id": "Contacted",
    "qualified-stage-id": "Pre-Qualified",
    "unqualified-stage-id": "Junk Lead",
}
MODULES = {"calls": "Calls", "meetings": "Events", "tasks": "Tasks"}


def stage_value(stage: str) -> str:
    """The actual value of a stage, which outlives a new name."""
    label = STAGES[stage].label
    return ACTUAL_VALUES.get(label, label)


def by_second(edits: Iterable[Edit]) -> list[Edit]:
    """What held at the end of each second in which something changed."""
    found: dict[int, Edit] = {}
    for edit in edits:
        found[edit.at // 1_000] = edit
    return list(found.values())


def stays(one: Deal) -> list[Row]:
    """The history of stages: a row for each, with what the deal was worth then."""
    found: list[Row] = []
    for place, edit in enumerate(one.stages):
        label = STAGES[edit.value].label
        if found and found[-1]["Stage"] == label:
            continue
        if found:
            found[-1]["Moved_To__s"] = label
        found.append(
            {
                "id": own_id(int(one.id) * 10 + place),
                "Stage": label,
                "Moved_To__s": None,
                "Modified_Time": stamp(edit.at),
                "Modified_By": link(edit.by),
                "Amount": plain(one.at(one.amounts, edit.at)),
            }
        )
    return found


def deal(one: Deal) -> Row:
    """A deal in its own currency."""
    close = one.closes[-1].value
    row = {
        "Deal_Name": one.name,
        "Amount": plain(one.amount),
        "Currency": one.currency,
        "Stage": one.stage.label,
        "Pipeline": one.pipeline.label,
        "Probability": int(Decimal(one.probability) * 100),
        "Closing_Date": None if close is None else business_date(close).isoformat(),
        "Lead_Source": one.channel,
        "Reason_For_Loss__s": one.loss_reason if one.status == "lost" else None,
        "Owner": link(one.owners[-1].value),
        "Account_Name": link(one.account.id),
        "Contact_Name": link(one.contacts[0].id) if one.contacts else None,
        "Stage_Modified_Time": stamp(by_second(one.stages)[-1].at),
        "Last_Activity_Time": stamp(one.modified),
    }
    gone = None if one.archived_at is None else "recycle"
    return entry(one.id, row, one.created, max(one.modified, one.archived_at or 0), deleted=gone)


def quotes(one: Deal) -> list[Row]:
    """The quotes of a deal, each with lines of its own."""
    found = []
    for place, quote in enumerate(one.quotes):
        lines = [
            {
                "id": own_id(int(line.id) * 10 + place),
                "Product_Name": {
                    **(link(product_id(line.product)) or {}),
                    "name": PRODUCTS[line.product][0],
                },
                "Quantity": line.quantity,
                "List_Price": plain(line.price),
                "Total": plain(line.quantity * line.price),
                "Discount": plain(line.quantity * line.price - line.amount),
                "Tax": 0,
                "Net_Total": plain(line.amount),
            }
            for line in one.lines
        ]
        row = {
            "Subject": f"{one.name} {quote.number}",
            "Quote_Number": quote.number,
            "Quote_Stage": QUOTE_STAGES.get(quote.status, "Delivered"),
            "Valid_Till": business_date(quote.expires).isoformat(),
            "Deal_Name": link(one.id),
            "Account_Name": link(one.account.id),
            "Owner": link(one.at(one.owners, quote.created)),
            "Currency": one.currency,
            "Sub_Total": plain(quote.amount),
            "Tax": 0,
            "Grand_Total": plain(quote.amount),
        }
        found.append(entry(quote.id, row, quote.created, quote.created, lines=lines))
    return found


def lead(one: Lead) -> Row:
    """A lead; a converted one names what it became."""
    contact = one.contact
    row = {
        "First_Name": contact.given,
        "Last_Name": contact.family,
        "Company": contact.account.name,
        "Email": contact.email,
        "Lead_Source": one.channel,
        "Lead_Status": LEAD_STATUS[one.stages[-1].value],
        "Owner": link(one.owner_id),
        "Converted__s": one.deal is not None,
    }
    modified = max(one.stages[-1].at, one.archived_at or 0)
    if one.deal is not None:
        modified = max(modified, one.deal.created)
        row |= {
            "Converted_Date_Time": stamp(one.deal.created),
            "Converted_Account": link(contact.account.id),
            "Converted_Contact": link(contact.id),
            "Converted_Deal": link(one.deal.id),
        }
    gone = None if one.archived_at is None else "recycle"
    is_converted = one.deal is not None
    return entry(one.id, row, one.created, modified, deleted=gone, is_converted=is_converted)


def activity(one: Activity) -> Row:
    """A call, meeting or task."""
    row: Row = {
        "Owner": link(one.owner_id),
        "What_Id": link(one.deal.id) if one.deal else None,
        "Who_Id": link(one.contact.id),
    }
    if one.kind == "tasks":
        row |= {
            "Subject": one.subject,
            "Status": "Completed" if one.done else "Not Started",
            "Due_Date": business_date(one.at).isoformat(),
            "Closed_Time": stamp(one.at) if one.done else None,
        }
    elif one.kind == "meetings":
        row |= {
            "Event_Title": one.subject,
            "Start_DateTime": stamp(one.at),
            "End_DateTime": stamp(one.at + 45 * MINUTE),
        }
    else:
        row |= {
            "Subject": one.subject,
            "Call_Type": "Inbound" if one.direction == "in" else "Outbound",
            "Outgoing_Call_Status": "Completed" if one.done else "Scheduled",
            "Call_Start_Time": stamp(one.at),
            "Call_Duration_in_seconds": HOUR // 4_000 if one.done else None,
        }
    gone = None if one.archived_at is None else "recycle"
    return entry(one.id, row, one.created or one.at, one.created, deleted=gone)


def email(one: Activity) -> Row:
    """An e-mail that was sent from a deal or answers one."""
    rep = BY_OWNER.get(one.owner_id)
    ours = {"user_name": rep.name, "email": rep.email} if rep else {"email": "sales@example.com"}
    theirs = {"user_name": one.contact.given, "email": one.contact.email}
    is_sent = one.direction != "in"
    return {
        "message_id": f"m{one.id}",
        "subject": one.subject,
        "from": ours if is_sent else theirs,
        "to": [theirs if is_sent else ours],
        "sent": is_sent,
        "sent_time": stamp(one.at),
        "owner": link(one.owner_id),
        "summary": f"BODY-OF-{one.id}",
    }


def emails(world: World) -> dict[str, list[Row]]:
    """The logged e-mails by deal, of deals that are still there."""
    found: dict[str, list[Row]] = {}
    for one in world.activities:
        if one.kind == "emails" and one.archived_at is None and one.deal is not None:
            found.setdefault(own_id(one.deal.id), []).append(email(one))
    return found


def pipelines() -> list[Row]:
    """Both pipelines; equal words are one stage."""
    return [
        {
            "id": PIPELINE_IDS[one.id],
            "display_value": one.label,
            "actual_value": one.label,
            "default": place == 0,
            "maps": [
                {
                    "id": own_id(7_000 + list(dict.fromkeys(labels)).index(stage.label)),
                    "display_value": stage.label,
                    "actual_value": stage_value(stage.id),
                    "sequence_number": stage.order,
                    "forecast_type": KINDS[stage.kind],
                    "forecast_category": {"name": "Pipeline", "id": own_id(6_000)},
                    "probability": int(Decimal(stage.probability) * 100),
                }
                for stage in one.stages
            ],
        }
        for labels in [[stage.label for of in PIPELINES.values() for stage in of.stages]]
        for place, one in enumerate(PIPELINES.values())
    ]


def users(world: World) -> list[Row]:
    """Everybody, those who left as inactive."""
    today = business_date(world.today)
    return [
        {
            "id": own_id(rep.owner_id),
            "full_name": rep.name,
            "first_name": rep.given,
            "last_name": rep.family,
            "email": rep.email,
            "status": "active" if rep.row(today) else "inactive",
            "role": {"id": own_id(5_000), "name": "Sales"},
            "dob": "PRIVATE",
        }
        for rep in ROSTER
    ]


def currencies(world: World) -> list[Row]:
    """What one euro buys today."""
    today = business_date(world.today)
    found = []
    for place, code in enumerate(("EUR", "USD", "JPY")):
        rate = Decimal(1) if code == HOME else 1 / world.rates.on(code, today)
        found.append(
            {
                "id": own_id(4_000 + place),
                "iso_code": code,
                "name": code,
                "exchange_rate": f"{rate:.9f}",
                "is_base": code == HOME,
                "is_active": True,
            }
        )
    return found


def render(world: World) -> dict[str, Any]:
    """Everything Zoho CRM holds."""
    first = midnight(business_date(0).replace(2023, 10, 2))
    counted = stock_columns(world)
    records: dict[str, list[Row]] = {
        "Deals": [deal(one) for one in world.deals],
        "Quotes": [quote for one in world.deals for quote in quotes(one)],
        "Leads": [lead(one) for one in world.leads],
        "Accounts": [
            entry(
                one.id,
                {
                    "Account_Name": one.name,
                    "Website": f"https://www.{one.domain}/",
                    "Industry": one.industry,
                    "Billing_Country": one.country.code,
                },
                one.created,
                one.modified,
            )
            for one in world.accounts
        ],
        "Contacts": [
            entry(
                one.id,
                {
                    "First_Name": one.given,
                    "Last_Name": one.family,
                    "Email": one.email,
                    "Title": one.title,
                    "Account_Name": link(one.account.id),
                    "Owner": link(one.owner_id),
                },
                one.created,
                one.modified,
            )
            for one in world.contacts
        ],
        "Products": [
            entry(
                product_id(place),
                {
                    "Product_Name": name,
                    "Product_Code": f"NL-{place + 1:03d}",
                    "Unit_Price": plain(Decimal(price)),
                },
                first,
                first,
            )
            for place, (name, price) in enumerate(PRODUCTS)
        ],
    }
    for product, row in zip(range(len(PRODUCTS)), records["Products"], strict=True):
        row["row"] |= counted.get(product, {})
    records |= goods(world)
    records["Invoices"] = [invoice(world, one) for one in world.books.invoices]
    for one in world.activities:
        if one.kind in MODULES:
            records.setdefault(MODULES[one.kind], []).append(activity(one))
    return {
        "records": records,
        "stays": {own_id(one.id): stays(one) for one in world.deals},
        "roles": {
            own_id(one.id): [
                {"id": own_id(contact.id), "Contact_Role": {"name": "Decision Maker", "id": "1"}}
                for contact in one.contacts
            ]
            for one in world.deals
        },
        "emails": emails(world),
        "users": users(world),
        "pipelines": pipelines(),
        "currencies": currencies(world),
    }
