"""HubSpot: deals with their history, people, companies, leads, activities, tickets, money.

Data flow:
    GET  crm/objects/{type}                     first load, archive, sweep of ids
    POST crm/objects/{type}/search              ids that changed
    POST crm/objects/{type}/batch/read          those records, with history
    POST crm/associations/{from}/{to}/batch/read
        -> raw.hubspot__<type>, raw.hubspot__deal_associations
    GET  crm/owners, crm/pipelines, crm/properties, settings/currencies
        -> raw.hubspot__owners, …deal_pipelines, …lead_pipelines,
           …ticket_pipelines, …properties, …exchange_rates, …company_currency

Vendor rules and their evidence: docs/sources/hubspot.md.
"""

from collections.abc import AsyncIterator
from datetime import timedelta

from connectors.base.stream import Connector, Page, ReadRequest, Stream
from connectors.hubspot.check import OTHER_SCOPES, check
from connectors.hubspot.lists import (
    read_company_currency,
    read_deal_pipelines,
    read_exchange_rates,
    read_lead_pipelines,
    read_owners,
    read_properties,
    read_ticket_pipelines,
)
from connectors.hubspot.objects import BY_NAME, DEALS, OBJECT_TYPES, ObjectType, scopes_of
from connectors.hubspot.opening import open_account
from connectors.hubspot.reading import Reader
from connectors.hubspot.session import Session
from connectors.hubspot.settings import ALL_STREAMS, HubspotSettings

__all__ = ["CONNECTOR", "HubspotSettings", "Session"]


def read_object(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the CRM object type that bears the stream's name."""
    return Reader(session, BY_NAME[request.stream.name], request).pages()


def active(settings: HubspotSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


def _object_stream(kind: ObjectType) -> Stream:
    return Stream(
        kind.name,
        kind.description,
        read=read_object,
        sweep_every=timedelta(days=1),
        volatile=kind.volatile,
        # `init` asks for the rights of what is read without being named.
        scopes=() if kind.is_optional else scopes_of(kind),
    )


CONNECTOR = Connector(
    source="hubspot",
    title="HubSpot CRM",
    starter="# token comes from {variable}__TOKEN or {variable}__TOKEN_FILE\n",
    steps=(
        "As a super admin open Settings > Integrations > Private apps and create one.",
        "Give it the read scopes named below and no others.",
        "Put its token into the environment, or into a file that only pipeledger may read.",
    ),
    settings=HubspotSettings,
    streams=(
        *(_object_stream(kind) for kind in OBJECT_TYPES),
        Stream(
            "deal_associations",
            "One record per deal: its companies, contacts, line items and quotes.",
            parent=DEALS.name,
            scopes=scopes_of(DEALS),
        ),
        Stream(
            "owners",
            "Owners, those who left included.",
            read=read_owners,
            snapshot=True,
            scopes=OTHER_SCOPES["owners"],
        ),
        Stream(
            "deal_pipelines",
            "Deal pipelines with their stages inline.",
            read=read_deal_pipelines,
            snapshot=True,
            scopes=OTHER_SCOPES["deal_pipelines"],
        ),
        Stream(
            "lead_pipelines",
            "Lead pipelines with their stages inline.",
            read=read_lead_pipelines,
            snapshot=True,
            scopes=OTHER_SCOPES["lead_pipelines"],
        ),
        Stream(
            "ticket_pipelines",
            "Ticket pipelines with their stages inline.",
            read=read_ticket_pipelines,
            snapshot=True,
            scopes=OTHER_SCOPES["ticket_pipelines"],
        ),
        Stream(
            "exchange_rates",
            "Dated exchange rates of the account.",
            read=read_exchange_rates,
            snapshot=True,
            scopes=OTHER_SCOPES["exchange_rates"],
        ),
        Stream(
            "company_currency",
            "The account's own currency.",
            read=read_company_currency,
            snapshot=True,
            scopes=OTHER_SCOPES["company_currency"],
        ),
        Stream(
            "properties",
            "Property definitions by object type, custom ones included.",
            read=read_properties,
            scopes=OTHER_SCOPES["properties"],
        ),
    ),
    open=open_account,
    check=check,
    active=active,
)
