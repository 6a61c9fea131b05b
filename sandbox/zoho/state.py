"""A Zoho CRM in memory: modules of records, who may see them, and what happens to them.

Tests and the fictional company fill it. Ids are text of 19 digits, a second is the smallest
step of its clock, and instants are written with the offset of the organisation's zone.

    state = ZohoState()
    deal = state.has("Deals", Deal_Name="Acme", Stage="Qualification")
    state.advance(hours=2)
    state.change(deal, Stage="Closed Won")
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sandbox.zoho.schema import FIELDS, LINES, fields_of

Row: TypeAlias = dict[str, Any]
FIRST_ID = 5725767000000100001
STAGES: tuple[tuple[str, str, int, str], ...] = (
    ("Qualification", "Qualification", 10, "Open"),
    ("Needs Analysis", "Needs Analysis", 20, "Open"),
    ("Identify Decision Makers", "Id. Decision Makers", 40, "Open"),
    ("Proposal/Price Quote", "Proposal/Price Quote", 75, "Open"),
    ("Negotiation/Review", "Negotiation/Review", 90, "Open"),
    ("Closed Won", "Closed Won", 100, "Closed Won"),
    ("Closed Lost", "Closed Lost", 0, "Closed Lost"),
)
"""Display value, actual value, probability and kind of the stages of a new organisation."""


@dataclass(slots=True)
class Entry:
    """One record; ``is_closed`` hides it from the user who made the grant."""

    module: str
    row: Row
    lines: list[Row] = field(default_factory=list)
    deleted: str | None = None
    deleted_at: datetime | None = None
    is_converted: bool = False
    is_closed: bool = False

    @property
    def id(self) -> str:
        """Text, as the API writes it."""
        return str(self.row["id"])

    @property
    def number(self) -> int:
        """By which ids are sorted."""
        return int(self.id)


class ZohoState:
    """All that one organisation holds."""

    def __init__(
        self,
        *,
        now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC),
        zone: str = "Europe/Berlin",
        home_currency: str = "EUR",
        modules: tuple[str, ...] = tuple(FIELDS),
    ) -> None:
        self.now = now
        self.zone = ZoneInfo(zone)
        self.home_currency = home_currency
        self.modules = list(modules)
        self.own_modules: list[str] = []
        self.not_viewable: set[str] = set()
        """Modules that the profile hides, as the settings tell it."""
        self.closed_modules: set[str] = set()
        """Modules whose records the profile may not read, told by a refusal."""
        self.hidden_fields: set[tuple[str, str]] = set()
        self.own_fields: dict[str, dict[str, str]] = {}
        self.unqueryable: set[str] = set()
        """Fields that a query refuses although their type does not tell it."""
        self.records: dict[str, dict[str, Entry]] = {}
        self.stays: dict[str, list[Row]] = {}
        self.roles_of_deal: dict[str, list[Row]] = {}
        self.emails: dict[str, list[Row]] = {}
        self._last_id = FIRST_ID
        self.company = {"id": self.new_id(), "company_name": "Kontor"}
        self.me = self.has_user("Ann Li", email="ann@example.com")
        self.layout = {"id": self.new_id(), "name": "Standard"}
        self.pipelines: list[Row] = []
        self.has_pipeline("Standard (Standard)", STAGES)
        self.currencies: list[Row] | None = None
        self.roles: list[Row] = [{"id": self.new_id(), "name": "CEO", "reporting_to": None}]
        self.territories: list[Row] | None = None

    def new_id(self) -> str:
        """An id that was not given before."""
        self._last_id += 1
        return str(self._last_id)

    def advance(self, **amount: float) -> None:
        """Let time pass."""
        self.now += timedelta(**amount)

    def text(self, moment: datetime) -> str:
        """An instant as the API writes it: the organisation's offset, whole seconds."""
        return moment.astimezone(self.zone).replace(microsecond=0).isoformat()

    # Settings.

    def has_user(self, name: str, *, status: str = "active", **fields: Any) -> Row:
        """A user of the organisation."""
        first, _, last = name.partition(" ")
        row = {
            "id": self.new_id(),
            "full_name": name,
            "first_name": first,
            "last_name": last,
            "status": status,
            "type__s": "Regular User",
            "confirm": True,
            "created_time": self.text(self.now),
            "Modified_Time": self.text(self.now),
            "zuid": "43318041",
            "dob": "1980-01-01",
            "phone": "+49 170 1234567",
            **fields,
        }
        self.users = [*getattr(self, "users", []), row]
        return row

    def has_pipeline(
        self, name: str, stages: Sequence[tuple[str, str, int, str]], *, is_default: bool = True
    ) -> Row:
        """A pipeline; stages of one actual value are one picklist value in all of them."""
        known = {
            stage["actual_value"]: stage["id"]
            for pipeline in self.pipelines
            for stage in pipeline["maps"]
        }
        row = {
            "id": self.new_id(),
            "display_value": name,
            "actual_value": name,
            "default": is_default,
            "maps": [
                {
                    "id": known.get(actual) or self.new_id(),
                    "display_value": display,
                    "actual_value": actual,
                    "sequence_number": number,
                    "forecast_type": kind,
                    "forecast_category": {"name": "Pipeline", "id": "5725767000000007092"},
                    "probability": probability,
                }
                for number, (display, actual, probability, kind) in enumerate(stages, 1)
            ],
        }
        self.pipelines.append(row)
        return row

    def has_currency(self, code: str, rate: str, *, is_base: bool = False) -> Row:
        """A currency; the first one turns multi-currency on."""
        row = {
            "id": self.new_id(),
            "iso_code": code,
            "name": code,
            "exchange_rate": rate,
            "is_base": is_base,
            "is_active": True,
            "modified_time": self.text(self.now),
            "created_time": self.text(self.now),
        }
        self.currencies = [*(self.currencies or []), row]
        return row

    def fields(self, module: str) -> dict[str, str]:
        """The fields of a module with their types, hidden ones left out."""
        every = fields_of(module, self.own_fields.get(module, {}))
        return {
            name: kind for name, kind in every.items() if (module, name) not in self.hidden_fields
        }

    def picklist(self, module: str, name: str) -> list[Row]:
        """The values of a picklist; of stages with their probability."""
        if (module, name) != ("Deals", "Stage"):
            return []
        found = {one["id"]: one for pipeline in self.pipelines for one in pipeline["maps"]}
        return list(found.values())

    def load(self, company: Mapping[str, Any]) -> None:
        """Take what the fictional company renders."""
        self.users = [*self.users, *company["users"]]
        self.pipelines = company["pipelines"]
        self.currencies = company["currencies"]
        self.stays = company["stays"]
        self.roles_of_deal = company["roles"]
        self.emails = company["emails"]
        for module, entries in company["records"].items():
            empty = dict.fromkeys(self.fields(module))
            for one in entries:
                entry = Entry(
                    module,
                    {**empty, **one["row"]},
                    one["lines"],
                    one["deleted"],
                    self.now if one["deleted"] else None,
                    one["is_converted"],
                )
                self.records.setdefault(module, {})[entry.id] = entry

    # Records.

    def has(self, module: str, *, lines: Sequence[Row] = (), **fields: Any) -> Entry:
        """A record made now, of now."""
        row: Row = dict.fromkeys(self.fields(module))
        at = self.text(self.now)
        row |= {
            "id": self.new_id(),
            "Owner": self.person(self.me),
            "Created_By": self.person(self.me),
            "Modified_By": self.person(self.me),
            "Created_Time": at,
            "Modified_Time": at,
            "Last_Activity_Time": None,
        }
        for name in (LINES.get(module), "Record_Image", "Participants", "Recurring_Activity"):
            row.pop(name or "", None)
        if module == "Deals":
            row |= {"Stage_Modified_Time": at, "Pipeline": self.pipelines[0]["display_value"]}
        if module == "Leads":
            row["Converted__s"] = False
        row |= fields
        entry = Entry(module, row, [self._line(one) for one in lines])
        self.records.setdefault(module, {})[entry.id] = entry
        if module == "Deals":
            self._stay(entry)
        return entry

    def change(
        self,
        entry: Entry,
        *,
        lines: Sequence[Row] | None = None,
        by: Row | None = None,
        **fields: Any,
    ) -> None:
        """Edit a record now."""
        moves = "Stage" in fields and fields["Stage"] != entry.row.get("Stage")
        at = self.text(self.now)
        editor = self.person(by or self.me)
        entry.row |= {"Modified_Time": at, "Modified_By": editor, **fields}
        if lines is not None:
            entry.lines = [self._line(one) for one in lines]
        if entry.module == "Deals" and moves:
            entry.row["Stage_Modified_Time"] = at
            self.stays[entry.id][-1]["Moved_To__s"] = entry.row["Stage"]
            self._stay(entry)

    def delete(self, entry: Entry, *, kind: str = "recycle") -> None:
        """Put a record into the recycle bin, or away for good."""
        entry.deleted = kind
        entry.deleted_at = self.now

    def restore(self, entry: Entry) -> None:
        """Take a record out of the recycle bin; it counts as modified."""
        entry.deleted, entry.deleted_at = None, None
        self.change(entry)

    def merge(self, winner: Entry, loser: Entry) -> None:
        """Merge duplicates: the loser goes, nothing there names the winner."""
        self.change(winner)
        self.delete(loser, kind="permanent")

    def convert(
        self,
        lead: Entry,
        *,
        account: Entry | None = None,
        contact: Entry | None = None,
        deal: Entry | None = None,
    ) -> None:
        """Turn a lead into what it became."""
        self.change(
            lead,
            Converted__s=True,
            Converted_Date_Time=self.text(self.now),
            Converted_Account=None if account is None else self.link(account),
            Converted_Contact=None if contact is None else self.link(contact),
            Converted_Deal=None if deal is None else self.link(deal),
        )
        lead.is_converted = True

    def link(self, entry: Entry) -> Row:
        """A lookup of a record."""
        row = entry.row
        name = row.get("Account_Name") or row.get("Full_Name") or row.get("Deal_Name")
        return {"id": entry.id, "name": name if isinstance(name, str) else None}

    @staticmethod
    def person(user: Mapping[str, Any]) -> Row:
        """A lookup of a user."""
        return {"id": user["id"], "name": user["full_name"], "email": user.get("email")}

    def _line(self, fields: Mapping[str, Any]) -> Row:
        return {"id": self.new_id(), **fields}

    def _stay(self, deal: Entry) -> None:
        row = deal.row
        self.stays.setdefault(deal.id, []).append(
            {
                "id": self.new_id(),
                "Stage": row.get("Stage"),
                "Moved_To__s": None,
                "Modified_Time": row["Modified_Time"],
                "Modified_By": row["Modified_By"],
                "Amount": row.get("Amount"),
                "Probability": row.get("Probability"),
                "Expected_Revenue": row.get("Expected_Revenue"),
                "Closing_Date": row.get("Closing_Date"),
            }
        )

    def visible(self, module: str, *, converted: str = "false") -> Iterator[Entry]:
        """The records that a list shows; ``converted`` is false, true or both."""
        for entry in self.records.get(module, {}).values():
            if entry.deleted or entry.is_closed:
                continue
            if converted == "both" or entry.is_converted == (converted == "true"):
                yield entry

    def is_known(self, module: str) -> bool:
        """Whether the organisation has the module."""
        return module in self.modules or module in self.own_modules


def amount(text: str) -> Decimal:
    """An amount whose digits reach the answer as they are written."""
    return Decimal(text)
