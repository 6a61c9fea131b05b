"""The world as a Salesforce org holds it: records by object and id, times in whole seconds.

A deal's history is `OpportunityHistory`: a row with what it held after each change of stage,
amount, currency or close date. The two pipelines are record types; both share one list of
stages by label. A lead that was converted names its deal. Deleted deals lie in the bin.
"""

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.company.clock import HOUR, START, business_date, instant
from sandbox.company.hubspot_work import product_id
from sandbox.company.model import Activity, Deal, Edit, Lead, World
from sandbox.company.money import HOME
from sandbox.company.names import PRODUCTS
from sandbox.company.people import ROSTER
from sandbox.company.pipelines import PIPELINE_OF_STAGE, PIPELINES, STAGES
from sandbox.company.vtiger import STAGE_NAMES, stage_name

Row = dict[str, Any]
Tables = dict[str, dict[str, Row]]
PREFIXES = {
    "Opportunity": "006", "Account": "001", "Contact": "003", "Lead": "00Q", "User": "005",
    "OpportunityHistory": "008", "OpportunityLineItem": "00k", "Quote": "0Q0", "Task": "00T",
    "QuoteLineItem": "0QL", "Event": "00U", "Product2": "01t", "RecordType": "012",
    "OpportunityStage": "01J", "CurrencyType": "01L", "OpportunityContactRole": "00K",
    "OpportunitySplit": "1Sp", "OpportunitySplitType": "1ST", "Case": "500",
}  # fmt: skip
SHARED = 10
"""One live deal in so many is shared by two sellers and an overlay one."""
SPLIT_TYPES = {"revenue": 1, "overlay": 2}
RECORD_TYPES = {name: place for place, name in enumerate(PIPELINES, start=1)}
LEAD_STATUS = {
    "new-stage-id": "Open",
    "attempting-stage-id": "Working",
    "connected-stage-id": "Contacted",
    "qualified-stage-id": "Qualified",
    "unqualified-stage-id": "Unqualified",
}
PRIORITIES = {"low": "Low", "normal": "Medium", "high": "High", "critical": "Critical"}
QUOTE_STATUS = {"DRAFT": "Draft", "APPROVED": "Accepted", "REJECTED": "Rejected"}


def record_id(name: str, number: Any) -> str:
    """An id of 18 characters, ascending as its number is."""
    return f"{PREFIXES[name]}{int(number):012d}AAA"


def stamp(at: int) -> str:
    """An instant as REST shows it."""
    return instant(at).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def number(amount: Decimal | None) -> msgspec.Raw | None:
    """An amount as a JSON number, its digits as they are."""
    return None if amount is None else msgspec.Raw(str(amount).encode())


def user(owner_id: str | None) -> str | None:
    """The id of an owner."""
    return None if owner_id is None else record_id("User", owner_id)


def put(tables: Tables, name: str, key: Any, row: Row, created: int, modified: int = 0) -> str:
    """A record with its clocks; its id."""
    made = record_id(name, key)
    system = {"Id": made, "IsDeleted": False, "CreatedDate": stamp(created)}
    system["SystemModstamp"] = stamp(max(created, modified))
    tables.setdefault(name, {})[made] = {**system, **row}
    return made


def percent(stage_id: str) -> float:
    """The probability of a stage, as a percentage."""
    return float(Decimal(STAGES[stage_id].probability) * 100)


def deal(tables: Tables, one: Deal) -> None:
    """An opportunity with its history, products and quotes."""
    close = one.closes[-1].value
    last_move = one.stages[-1].at
    row: Row = {
        "Name": one.name,
        "StageName": stage_name(one.stage),
        "Amount": number(one.amount),
        "Probability": float(Decimal(one.probability) * 100),
        "CloseDate": None if close is None else business_date(close).isoformat(),
        "IsClosed": one.status != "open",
        "IsWon": one.status == "won",
        "OwnerId": user(one.owners[-1].value),
        "AccountId": record_id("Account", one.account.id),
        "ContactId": record_id("Contact", one.contacts[0].id) if one.contacts else None,
        "RecordTypeId": record_id("RecordType", RECORD_TYPES[one.pipeline.id]),
        "CurrencyIsoCode": one.currency,
        "LeadSource": one.channel,
        "ForecastCategoryName": "Closed" if one.status == "won" else "Pipeline",
        "Loss_Reason__c": one.loss_reason if one.status == "lost" else None,
        "LastStageChangeDate": stamp(last_move),
        "IsDeleted": one.archived_at is not None,
    }
    put(tables, "Opportunity", one.id, row, one.created, max(one.modified, one.archived_at or 0))
    if one.archived_at is None:
        history(tables, one)
    for place, person in enumerate(one.contacts):
        role: Row = {
            "OpportunityId": record_id("Opportunity", one.id),
            "ContactId": record_id("Contact", person.id),
            "Role": "Decision Maker" if place == 0 else None,
            "IsPrimary": place == 0,
        }
        put(tables, "OpportunityContactRole", int(one.id) * 10 + place, role, one.created)
    for place, (kind, owner_id, share) in enumerate(shares(one)):
        split: Row = {
            "OpportunityId": record_id("Opportunity", one.id),
            "SplitOwnerId": user(owner_id),
            "SplitTypeId": record_id("OpportunitySplitType", SPLIT_TYPES[kind]),
            "SplitPercentage": float(share),
        }
        put(tables, "OpportunitySplit", int(one.id) * 10 + place, split, one.created)
    for line in one.lines:
        held: Row = {
            "OpportunityId": record_id("Opportunity", one.id),
            "Product2Id": record_id("Product2", product_id(line.product)),
            "Name": PRODUCTS[line.product][0],
            "Quantity": float(line.quantity),
            "UnitPrice": number(line.price),
            "TotalPrice": number(line.amount),
            "CurrencyIsoCode": one.currency,
        }
        put(tables, "OpportunityLineItem", line.id, held, line.created)
    for quote in one.quotes:
        quoted: Row = {
            "QuoteNumber": quote.number,
            "Name": f"{one.name} {quote.number}",
            "OpportunityId": record_id("Opportunity", one.id),
            "AccountId": record_id("Account", one.account.id),
            "Status": QUOTE_STATUS.get(quote.status, "Presented"),
            "TotalPrice": number(quote.amount),
            "Tax": 0.0,
            "GrandTotal": number(quote.amount),
            "ExpirationDate": business_date(quote.expires).isoformat(),
            "OwnerId": user(one.at(one.owners, quote.created)),
            "CurrencyIsoCode": one.currency,
        }
        put(tables, "Quote", quote.id, quoted, quote.created)
        for place, line in enumerate(one.lines):
            held = {
                "QuoteId": record_id("Quote", quote.id),
                "Product2Id": record_id("Product2", product_id(line.product)),
                "Quantity": float(line.quantity),
                "UnitPrice": number(line.price),
                "TotalPrice": number(line.amount),
                "CurrencyIsoCode": one.currency,
            }
            put(tables, "QuoteLineItem", int(quote.id) * 10 + place, held, quote.created)


def shares(one: Deal) -> list[tuple[str, str, int]]:
    """Kind, owner and percentage of the shares in a deal; none where it is its owner's alone."""
    owner_id = one.owners[-1].value
    if int(one.id) % SHARED or owner_id is None or one.archived_at is not None:
        return []
    second, third = [rep.owner_id for rep in ROSTER if rep.owner_id != owner_id][:2]
    return [("revenue", owner_id, 60), ("revenue", second, 40), ("overlay", third, 50)]


def seconds(*histories: list[Edit]) -> list[int]:
    """The seconds in which any of some fields changed, ascending."""
    return sorted({edit.at // 1_000 for edits in histories for edit in edits})


def history(tables: Tables, one: Deal) -> None:
    """What the opportunity held at the end of each second in which something changed."""
    told = tables.setdefault("OpportunityHistory", {})
    for second in seconds(one.stages, one.amounts, one.closes, one.currencies):
        end = second * 1_000 + 999
        stage_id = one.at(one.stages, end)
        close = one.at(one.closes, end)
        row: Row = {
            "OpportunityId": record_id("Opportunity", one.id),
            "StageName": stage_name(STAGES[stage_id]),
            "Amount": number(one.at(one.amounts, end)),
            "CloseDate": None if close is None else business_date(close).isoformat(),
            "Probability": percent(stage_id),
            "CurrencyIsoCode": one.at(one.currencies, end) or HOME,
            "CreatedById": user(one.at(one.owners, end)),
        }
        put(tables, "OpportunityHistory", len(told) + 1, row, second * 1_000)


def lead(tables: Tables, one: Lead) -> None:
    """A lead; a converted one names what became of it."""
    row: Row = {
        "FirstName": one.contact.given,
        "LastName": one.contact.family,
        "Company": one.contact.account.name,
        "Email": one.contact.email,
        "Status": LEAD_STATUS[one.stages[-1].value],
        "LeadSource": one.channel,
        "OwnerId": user(one.owner_id),
        "IsConverted": one.deal is not None,
        "IsDeleted": one.archived_at is not None,
    }
    if one.deal is not None:
        row["ConvertedDate"] = business_date(one.deal.created).isoformat()
        row["ConvertedOpportunityId"] = record_id("Opportunity", one.deal.id)
        row["ConvertedAccountId"] = record_id("Account", one.contact.account.id)
        row["ConvertedContactId"] = record_id("Contact", one.contact.id)
    modified = max(one.stages[-1].at, one.archived_at or 0)
    put(tables, "Lead", one.id, row, one.created, modified)


def activity(tables: Tables, one: Activity) -> None:
    """A meeting is an event, a call or task a task."""
    row: Row = {
        "Subject": one.subject,
        "OwnerId": user(one.owner_id),
        "WhoId": record_id("Contact", one.contact.id),
        "WhatId": record_id("Opportunity", one.deal.id) if one.deal else None,
    }
    created = one.created or one.at
    if one.kind == "meetings":
        row |= {"StartDateTime": stamp(one.at), "EndDateTime": stamp(one.at + HOUR)}
        put(tables, "Event", one.id, row, created)
        return
    row |= {
        "Status": "Completed" if one.done else "Not Started",
        "IsClosed": one.done,
        "TaskSubtype": "Call" if one.kind == "calls" else "Task",
        "ActivityDate": business_date(one.at).isoformat(),
        "CompletedDateTime": stamp(one.at) if one.done else None,
        "Description": "PRIVATE-TEXT of a call",
    }
    put(tables, "Task", one.id, row, created, one.at if one.done else 0)


def cases(world: World, tables: Tables) -> None:
    """The service cases."""
    for place, one in enumerate(world.goods.tickets, 1):
        row: Row = {
            "CaseNumber": f"{place:08d}",
            "Subject": "It hums",
            "Description": "PRIVATE-TEXT of a customer",
            "Status": "Closed" if one.solved else "Working" if one.answered else "New",
            "IsClosed": one.solved is not None,
            "ClosedDate": stamp(one.solved) if one.solved else None,
            "Priority": PRIORITIES[one.severity],
            "AccountId": record_id("Account", one.account.id) if one.account else None,
        }
        edited = one.solved or one.answered or 0
        put(tables, "Case", place, row, one.opened, edited)


def lists(world: World, tables: Tables) -> None:
    """Users, stages, record types, currencies, products."""
    today, start = business_date(world.today), START
    for rep in ROSTER:
        row: Row = {"Username": rep.email, "Name": rep.name, "Email": rep.email}
        row |= {"IsActive": rep.row(today) is not None, "SenderSignature": "PRIVATE-TEXT"}
        put(tables, "User", rep.owner_id, row, start)
    kinds = {stage_name(stage): stage for one in PIPELINES.values() for stage in one.stages}
    for place, name in enumerate(STAGE_NAMES, start=1):
        stage = kinds[name]
        row = {"MasterLabel": name, "ApiName": name, "SortOrder": place, "IsActive": True}
        row |= {"IsClosed": stage.kind != "open", "IsWon": stage.kind == "won"}
        row |= {"DefaultProbability": percent(stage.id), "ForecastCategoryName": "Pipeline"}
        put(tables, "OpportunityStage", place, row, start)
    for pipeline in PIPELINES.values():
        row = {"Name": pipeline.label, "SobjectType": "Opportunity", "IsActive": True}
        put(tables, "RecordType", RECORD_TYPES[pipeline.id], row, start)
    for kind, place in SPLIT_TYPES.items():
        row = {"MasterLabel": kind.title(), "SplitField": "Amount"}
        row |= {"IsTotalValidated": kind == "revenue", "IsActive": True}
        put(tables, "OpportunitySplitType", place, row, start)
    for place, code in enumerate(("EUR", "USD", "JPY"), start=1):
        rate = Decimal(1) if code == HOME else 1 / world.rates.on(code, today)
        row = {"IsoCode": code, "ConversionRate": round(float(rate), 6), "IsActive": True}
        put(tables, "CurrencyType", place, row | {"IsCorporate": code == HOME}, start)
    for place, (name, _) in enumerate(PRODUCTS):
        row = {"Name": name, "ProductCode": f"NL-{place + 1:03d}", "IsActive": True}
        put(tables, "Product2", product_id(place), row, start)


def render(world: World) -> Tables:
    """Every object that has anything of the company."""
    tables: Tables = {}
    lists(world, tables)
    cases(world, tables)
    for account in world.accounts:
        row: Row = {
            "Name": account.name,
            "Website": f"https://www.{account.domain}/",
            "Industry": account.industry,
            "BillingCountryCode": account.country.code,
        }
        put(tables, "Account", account.id, row, account.created, account.modified)
    for contact in world.contacts:
        row = {
            "FirstName": contact.given,
            "LastName": contact.family,
            "Name": f"{contact.given} {contact.family}",
            "Email": contact.email,
            "Title": contact.title,
            "AccountId": record_id("Account", contact.account.id),
            "OwnerId": user(contact.owner_id),
        }
        put(tables, "Contact", contact.id, row, contact.created, contact.modified)
    for one in world.deals:
        deal(tables, one)
    for each in world.leads:
        lead(tables, each)
    for done in world.activities:
        if done.kind in ("calls", "meetings", "tasks") and done.archived_at is None:
            activity(tables, done)
    return tables


def stage_key(stage_id: str, deal_now: Deal) -> str:
    """Record type of today and label of a stage, as the marts join them."""
    pipeline = RECORD_TYPES[PIPELINE_OF_STAGE[deal_now.stages[-1].value].id]
    return f"{record_id('RecordType', pipeline)}:{stage_name(STAGES[stage_id])}"
