"""How records of Zoho CRM are written: ids, lookups, instants, amounts."""

from decimal import Decimal
from typing import Any

import msgspec

from sandbox.company.clock import ZONE, instant

Row = dict[str, Any]
PREFIX = "5725767"


def own_id(value: str | int) -> str:
    """An id of the organisation: 19 digits."""
    return f"{PREFIX}{int(value):012d}"


def link(value: str | int | None) -> Row | None:
    """A lookup."""
    return None if value is None else {"id": own_id(value)}


def stamp(at: int) -> str:
    """An instant with the organisation's offset, whole seconds."""
    return instant(at).astimezone(ZONE).replace(microsecond=0).isoformat()


def plain(amount: Decimal | None) -> msgspec.Raw | None:
    """An amount as a JSON number, its digits as they are."""
    return None if amount is None else msgspec.Raw(str(amount).encode())


def entry(id_: str | int, row: Row, created: int, modified: int, **more: Any) -> Row:
    """A record with its two clocks."""
    whole = {
        "id": own_id(id_),
        **row,
        "Created_Time": stamp(created),
        "Modified_Time": stamp(max(created, modified)),
    }
    return {"row": whole, "lines": [], "deleted": None, "is_converted": False, **more}
