"""A company's books as QuickBooks keeps them, and the tokens that open them."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

REALM = "9130350000000001"
CLIENT_ID = "ABsandbox"
CLIENT_SECRET = "sandbox-client-secret"  # noqa: S105 - opens nothing but this sandbox
REFRESH_TOKEN = "refresh-0"  # noqa: S105 - opens nothing but this sandbox
PACIFIC = timezone(timedelta(hours=-8))
ACCESS_SECONDS = 3600

NAME_LISTS = frozenset(
    {
        *("Customer", "Item", "Account", "Vendor", "Class", "Department", "Term"),
        *("PaymentMethod", "TaxCode", "TaxRate"),
    }
)
TRANSACTIONS = frozenset(
    {
        *("Invoice", "SalesReceipt", "CreditMemo", "RefundReceipt", "Payment", "Estimate"),
        *("Deposit", "JournalEntry", "Bill", "BillPayment", "VendorCredit"),
    }
)
OTHERS = frozenset({"CompanyInfo", "Preferences", "CompanyCurrency", "ExchangeRate"})
WITHOUT_CDC = frozenset({"TaxCode", "TaxRate", *OTHERS})
AMOUNTS = frozenset(
    {"Amount", "TotalAmt", "Balance", "HomeBalance", "HomeTotalAmt", "TotalTax", "Qty",
     "UnappliedAmt", "RemainingCredit", "UnitPrice", "TaxInclusiveAmt", "NetAmountTaxable",
     "Deposit"}
)  # fmt: skip


def stamp(instant: datetime) -> str:
    """An instant as QuickBooks shows it: whole seconds, Pacific offset."""
    return instant.astimezone(PACIFIC).isoformat(timespec="seconds")


@dataclass
class QuickbooksState:
    """One company. ``now`` is the vendor's clock, moved by hand."""

    now: datetime = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
    tables: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    gone: dict[str, dict[str, datetime]] = field(default_factory=dict)
    """When each deleted row was deleted, by entity and id."""
    refused: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    """Entities that may not be read: status, code, message."""
    refresh_token: str = REFRESH_TOKEN
    access: dict[str, datetime] = field(default_factory=dict)
    """Access tokens and when each dies."""
    refreshes: int = 0
    refresh_seconds: int = 8_726_400
    unasked: set[str] = field(default_factory=set)
    """Fields of transactions that cannot be asked for."""
    _last_id: int = 0

    def __post_init__(self) -> None:
        self.put("CompanyInfo", CompanyName="Example Inc.", Country="US")
        self.put(
            "Preferences",
            CurrencyPrefs={"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "USD"}},
        )

    def advance(self, **delta: float) -> None:
        """Let time pass."""
        self.now += timedelta(**delta)

    def table(self, entity: str) -> dict[str, dict[str, Any]]:
        """Rows of an entity by id."""
        return self.tables.setdefault(entity, {})

    def put(self, entity: str, **fields: Any) -> str:
        """Add a row; returns its id."""
        self._last_id += 1
        number = str(fields.pop("Id", self._last_id))
        meta = {"CreateTime": stamp(self.now), "LastUpdatedTime": stamp(self.now)}
        row = {"domain": "QBO", "sparse": False, "Id": number, "SyncToken": "0", "MetaData": meta}
        if entity in NAME_LISTS:
            row["Active"] = True
        self.table(entity)[number] = {**row, **fields}
        return number

    def load(self, tables: Mapping[str, Iterable[tuple[dict[str, Any], datetime]]]) -> None:
        """Hold these rows, each with the instant of its last change, in place of what was."""
        for entity, rows in tables.items():
            held = self.tables[entity] = {}
            for fields, at in rows:
                meta = {"CreateTime": stamp(at), "LastUpdatedTime": stamp(at)}
                row = {"domain": "QBO", "sparse": False, "SyncToken": "0", "MetaData": meta}
                if entity in NAME_LISTS:
                    row["Active"] = True
                held[str(fields.get("Id", len(held) + 1))] = {**row, **fields}

    def edit(self, entity: str, number: str, **fields: Any) -> None:
        """Change a row: its token and its clock move."""
        row = self.table(entity)[number]
        row.update(fields)
        row["SyncToken"] = str(int(row["SyncToken"]) + 1)
        row["MetaData"] = {**row["MetaData"], "LastUpdatedTime": stamp(self.now)}

    def edit_quietly(self, entity: str, number: str, **fields: Any) -> None:
        """Change a row without its clock, as an applied payment may."""
        self.table(entity)[number].update(fields)

    def delete(self, entity: str, number: str) -> None:
        """Delete a transaction for good; name lists only become inactive."""
        if entity in NAME_LISTS:
            row = self.table(entity)[number]
            self.edit(entity, number, Active=False,
                      DisplayName=f"{row.get('DisplayName', '')} (deleted)")  # fmt: skip
            return
        del self.table(entity)[number]
        self.gone.setdefault(entity, {})[number] = self.now

    def void(self, entity: str, number: str) -> None:
        """Make every amount and quantity zero and say so in the note."""
        row = _zeroed(copy.deepcopy(self.table(entity)[number]))
        note = f"Voided {row.get('PrivateNote', '')}".strip()
        self.edit(entity, number, **{**row, "PrivateNote": note,
                  "SyncToken": self.table(entity)[number]["SyncToken"]})  # fmt: skip

    def changed(self, entity: str, since: datetime) -> list[Mapping[str, Any]]:
        """What change data capture shows of an entity."""
        rows: list[Mapping[str, Any]] = [
            row for row in self.table(entity).values() if clock(row) >= since
        ]
        for number, at in self.gone.get(entity, {}).items():
            if at >= since:
                meta = {"LastUpdatedTime": stamp(at)}
                rows.append({"domain": "QBO", "status": "Deleted", "Id": number, "MetaData": meta})
        return rows

    # Tokens.

    def refresh(self, token: str) -> dict[str, Any] | None:
        """New tokens for the current refresh token, which dies with it; None for any other."""
        if token != self.refresh_token:
            return None
        self.refreshes += 1
        self.refresh_token = f"refresh-{self.refreshes}"
        access = f"access-{self.refreshes}"
        self.access = {access: self.now + timedelta(seconds=ACCESS_SECONDS)}
        return {
            "token_type": "bearer",
            "access_token": access,
            "expires_in": ACCESS_SECONDS,
            "refresh_token": self.refresh_token,
            "x_refresh_token_expires_in": self.refresh_seconds,
        }

    def is_open(self, access: str) -> bool:
        """Whether an access token is known and alive."""
        return access in self.access and self.now < self.access[access]


def clock(row: Mapping[str, Any]) -> datetime:
    """When a row last changed."""
    return datetime.fromisoformat(row["MetaData"]["LastUpdatedTime"])


def _zeroed(value: Any) -> Any:
    if isinstance(value, list):
        return [_zeroed(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: Decimal(0) if name in AMOUNTS and not isinstance(inner, dict) else _zeroed(inner)
        for name, inner in value.items()
    }
