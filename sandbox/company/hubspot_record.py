"""The shape that all HubSpot objects share, and how values are written in it."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sandbox.company.clock import iso
from sandbox.company.model import Edit

HubSpot = dict[str, Any]
"""An object: properties, history, associations, stamps."""


def number(value: Decimal) -> str:
    """A decimal as HubSpot prints it: no exponent, no trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def text(value: Any, name: str = "") -> str | None:
    """A property value: every one is text or null."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return number(value)
    # Close dates: HubSpot drops the milliseconds where there are none.
    return iso(value).replace(".000Z", "Z") if name == "closedate" else iso(value)


def record(
    id_: str,
    properties: dict[str, str | None],
    created: int,
    modified: int,
    *,
    archived_at: int | None = None,
    history: dict[str, list[dict[str, Any]]] | None = None,
    associations: dict[str, list[str]] | None = None,
    cursor: str = "hs_lastmodifieddate",
) -> HubSpot:
    """An object with the properties that all of them carry."""
    modified = max(created, modified, archived_at or 0)
    properties["hs_object_id"] = id_
    properties["createdate" if cursor == "lastmodifieddate" else "hs_createdate"] = iso(created)
    properties[cursor] = iso(modified)
    return {
        "id": id_,
        "properties": properties,
        "history": history or {},
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived_at is not None,
        "archivedAt": iso(archived_at) if archived_at else None,
        "associations": associations or {},
    }


def history(name: str, edits: Iterable[Edit]) -> list[dict[str, Any]]:
    """The edits of a property, newest first; emptied properties show an empty text."""
    entries: list[dict[str, Any]] = []
    for edit in edits:
        if edit.value is None and not entries:
            continue  # never filled in, so there is nothing to remember
        entry: dict[str, Any] = {
            "value": text(edit.value, name) or "",
            "timestamp": iso(edit.at),
            "sourceType": edit.source,
            "sourceId": f"userId:{edit.by}" if edit.by else "pipeledger-sandbox",
            "sourceLabel": None,
        }
        if edit.by:
            entry["updatedByUserId"] = edit.by
        entries.append(entry)
    return entries[::-1]
