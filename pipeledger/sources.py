"""The sources that pipeledger reads: one line each."""

from functools import cache
from importlib import import_module
from typing import cast

from connectors.base.stream import Connector

CONNECTORS: tuple[str, ...] = (
    "chargebee",
    "files",
    "fx",
    "gmail",
    "hubspot",
    "imap",
    "msgraph",
    "odoo",
    "pipedrive",
    "quickbooks",
    "salesforce",
    "stripe",
    "vtiger",
    "xero",
    "zoho",
)


@cache
def connector(source: str) -> Connector:
    """The connector of a source, imported when first asked for; KeyError if unknown."""
    if source not in CONNECTORS:
        raise KeyError(source)
    return cast("Connector", import_module(f"connectors.{source}").CONNECTOR)
