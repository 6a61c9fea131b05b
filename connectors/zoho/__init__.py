"""Zoho CRM: deals with their stage history, people, companies, documents, the money table.

Data flow:
    POST coql                       changed records, oldest change first
    GET  Leads?converted=true       converted leads
    GET  {Module}/{id}              quotes, orders and invoices with their lines
    GET  {Module}/deleted           ids that were deleted
        -> raw.zoho__<stream>
    GET  Deals/{id}/Stage_History, Contact_Roles, Emails
        -> raw.zoho__deal_stage_history, …deal_contact_roles, …emails
    GET  users, settings/…, org, org/currencies
        -> raw.zoho__users, …roles, …territories, …pipelines, …currencies, …organization,
           …modules, …fields

Vendor rules and their evidence: docs/sources/zoho.md.
"""

from collections.abc import AsyncIterator

from connectors.base.stream import Connector, Page, ReadRequest, Stream
from connectors.zoho.check import LIST_SCOPES, check, scopes_of
from connectors.zoho.children import read_contact_roles, read_emails, read_stage_history
from connectors.zoho.custom import read_custom
from connectors.zoho.lists import (
    read_currencies,
    read_fields,
    read_modules,
    read_organization,
    read_pipelines,
    read_roles,
    read_territories,
    read_users,
)
from connectors.zoho.modules import (
    ALL_STREAMS,
    BY_STREAM,
    MODULES,
    OF_THE_DAY,
    OF_THE_READER,
    Module,
)
from connectors.zoho.opening import open_account
from connectors.zoho.reading import Reader
from connectors.zoho.session import Session
from connectors.zoho.settings import ZohoSettings

__all__ = ["CONNECTOR", "Session", "ZohoSettings"]


def read_module(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the module behind the stream."""
    return Reader(session, BY_STREAM[request.stream.name], request).pages()


def active(settings: ZohoSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


def _module_stream(module: Module) -> Stream:
    return Stream(
        module.stream,
        module.description,
        read=read_module,
        volatile=OF_THE_READER if module.lines or module.converts else frozenset(),
        scopes=scopes_of(module.stream),
    )


_LISTS = {
    "users": ("Users without private data; deleted ones as archived.", read_users),
    "roles": ("Roles.", read_roles),
    "territories": ("Territories, where there are any.", read_territories),
    "pipelines": ("Deal pipelines with their stages.", read_pipelines),
    "currencies": ("Currencies with their rate.", read_currencies),
    "organization": ("The organisation: home currency, time zone.", read_organization),
    "modules": ("Modules, own ones among them.", read_modules),
    "fields": ("Fields, labels and picklists by module.", read_fields),
}

CONNECTOR = Connector(
    source="zoho",
    title="Zoho CRM",
    starter=(
        'data_center = "eu"\n'
        'client_id = "1000.ABCDEF"\n'
        "# client_secret comes from {variable}__CLIENT_SECRET or {variable}__CLIENT_SECRET_FILE\n"
        "# refresh_token comes from {variable}__REFRESH_TOKEN or {variable}__REFRESH_TOKEN_FILE\n"
    ),
    steps=(
        "As an administrator open the API console of your data centre, e.g. api-console.zoho.eu.",
        "Add a Self Client and note its client id and secret.",
        "Generate a code with the scopes below, comma-separated, and exchange it for tokens.",
        "Put both secrets into the environment, or into files that only pipeledger may read.",
        "Set data_center to the ending of your CRM's address: us, eu, in, au, jp, cn, ca, sa.",
    ),
    settings=ZohoSettings,
    streams=(
        *(_module_stream(module) for module in MODULES),
        Stream(
            "deal_stage_history",
            "The stays of deals in stages; only of deals that moved.",
            read=read_stage_history,
            volatile=OF_THE_DAY,
            scopes=scopes_of("deal_stage_history"),
        ),
        Stream(
            "deal_contact_roles",
            "One record per deal: its contacts in their roles.",
            read=read_contact_roles,
            scopes=scopes_of("deal_contact_roles"),
        ),
        Stream(
            "emails",
            "E-mails of deals, without their text.",
            read=read_emails,
            scopes=(*scopes_of("emails"), "ZohoCRM.modules.emails.READ"),
        ),
        *(
            Stream(name, text, read=read, scopes=LIST_SCOPES[name])
            for name, (text, read) in _LISTS.items()
        ),
        Stream(
            "custom_records",
            "Records of the own modules that the settings name.",
            read=read_custom,
            scopes=scopes_of("custom_records"),
        ),
    ),
    open=open_account,
    check=check,
    active=active,
)
