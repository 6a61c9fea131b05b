"""Salesforce: opportunities with their history, accounts, leads, quotes, quotas, activities.

Data flow:
    sobjects/<Object>/describe           which fields exist   -> raw.salesforce__fields
    queryAll by SystemModstamp and Id, a Bulk 2.0 job for a large past
                                                              -> raw.salesforce__<stream>
    sobjects/<Object>/deleted, now and then all ids: what was purged

Vendor rules and their evidence: docs/sources/salesforce.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.salesforce.check import check
from connectors.salesforce.objects import ALL_STREAMS, KINDS, VOLATILE
from connectors.salesforce.opening import open_org
from connectors.salesforce.reading import read_fields, read_object
from connectors.salesforce.session import Session
from connectors.salesforce.settings import SalesforceSettings

__all__ = ["CONNECTOR", "SalesforceSettings", "Session"]


def active(settings: SalesforceSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


CONNECTOR = Connector(
    source="salesforce",
    title="Salesforce",
    starter=(
        'base_url = "https://acme.my.salesforce.com"\n'
        'client_id = "3MVG9-of-the-app"\n'
        "# client_secret comes from {variable}__CLIENT_SECRET or {variable}__CLIENT_SECRET_FILE\n"
    ),
    steps=(
        "As an administrator create an integration user.",
        "Give it the permissions API Enabled, View All Data and View Setup.",
        "Setup > External Client Apps: create an app with the scope `api`.",
        "Turn on its client credentials flow and let it run as that user.",
        "Setup > My Domain names the address, such as https://acme.my.salesforce.com.",
        "Copy the consumer key into client_id.",
        "Put the consumer secret into the environment, or into a file only pipeledger may read.",
    ),
    settings=SalesforceSettings,
    streams=(
        *(
            Stream(
                kind.stream,
                kind.description,
                read=read_object,
                volatile=VOLATILE,
                scopes=(f"{kind.name}: read",),
            )
            for kind in KINDS
        ),
        Stream("fields", "Fields, labels and picklists by object.", read=read_fields),
    ),
    open=open_org,
    check=check,
    active=active,
)
