"""The world as an Odoo database holds it: tables of records by number, and tracked changes.

``{model: {number: record}}``, as `sandbox.odoo` keeps them. A deal's revenue is in the
company's currency, at the rate of its entry or its close; a lost deal is archived where it
lay; a lead that was converted is the deal itself; what was deleted or merged away is gone.
What was done is a message, what is to be done an activity, a meeting stands in the calendar.
"""

from decimal import Decimal

from sandbox.company.clock import HOUR, business_date, instant
from sandbox.company.model import Activity, Deal, Edit, World
from sandbox.company.odoo_goods import put_goods
from sandbox.company.odoo_ledger import ledger
from sandbox.company.odoo_record import CURRENCY_IDS, Row, Tables, at_second, put, put_order
from sandbox.company.people import ROSTER
from sandbox.company.pipelines import PIPELINE_OF_STAGE, PIPELINES, STAGES
from sandbox.company.vtiger import base_amount

TEAM_IDS = {name: place for place, name in enumerate(PIPELINES, start=1)}
# 1 and 2 are the stages of an empty database.
STAGE_IDS = {
    stage.id: 10 * TEAM_IDS[pipeline.id] + stage.order
    for pipeline in PIPELINES.values()
    for stage in pipeline.stages
    if stage.kind != "lost"
}
STAGE_FIELD, ACTIVE_FIELD = 1, 2
ORDER_STATES = {"DRAFT": "draft", "APPROVED": "sale", "REJECTED": "cancel"}
TYPES = {"calls": 1, "tasks": 2, "meetings": 3}


def by_second(edits: list[Edit]) -> list[Edit]:
    """What held at the end of each second in which something changed."""
    return list({edit.at // 1_000: edit for edit in edits}.values())


def amount_of(world: World, one: Deal) -> Decimal:
    """The expected revenue: in the company's currency, and 0 where there is none."""
    return base_amount(world, one) or Decimal(0)


def lain_in(one: Deal) -> list[tuple[Edit, int, bool]]:
    """(edit, the stage that the deal lies in, is it active) after each change of stage."""
    found: list[tuple[Edit, int, bool]] = []
    for edit in by_second(one.stages):
        if edit.value in STAGE_IDS:
            lies = STAGE_IDS[edit.value]
        else:
            first = PIPELINE_OF_STAGE[edit.value].open_stages[0].id
            lies = found[-1][1] if found else STAGE_IDS[first]
        found.append((edit, lies, STAGES[edit.value].kind != "lost"))
    return found


def deal(world: World, one: Deal, reasons: dict[str, int], *, is_converted: bool) -> Row:
    """An opportunity; its person's company is whom it is for."""
    _, stage, active = lain_in(one)[-1]
    closed = None if one.closed_at is None else at_second(one.closed_at)
    close = one.closes[-1].value
    return {
        "name": one.name,
        "type": "opportunity",
        "active": active,
        "stage_id": stage,
        "team_id": TEAM_IDS[one.pipeline.id],
        "user_id": int(one.owners[-1].value) if one.owners[-1].value else None,
        "company_id": 1,
        "company_currency": 1,
        "expected_revenue": float(amount_of(world, one)),
        "probability": float(Decimal(one.probability) * 100),
        "partner_id": int(one.contacts[0].id if one.contacts else one.account.id),
        "lost_reason_id": None if active else reasons.get(one.loss_reason or ""),
        "date_closed": closed,
        "date_deadline": None if close is None else business_date(close).isoformat(),
        "date_conversion": at_second(one.created + 2_000) if is_converted else None,
        "create_date": at_second(one.created),
        "write_date": instant(one.modified),
    }


def track(tables: Tables, one: Deal) -> None:
    """The tracked changes of a deal, each save a message."""
    lies, active = 0, True
    for place, (edit, stage, is_active) in enumerate(lain_in(one)):
        changed: list[tuple[int, int, int]] = []
        if place and stage != lies:
            changed.append((STAGE_FIELD, lies, stage))
        if place and is_active != active:
            changed.append((ACTIVE_FIELD, int(active), int(is_active)))
        lies, active = stage, is_active
        if not changed:
            continue
        said: Row = {"model": "crm.lead", "res_id": int(one.id), "date": at_second(edit.at)}
        message = put(tables, "mail.message", said | {"message_type": "notification"}, edit.at)
        for field, old, new in changed:
            values: Row = {"field_id": field, "field_id.model": "crm.lead"}
            values |= {"old_value_integer": old, "new_value_integer": new}
            put(tables, "mail.tracking.value", values | {"mail_message_id": message}, edit.at)


def put_activity(tables: Tables, one: Activity) -> None:
    """A meeting of the calendar, something to do, or the message that it was done."""
    place: Row = {"crm.lead": one.deal.id} if one.deal else {"res.partner": one.contact.id}
    ((model, about),) = place.items()
    created = one.created or one.at
    if one.kind == "meetings":
        span: Row = {"start": at_second(one.at), "stop": at_second(one.at + HOUR)}
        link: Row = {"opportunity_id": int(one.deal.id) if one.deal else None}
        event = {"name": one.subject, "user_id": int(one.owner_id), "active": True}
        event |= {**span, **link}
        put(tables, "calendar.event", event, created)
    elif one.done:
        said: Row = {"model": model, "res_id": int(about), "date": at_second(one.at)}
        said |= {"subject": one.subject, "message_type": "notification"}
        put(tables, "mail.message", said | {"mail_activity_type_id": TYPES[one.kind]}, one.at)
    else:
        row: Row = {"res_model": model, "res_id": int(about), "summary": one.subject}
        row |= {"user_id": int(one.owner_id), "activity_type_id": TYPES[one.kind]}
        row |= {"date_deadline": business_date(one.at).isoformat()}
        put(tables, "mail.activity", row, created)


def put_quotes(tables: Tables, one: Deal) -> None:
    """The quotations of a deal, each with the deal's lines."""
    for quote in one.quotes:
        row: Row = {"name": quote.number, "state": ORDER_STATES.get(quote.status, "sent")}
        row |= {"opportunity_id": int(one.id), "partner_id": int(one.account.id)}
        row |= {"validity_date": None, "amount_untaxed": float(quote.amount)}
        row |= {"amount_total": float(quote.amount)}
        put_order(tables, int(quote.id), row, one.lines, one.currency, quote.created)


def people(world: World, tables: Tables) -> None:
    """Partners, users, and what hangs on no deal."""
    today = business_date(world.today)
    for account in world.accounts:
        row: Row = {
            "name": account.name,
            "is_company": True,
            "website": f"https://{account.domain}",
        }
        row |= {"commercial_partner_id": int(account.id), "active": True}
        put(tables, "res.partner", row, account.created, int(account.id))
    for contact in world.contacts:
        row = {
            "name": f"{contact.given} {contact.family}",
            "is_company": False,
            "active": True,
        }
        row |= {"active": True, "email": contact.email, "parent_id": int(contact.account.id)}
        row |= {"commercial_partner_id": int(contact.account.id), "function": contact.title}
        put(tables, "res.partner", row, contact.created, int(contact.id))
    for rep in ROSTER:
        row = {"login": rep.email, "name": rep.name, "email": rep.email, "share": False}
        row |= {"active": rep.row(today) is not None, "company_id": 1, "company_ids": [1]}
        secrets = dict.fromkeys(("password", "totp_secret"), "canary-never")
        put(tables, "res.users", row | secrets, world.today, int(rep.owner_id))


def render(world: World) -> Tables:
    """Every table that has anything of the company."""
    start = world.today
    tables: Tables = {}
    for code, number in CURRENCY_IDS.items():
        put(tables, "res.currency", {"name": code, "active": True}, start, number)
    for name, number in (("stage_id", STAGE_FIELD), ("active", ACTIVE_FIELD)):
        put(tables, "ir.model.fields", {"name": name, "model": "crm.lead"}, start, number)
    for name, category, number in (
        ("Call", "phonecall", 1), ("To-Do", "default", 2), ("Meeting", "meeting", 3),
    ):  # fmt: skip
        put(tables, "mail.activity.type", {"name": name, "category": category}, start, number)
    for pipeline in PIPELINES.values():
        team = TEAM_IDS[pipeline.id]
        row: Row = {"name": pipeline.label, "sequence": team, "active": True}
        put(tables, "crm.team", row, start, team)
        for stage in pipeline.stages:
            if stage.id in STAGE_IDS:
                row = {"name": stage.label, "sequence": stage.order, "team_id": team}
                row |= {"is_won": stage.kind == "won"}
                put(tables, "crm.stage", row, start, STAGE_IDS[stage.id])
    people(world, tables)
    names = sorted({one.loss_reason for one in world.deals if one.loss_reason})
    reasons = {name: place for place, name in enumerate(names, start=1)}
    for name, number in reasons.items():
        put(tables, "crm.lost.reason", {"name": name, "active": True}, start, number)
    converted = {one.deal.id for one in world.leads if one.deal and not one.archived_at}
    for one in world.live_deals:
        row = deal(world, one, reasons, is_converted=one.id in converted)
        put(tables, "crm.lead", row, one.created, int(one.id))
        track(tables, one)
        put_quotes(tables, one)
    put_goods(world, tables)
    for lead in world.leads:
        if lead.archived_at is None and lead.deal is None:
            row = {
                "name": f"{lead.contact.account.name} lead",
                "type": "lead",
                "company_id": 1,
            }
            row |= {"contact_name": f"{lead.contact.given} {lead.contact.family}"}
            row |= {"email_from": lead.contact.email, "user_id": int(lead.owner_id)}
            row |= {"active": lead.stages[-1].value != "unqualified-stage-id", "stage_id": 1}
            put(tables, "crm.lead", row, lead.created, int(lead.id))
    for activity in world.activities:
        is_held = activity.deal is None or activity.deal.archived_at is None
        if activity.kind in TYPES and activity.archived_at is None and is_held:
            put_activity(tables, activity)
    ledger(world, tables)
    return tables
