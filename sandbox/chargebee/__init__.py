"""A Chargebee site on loopback that enforces Chargebee's rules.

state = ChargebeeState()
with ChargebeeServer(state) as server:
    ...  # GET server.url + "/api/v2/invoices", Basic API_KEY and no password
"""

from sandbox.chargebee.server import ChargebeeServer
from sandbox.chargebee.state import API_KEY, ChargebeeState, Key

__all__ = ["API_KEY", "ChargebeeServer", "ChargebeeState", "Key"]
