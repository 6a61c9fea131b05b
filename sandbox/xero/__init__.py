"""Xero on loopback, enforcing Xero's rules.

state = XeroState()
with XeroServer(state) as server:
    ...  # GET server.url + "/api.xro/2.0/Invoices", a bearer token and Xero-Tenant-Id
"""

from sandbox.xero.server import XeroServer
from sandbox.xero.state import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, TENANT, XeroState

__all__ = ["CLIENT_ID", "CLIENT_SECRET", "REFRESH_TOKEN", "TENANT", "XeroServer", "XeroState"]
