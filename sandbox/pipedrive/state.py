"""What a Pipedrive company holds: records by kind, and what its changelog tells."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

API_TOKEN = "0123456789abcdef0123456789abcdef01234567"  # noqa: S105 - opens the sandbox alone
START = datetime(2026, 10, 15, 6, 0, tzinfo=UTC)
V2_KINDS = ("deals", "persons", "organizations", "activities", "products")


@dataclass
class PipedriveState:
    """One company; ``now`` moves only by ``advance``."""

    now: datetime = START
    rows: dict[str, dict[int, dict[str, Any]]] = field(
        default_factory=lambda: {kind: {} for kind in V2_KINDS}
    )
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)
    changelog: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    lines: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    small: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    recents: list[dict[str, Any]] = field(default_factory=list)
    merged: dict[tuple[str, int], int] = field(default_factory=dict)
    hidden: set[tuple[str, int | str]] = field(default_factory=set)
    tokens_per_day: int = 1_000_000
    tokens_used: int = 0
    last_id: int = 0

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def stamp(self) -> str:
        """Now, as v2 writes it."""
        return self.now.strftime("%Y-%m-%dT%H:%M:%SZ")

    def load(self, held: Mapping[str, Any]) -> None:
        """Take over a company's records (`sandbox.company.pipedrive`)."""
        self.rows = {kind: {row["id"]: row for row in held[kind]} for kind in V2_KINDS}
        self.leads = {row["id"]: row for row in held["leads"]}
        self.changelog, self.lines = dict(held["changelog"]), dict(held["lines"])
        self.small = dict(held["small"])

    def add(self, kind: str, **fields: Any) -> int:
        """Make a record; its id."""
        self.last_id += 1
        row = {"id": self.last_id, "add_time": self.stamp(), "update_time": self.stamp(),
               "is_deleted": False}  # fmt: skip
        if kind == "deals":
            row |= {"title": f"Deal {self.last_id}", "status": "open", "stage_id": 1,
                    "pipeline_id": 1, "value": 100.5, "currency": "EUR", "owner_id": 1,
                    "probability": None, "stage_change_time": self.stamp(),
                    "expected_close_date": None, "is_archived": False,
                    "products_count": 0, "source_lead_id": None}  # fmt: skip
        self.rows[kind][self.last_id] = row | fields
        return self.last_id

    def change(self, kind: str, record_id: int, **fields: Any) -> None:
        """Change a record; of a deal the changelog tells each field."""
        row = self.rows[kind][record_id]
        if kind == "deals":
            for key, value in fields.items():
                self.changelog.setdefault(record_id, []).insert(0, {
                    "field_key": key, "old_value": _text(row.get(key)),
                    "new_value": _text(value), "actor_user_id": 1,
                    "time": self.now.strftime("%Y-%m-%d %H:%M:%S"), "change_source": "app",
                    "is_bulk_update_flag": False,
                })  # fmt: skip
            if "stage_id" in fields:
                fields["stage_change_time"] = self.stamp()
        row |= {**fields, "update_time": self.stamp()}

    def delete(self, kind: str, record_id: int) -> None:
        """Delete: a deal is shown as deleted, other kinds only in recents."""
        if kind == "deals":
            self.rows[kind][record_id] |= {"status": "deleted", "is_deleted": True,
                                           "update_time": self.stamp()}  # fmt: skip
        else:
            del self.rows[kind][record_id]
        items = {"persons": "person", "organizations": "organization", "deals": "deal",
                 "activities": "activity", "products": "product"}  # fmt: skip
        self.recents.append({"item": items[kind], "id": record_id, "data": None, "at": self.now})

    def merge(self, kind: str, loser: int, winner: int) -> None:
        """Merge one record into another: the loser's id then answers with the winner."""
        del self.rows[kind][loser]
        self.merged[kind, loser] = winner
        self.change(kind, winner)

    def archive(self, deal_id: int) -> None:
        """Archive a deal: it leaves the list, and its update_time does not move."""
        self.rows["deals"][deal_id] |= {"is_archived": True, "archive_time": self.stamp()}

    def add_lead(self, **fields: Any) -> str:
        """Make a lead; its id."""
        self.last_id += 1
        lead_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(self.last_id)))
        stamp = self.now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        self.leads[lead_id] = {"id": lead_id, "title": f"Lead {self.last_id}", "value": None,
                               "is_archived": False, "add_time": stamp,
                               "update_time": stamp} | fields  # fmt: skip
        return lead_id

    def convert(self, lead_id: str) -> int:
        """Turn a lead into a deal; the lead is gone, the deal's id."""
        del self.leads[lead_id]
        return self.add("deals", source_lead_id=lead_id)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
