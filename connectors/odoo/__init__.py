"""Odoo: leads and deals, partners, orders, invoices, payments, stock and their history.

Data flow:
    fields_get                    which fields exist      -> raw.odoo__fields
    search_read by write_date and id                      -> raw.odoo__<stream>
    search of all ids, now and then: what was deleted or closed to us

JSON-RPC (/jsonrpc) up to Odoo 18, JSON-2 (/json/2) from 19. Vendor rules and their
evidence: docs/sources/odoo.md.
"""

from connectors.base.stream import Connector, Stream
from connectors.odoo.check import check
from connectors.odoo.models import ALL_STREAMS, ALWAYS_VOLATILE, MODELS
from connectors.odoo.opening import open_account
from connectors.odoo.reading import read_fields, read_model
from connectors.odoo.session import Session
from connectors.odoo.settings import OdooSettings

__all__ = ["CONNECTOR", "OdooSettings", "Session"]


def active(settings: OdooSettings) -> tuple[str, ...]:
    """The streams that the settings want."""
    return tuple(stream for stream in ALL_STREAMS if settings.is_active(stream))


CONNECTOR = Connector(
    source="odoo",
    title="Odoo",
    starter=(
        'base_url = "https://odoo.example.com"\n'
        'database = "production"\n'
        'username = "pipeledger@example.com"\n'
        "# api_key comes from {variable}__API_KEY or {variable}__API_KEY_FILE\n"
    ),
    steps=(
        "As an administrator create a user of its own, with every company allowed.",
        "Let it see all documents of Sales and Invoicing; Settings for the stage history.",
        "Sign in as that user: Preferences > Account Security > New API Key.",
        "Put the key into the environment, or into a file that only pipeledger may read.",
        "Note when the key expires: at most three months later.",
    ),
    settings=OdooSettings,
    streams=(
        *(
            Stream(
                model.stream,
                model.description,
                read=read_model,
                volatile=model.volatile | ALWAYS_VOLATILE,
                scopes=(f"{model.name}: read",),
            )
            for model in MODELS
        ),
        Stream("fields", "Fields, labels and selections by model.", read=read_fields),
    ),
    open=open_account,
    check=check,
    active=active,
)
