"""The world as an open-source Vtiger holds it: rows of text, and no history at all.

``{"module", "number", "row", "lines", "is_deleted", "is_converted"}`` by module, numbers
ascending. Vtiger knows one pipeline, so that both of the company's share a picklist; a deal's
amount is in the base currency, at the rate of its entry or its close; a closed deal's
``closingdate`` is the day of its close, as the company's rule wants it. Who left is an
inactive user, what was deleted lies in the recycle bin.
"""

from decimal import Decimal
from typing import Any

from sandbox.company.clock import HOUR, MINUTE, business_date, midnight
from sandbox.company.hubspot_work import product_id
from sandbox.company.ledger import Invoice
from sandbox.company.model import Activity, Deal, Lead, World
from sandbox.company.money import HOME, rounded
from sandbox.company.names import PRODUCTS
from sandbox.company.people import QUEUE_OWNER_ID, ROSTER
from sandbox.company.pipelines import NEW_BUSINESS, PIPELINES, Stage
from sandbox.company.vtiger_goods import goods, stock_columns, text
from sandbox.company.vtiger_invoices import CURRENCIES, invoice

Entry = dict[str, Any]
"""One record of a module."""
QUOTE_STAGES = {"DRAFT": "Created", "APPROVED": "Accepted", "REJECTED": "Rejected"}
LEAD_STATUS = {
    "new-stage-id": "Not Contacted",
    "attempting-stage-id": "Attempted to Contact",
    "connected-stage-id": "Contacted",
    "qualified-stage-id": "Qualified",
    "unqualified-stage-id": "Junk Lead",
}
EVENT_KINDS = {"calls": "Call", "meetings": "Meeting"}


def stage_name(stage: Stage) -> str:
    """The picklist value of a stage; the two pipelines' stages must not be mixed up."""
    if stage.kind != "open":
        return "Closed Won" if stage.kind == "won" else "Closed Lost"
    return stage.label if stage in NEW_BUSINESS.stages else f"Renewal: {stage.label}"


STAGE_NAMES = list(
    dict.fromkeys(
        stage_name(stage)
        for kind in ("open", "won", "lost")
        for pipeline in PIPELINES.values()
        for stage in pipeline.stages
        if stage.kind == kind
    )
)
"""The picklist of sales_stage, in order."""


def money(amount: Decimal | None) -> str:
    """A money column's text; an empty one is zero places of nothing."""
    return "" if amount is None else f"{amount:.8f}"


def owner(owner_id: str | None) -> str:
    """A user, or the group of the inbound queue."""
    if owner_id is None:
        return ""
    return f"{20 if owner_id == QUEUE_OWNER_ID else 19}x{owner_id}"


def entry(module: str, id_: str | int, row: dict[str, str | None], **more: Any) -> Entry:
    """A record in the shape that the sandbox server loads."""
    plain = {"lines": [], "is_deleted": False, "is_converted": False}
    return {"module": module, "number": int(id_), "row": row, **plain, **more}


def stamps(created: int, modified: int) -> dict[str, str | None]:
    """The two clocks of a record."""
    return {"createdtime": text(created), "modifiedtime": text(max(created, modified))}


def base_amount(world: World, one: Deal) -> Decimal | None:
    """The amount in the base currency, as converted when it was entered or the deal closed."""
    if one.amount is None:
        return None
    if one.currency == HOME:
        return rounded(one.amount, HOME)
    day = business_date(one.closed_at or max(one.amounts[-1].at, one.currencies[-1].at))
    return world.rates.to_home(one.amount, one.currency, day)


def deal(world: World, one: Deal) -> Entry:
    """An opportunity."""
    closing = one.closed_at or one.closes[-1].value
    probability = Decimal(one.probability) * 100
    row: dict[str, str | None] = {
        "potentialname": one.name,
        "potential_no": f"POT{one.id}",
        "amount": money(base_amount(world, one)),
        "related_to": f"11x{one.account.id}",
        "contact_id": f"12x{one.contacts[0].id}" if one.contacts else None,
        "closingdate": business_date(closing).isoformat() if closing else "",
        "sales_stage": stage_name(one.stage),
        "assigned_user_id": owner(one.owners[-1].value),
        "leadsource": one.channel,
        "probability": f"{probability:.3f}",
        "isconvertedfromlead": "0",
        "cf_901": one.account.country.team.upper(),
        **stamps(one.created, max(one.modified, one.archived_at or 0)),
    }
    return entry("Potentials", one.id, row, is_deleted=one.archived_at is not None)


def quotes(one: Deal) -> list[Entry]:
    """The quotes of a deal, each with the deal's lines."""
    found = []
    for quote in one.quotes:
        lines = [
            {
                # Each document has lines of its own.
                "id": f"50x{int(line.id) * 10 + place}",
                "productid": f"14x{product_id(line.product)}",
                "product_name": PRODUCTS[line.product][0],
                "quantity": f"{line.quantity}.000",
                "listprice": money(line.price),
                "discount_amount": "",
                "discount_percent": "",
            }
            for place, line in enumerate(one.lines)
        ]
        row: dict[str, str | None] = {
            "subject": f"{one.name} {quote.number}",
            "quote_no": quote.number,
            "quotestage": QUOTE_STAGES.get(quote.status, "Delivered"),
            "validtill": business_date(quote.expires).isoformat(),
            "potential_id": f"13x{one.id}",
            "account_id": f"11x{one.account.id}",
            "assigned_user_id": owner(one.at(one.owners, quote.created)),
            "currency_id": f"21x{CURRENCIES[one.currency]}",
            "hdnGrandTotal": money(quote.amount),
            "hdnSubTotal": money(quote.amount),
            "pre_tax_total": money(quote.amount),
            "hdnTaxType": "group",
            **stamps(quote.created, quote.created),
        }
        found.append(entry("Quotes", quote.id, row, lines=lines))
    return found


def billed(world: World, one: Invoice) -> Entry:
    """An invoice."""
    number, row, lines = invoice(world, one)
    return entry("Invoice", number, row, lines=lines)


def lead(one: Lead) -> Entry:
    """A lead; a converted one is in no list any more."""
    row: dict[str, str | None] = {
        "firstname": one.contact.given,
        "lastname": one.contact.family,
        "company": one.contact.account.name,
        "email": one.contact.email,
        "leadsource": one.channel,
        "leadstatus": LEAD_STATUS[one.stages[-1].value],
        "assigned_user_id": owner(one.owner_id),
        **stamps(one.created, max(one.stages[-1].at, one.archived_at or 0)),
    }
    is_deleted = one.archived_at is not None
    return entry("Leads", one.id, row, is_deleted=is_deleted, is_converted=one.deal is not None)


def activity(one: Activity) -> Entry | None:
    """A call, meeting or task; None for what Vtiger keeps elsewhere."""
    about = f"13x{one.deal.id}" if one.deal else None
    row: dict[str, str | None] = {
        "subject": one.subject,
        "assigned_user_id": owner(one.owner_id),
        "parent_id": about,
        "contact_id": f"12x{one.contact.id}",
        "date_start": text(one.at)[:10],
        "time_start": text(one.at)[11:],
        **stamps(one.created, one.created),
    }
    gone = one.archived_at is not None
    if one.kind == "tasks":
        row |= {
            "activitytype": "Task",
            "due_date": text(one.at)[:10],
            "time_end": text(one.at)[11:],
            "taskstatus": "Completed" if one.done else "Not Started",
        }
        return entry("Calendar", one.id, row, is_deleted=gone)
    if one.kind not in EVENT_KINDS:
        return None
    until = one.at + (45 * MINUTE if one.kind == "meetings" else HOUR // 4)
    row |= {
        "activitytype": EVENT_KINDS[one.kind],
        "due_date": text(until)[:10],
        "time_end": text(until)[11:],
        "eventstatus": "Held" if one.done else "Planned",
    }
    return entry("Events", one.id, row, is_deleted=gone)


def people(world: World) -> list[Entry]:
    """Users, those who left as inactive."""
    day = business_date(world.today)
    return [
        entry(
            "Users",
            rep.owner_id,
            {
                "user_name": rep.email.partition("@")[0],
                "first_name": rep.given,
                "last_name": rep.family,
                "email1": rep.email,
                "status": "Active" if rep.row(day) else "Inactive",
                "is_admin": "off",
                "accesskey": f"canary-{rep.owner_id}",
            },
        )
        for rep in ROSTER
    ]


def currencies(world: World) -> list[Entry]:
    """The company's currencies, at what a euro buys today."""
    day = business_date(world.today)
    found = []
    for code, number in CURRENCIES.items():
        rate = Decimal(1) if code == HOME else 1 / world.rates.on(code, day)
        row: dict[str, str | None] = {
            "currency_name": code,
            "currency_code": code,
            "conversion_rate": f"{rate:.5f}",
            "currency_status": "Active",
            "defaultid": "-11" if code == HOME else "0",
            "deleted": "0",
        }
        found.append(entry("Currency", number, row))
    return found


def render(world: World) -> dict[str, list[Entry]]:
    """Everything Vtiger holds, by module."""
    first = midnight(business_date(0).replace(2023, 10, 2))
    counted = stock_columns(world)
    held: dict[str, list[Entry]] = {
        "Potentials": [deal(world, one) for one in world.deals],
        "Quotes": [quote for one in world.deals for quote in quotes(one)],
        "Invoice": [billed(world, one) for one in world.books.invoices],
        "Leads": [lead(one) for one in world.leads],
        "Users": people(world),
        "Groups": [entry("Groups", QUEUE_OWNER_ID, {"groupname": "Inbound queue"})],
        "Currency": currencies(world),
        "Events": [],
        "Calendar": [],
        **goods(world, first),
    }
    held["Accounts"] = [
        entry(
            "Accounts",
            one.id,
            {
                "accountname": one.name,
                "website": f"https://www.{one.domain}/",
                "industry": one.industry,
                "bill_country": one.country.code,
                **stamps(one.created, one.modified),
            },
        )
        for one in world.accounts
    ]
    held["Contacts"] = [
        entry(
            "Contacts",
            one.id,
            {
                "firstname": one.given,
                "lastname": one.family,
                "email": one.email,
                "title": one.title,
                "account_id": f"11x{one.account.id}",
                "assigned_user_id": owner(one.owner_id),
                **stamps(one.created, one.modified),
            },
        )
        for one in world.contacts
    ]
    held["Products"] = [
        entry(
            "Products",
            product_id(place),
            {
                "productname": name,
                "productcode": f"NL-{place + 1:03d}",
                "unit_price": money(Decimal(price)),
                **stamps(first, first),
                **counted.get(place, {}),
            },
        )
        for place, (name, price) in enumerate(PRODUCTS)
    ]
    for one in world.activities:
        if (found := activity(one)) is not None:
            held[found["module"]].append(found)
    for module in held.values():
        module.sort(key=lambda one: int(one["number"]))
    return held
