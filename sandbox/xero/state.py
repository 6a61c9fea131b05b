"""The organisations and sign-ins behind the sandbox Xero."""

import base64
import itertools
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

CLIENT_ID = "SANDBOX0123456789ABCDEF012345678"
CLIENT_SECRET = "sandbox-secret-of-the-app"  # noqa: S105 - of the sandbox
REFRESH_TOKEN = "sandbox-refresh-token-0"  # noqa: S105 - of the sandbox
TENANT = "70784a63-d24b-46a9-a4db-0e70a274b056"
SCOPES = (
    "accounting.invoices.read",
    "accounting.payments.read",
    "accounting.contacts.read",
    "accounting.settings.read",
)
ACCESS_LIFE = timedelta(minutes=30)
GRACE = timedelta(minutes=30)
REFRESH_LIFE = timedelta(days=60)

Object: TypeAlias = dict[str, Any]
IDS = {
    "Invoices": "InvoiceID",
    "CreditNotes": "CreditNoteID",
    "Payments": "PaymentID",
    "Overpayments": "OverpaymentID",
    "Prepayments": "PrepaymentID",
    "BatchPayments": "BatchPaymentID",
    "Quotes": "QuoteID",
    "Contacts": "ContactID",
    "ContactGroups": "ContactGroupID",
    "Items": "ItemID",
    "Accounts": "AccountID",
    "TaxRates": "TaxType",
    "TrackingCategories": "TrackingCategoryID",
    "Currencies": "Code",
    "Organisations": "OrganisationID",
}
STATES = {"Contacts": "ContactStatus"}


@dataclass(slots=True)
class Grant:
    """A refresh token: when it was made, and when another one took its place."""

    made: datetime
    replaced: datetime | None = None


def json_date(when: datetime) -> str:
    """An instant as Microsoft's JSON writes it."""
    milliseconds = round(when.timestamp() * 1_000)
    return f"/Date({milliseconds}+0000)/"


@dataclass(slots=True)
class XeroState:
    """Objects by organisation, list and id, with the instant of their last change."""

    now: datetime = datetime(2026, 10, 15, 6, tzinfo=UTC)
    tenants: dict[str, str] = field(default_factory=lambda: {TENANT: "Nordlicht GmbH"})
    """Connected organisations: id and name."""
    books: dict[str, dict[str, dict[str, Object]]] = field(default_factory=dict)
    changed: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """(list, id) -> UpdatedDateUTC."""
    scopes: tuple[str, ...] = (*SCOPES, "offline_access")
    access: dict[str, datetime] = field(default_factory=dict)
    """Access tokens and when they end."""
    refresh: dict[str, Grant] = field(default_factory=dict)
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.refresh.setdefault(REFRESH_TOKEN, Grant(self.now))

    def table(self, name: str, tenant: str = TENANT) -> dict[str, Object]:
        """The objects of one list of one organisation."""
        return self.books.setdefault(tenant, {}).setdefault(name, {})

    def advance(self, **duration: float) -> datetime:
        """Let time pass."""
        self.now += timedelta(**duration)
        return self.now

    def load(self, tables: Mapping[str, Iterable[tuple[Object, datetime]]]) -> None:
        """Take in finished objects, each with the instant of its last change."""
        for name, objects in tables.items():
            for one, at in objects:
                self.put(name, one, at=at)

    def put(
        self, name: str, one: Object, *, at: datetime | None = None, tenant: str = TENANT
    ) -> str:
        """Make an object, or put a new version in its place; gives its id."""
        id_ = str(one.setdefault(IDS[name], str(uuid.UUID(int=next(self.numbers)))))
        self.table(name, tenant)[id_] = one
        self.changed[name, id_] = at or self.now
        return id_

    def edit(self, name: str, id_: str, **fields: Any) -> None:
        """Change an object, which moves its UpdatedDateUTC."""
        self.table(name)[id_].update(fields)
        self.changed[name, id_] = self.now

    def edit_unmarked(self, name: str, id_: str, **fields: Any) -> None:
        """Change an object whose UpdatedDateUTC does not move."""
        self.table(name)[id_].update(fields)

    def remove(self, name: str, id_: str) -> None:
        """Delete for good, as items are."""
        del self.table(name)[id_]

    # Sign-in.

    def exchange(self, refresh_token: str) -> tuple[str, str] | None:
        """New access and refresh tokens; None where the old one is worth nothing."""
        grant = self.refresh.get(refresh_token)
        if grant is None or self.now - grant.made > REFRESH_LIFE:
            return None
        if grant.replaced is not None and self.now - grant.replaced > GRACE:
            return None
        grant.replaced = grant.replaced or self.now
        renewed = f"sandbox-refresh-token-{next(self.numbers)}"
        self.refresh[renewed] = Grant(self.now)
        return self.grant_access(self.scopes), renewed

    def grant_access(self, scopes: Iterable[str]) -> str:
        """A new access token, a JWT that tells its scopes."""
        claims = {"scope": list(scopes), "jti": next(self.numbers)}
        parts = ({"alg": "none"}, claims, {"sandbox": "signature"})
        token = ".".join(
            base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=").decode()
            for one in parts
        )
        self.access[token] = self.now + ACCESS_LIFE
        return token
