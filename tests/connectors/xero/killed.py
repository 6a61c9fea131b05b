"""A process that refreshes its token; with ``kill`` it dies before the new one is stored.

Run by test_xero_signin.py: python killed.py <settings as JSON> <state folder> [kill]
"""

import asyncio
import json
import os
import sys
from datetime import UTC, datetime
from typing import Any

from connectors.base import shared
from connectors.base.stream import Resources
from connectors.xero import CONNECTOR


def die(*_: Any) -> None:
    """End as by a power cut: nothing is flushed, no lock is given back by hand."""
    os._exit(9)


async def main() -> None:
    """Ask which organisations there are."""
    settings = CONNECTOR.settings.model_validate(json.loads(sys.argv[1]))
    resources = Resources("books", sys.argv[2], lambda: datetime.now(UTC))
    async with CONNECTOR.open(settings, resources) as session:
        found = await session.tenants()
    sys.stdout.write(found[0].tenantId)


if "kill" in sys.argv:
    shared.__dict__["write_durably"] = die
asyncio.run(main())
