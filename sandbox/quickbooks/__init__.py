"""QuickBooks Online on loopback: query, change data capture, batch, and its token endpoint."""

from sandbox.quickbooks.server import QuickbooksServer
from sandbox.quickbooks.state import (
    CLIENT_ID,
    CLIENT_SECRET,
    REALM,
    REFRESH_TOKEN,
    QuickbooksState,
)

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "REALM",
    "REFRESH_TOKEN",
    "QuickbooksServer",
    "QuickbooksState",
]
