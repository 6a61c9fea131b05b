"""The world as HubSpot's API holds it: plain dicts that the sandbox server serves.

Every object is ``{"id", "properties", "history", "createdAt", "updatedAt", "archived",
"archivedAt", "associations"}``: property values are text or None, ``history`` maps a
tracked property to its entries newest first, ``associations`` maps an object type to
ids (the first company is the primary one). Property names: docs/sources/hubspot.md.
"""

from decimal import Decimal
from typing import Any

from sandbox.company.clock import DAY, business_date, iso
from sandbox.company.hubspot_record import HubSpot, history, record, text
from sandbox.company.hubspot_work import (
    engagement,
    exchange_rates,
    goal_targets,
    line_items,
    owners,
    products,
    quotes,
)
from sandbox.company.model import Account, Contact, Deal, Lead, World
from sandbox.company.money import HOME, rounded
from sandbox.company.pipelines import (
    LEAD_PIPELINE,
    hubspot_deal_pipelines,
    hubspot_lead_pipelines,
)
from sandbox.company.properties import DEFINITIONS

TRACKED = {
    "dealstage": "stages",
    "pipeline": "pipelines",
    "amount": "amounts",
    "closedate": "closes",
    "hubspot_owner_id": "owners",
    "deal_currency_code": "currencies",
}
"""Deal properties with history and the field of ``Deal`` that holds it."""


def deal(world: World, one: Deal) -> HubSpot:
    """A deal with the history of its six tracked properties."""
    amount, closed_at = one.amount, one.closed_at
    # While open it is worked out anew every day, and the record's stamp does not move.
    day = business_date(closed_at or world.today)
    in_home = None if amount is None else world.rates.to_home(amount, one.currency, day)
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
        "goal_targets": goal_targets(),
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
