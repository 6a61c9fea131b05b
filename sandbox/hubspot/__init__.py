"""A HubSpot account on loopback that enforces HubSpot's rules.

    state = HubspotState()
    with HubspotServer(state) as server:
        ...  # GET server.url + "/crm/objects/2026-09/deals", Bearer STATIC_TOKEN

`HubspotState` is the account, `HubspotServer` its API, `Limits` what it may be asked.
"""

from sandbox.hubspot.access import STATIC_TOKEN, Grant, Limits, OAuthApp
from sandbox.hubspot.schema import ALL_SCOPES
from sandbox.hubspot.server import HubspotServer
from sandbox.hubspot.state import HubspotState

__all__ = [
    "ALL_SCOPES",
    "STATIC_TOKEN",
    "Grant",
    "HubspotServer",
    "HubspotState",
    "Limits",
    "OAuthApp",
]
