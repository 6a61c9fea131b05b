"""The resume point of one object type.

A cursor is made of:

    listing           while everything is read: {"archived", "after", "from"}
    since             changes before this instant are landed; an hour behind the present
    archived_since    archivings before this instant are landed
    listed_at         when everything was last read
    swept_at          when all ids were last compared
    associations_at   when all associations of deals were last read
    choice            which properties and associations were asked for
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.base.window import instant_text
from connectors.hubspot.records import instant


@dataclass(slots=True)
class Cursor:
    """The resume point of one object type, as plain values."""

    choice: str
    listing: dict[str, Any] | None = None
    since: datetime | None = None
    archived_since: datetime | None = None
    listed_at: datetime | None = None
    swept_at: datetime | None = None
    associations_at: datetime | None = None

    def dump(self) -> dict[str, Any]:
        """As JSON values, instants in UTC."""
        instants = {
            name: instant_text(moment)
            for name in ("since", "archived_since", "listed_at", "swept_at", "associations_at")
            if (moment := getattr(self, name)) is not None
        }
        listing = {"listing": dict(self.listing)} if self.listing else {}
        return {"version": 1, "choice": self.choice, **instants, **listing}

    @classmethod
    def load(cls, stored: Mapping[str, Any] | None, choice: str) -> "Cursor":
        """Take a stored cursor up; a fresh one where there is none of this version."""
        if stored is None or stored.get("version") != 1:
            return cls(choice)
        return cls(
            choice=str(stored.get("choice", "")),
            listing=dict(stored["listing"]) if stored.get("listing") else None,
            since=instant(stored.get("since")),
            archived_since=instant(stored.get("archived_since")),
            listed_at=instant(stored.get("listed_at")),
            swept_at=instant(stored.get("swept_at")),
            associations_at=instant(stored.get("associations_at")),
        )
