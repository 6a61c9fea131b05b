"""Zoho CRM as a sandbox: an organisation in memory, its accounts server and API on loopback."""

from sandbox.zoho.coql import CoqlError, Query, parse
from sandbox.zoho.server import CLIENT, REFRESH_TOKEN, SECRET, ZohoServer
from sandbox.zoho.state import Entry, ZohoState

__all__ = [
    "CLIENT",
    "REFRESH_TOKEN",
    "SECRET",
    "CoqlError",
    "Entry",
    "Query",
    "ZohoServer",
    "ZohoState",
    "parse",
]
