"""Xero: sales invoices and bills, credit notes, payments and their allocations, quotes, contacts.

Data flow (all below https://api.xero.com):
    GET /connections               which organisation
    GET /api.xro/2.0/<list>        -> raw.xero__<stream>, oldest change first
    GET /api.xro/2.0/<settings>    -> raw.xero__<stream>, whole each time

Vendor rules and their evidence: docs/sources/xero.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.xero.check import check
from connectors.xero.kinds import ALL_STREAMS, KINDS
from connectors.xero.opening import open_organisation
from connectors.xero.reading import read_kind
from connectors.xero.session import Session
from connectors.xero.settings import XeroSettings

__all__ = ["CONNECTOR", "Session", "XeroSettings"]


def active(settings: XeroSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


CONNECTOR = Connector(
    source="xero",
    title="Xero",
    starter=(
        'client_id = "0123456789ABCDEF0123456789ABCDEF"\n'
        "# client_secret comes from {variable}__CLIENT_SECRET or {variable}__CLIENT_SECRET_FILE\n"
        "# refresh_token comes from {variable}__REFRESH_TOKEN or {variable}__REFRESH_TOKEN_FILE\n"
        '# tenant_id = "00000000-0000-0000-0000-000000000000"\n'
    ),
    steps=(
        "At developer.xero.com create an app: a web app, or a custom connection (paid).",
        "Scopes: accounting.invoices.read, accounting.payments.read,",
        "accounting.contacts.read, accounting.settings.read; a web app offline_access too.",
        "Web app: sign in once, choose the organisation, keep the answer's refresh_token.",
        "Nothing else may use that refresh token: Xero replaces it at every use.",
        "Where the sign-in reaches several organisations, set tenant_id; one connection each.",
    ),
    settings=XeroSettings,
    streams=tuple(
        Stream(
            kind.stream,
            kind.description,
            read=read_kind,
            volatile=kind.volatile,
            scopes=(kind.scope,),
        )
        for kind in KINDS
    ),
    open=open_organisation,
    check=check,
    active=active,
)
