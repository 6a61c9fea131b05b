"""The ECB's file of reference rates on loopback.

state = FxState()
with FxServer(state) as server:
    ...  # GET server.url + "/eurofxref-hist.zip", no key
"""

from sandbox.fx.server import FxServer
from sandbox.fx.state import FxState

__all__ = ["FxServer", "FxState"]
