"""Rows as records, without what must not land.

Streets, phones, tax numbers, card and bank data are nobody's sales data. What stays keeps
the digits that QuickBooks sent.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from connectors.base.decode import partial
from connectors.base.errors import BadRecord
from connectors.base.stream import Change, Page, Record, Rejected

DROPPED = frozenset(
    {
        *("PrimaryPhone", "AlternatePhone", "Mobile", "Fax", "Telephone"),
        *("ResaleNum", "PrimaryTaxIdentifier", "SecondaryTaxIdentifier", "TaxIdentifier"),
        *("BusinessNumber", "GSTIN", "EmployerId", "SSN", "Notes"),
        *("CreditCardPayment", "CheckPayment", "VendorPaymentBankDetail", "BankAccountNumber"),
        *("InvoiceLink", "RemitToAddr"),
    }
)
"""Keys that never land, at any depth."""
FREE_TEXT = frozenset({"PrivateNote", "CustomerMemo"})
STREETS = frozenset({"Line1", "Line2", "Line3", "Line4", "Line5", "Lat", "Long", "Note"})
"""Keys dropped from addresses (``…Addr``)."""
VOLATILE = frozenset({"domain", "sparse"})
"""Differ between the endpoints that show the same version."""
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Meta(msgspec.Struct):
    LastUpdatedTime: str | None = None


class Head(msgspec.Struct):
    """What every row tells of itself."""

    Id: str
    SyncToken: str | None = None
    MetaData: _Meta | None = None
    status: str | None = None

    @property
    def updated_at(self) -> datetime | None:
        """When it last changed, UTC."""
        return None if self.MetaData is None else instant(self.MetaData.LastUpdatedTime)

    @property
    def is_deleted(self) -> bool:
        """Whether this is what change data capture shows of a deleted row."""
        return self.status == "Deleted"


class _Linked(msgspec.Struct):
    TxnId: str | None = None
    TxnType: str | None = None


class _Line(msgspec.Struct):
    LinkedTxn: list[_Linked] = []


class Links(msgspec.Struct):
    """What a payment or credit memo was applied to."""

    Line: list[_Line] = []
    LinkedTxn: list[_Linked] = []

    def to(self, kind: str) -> set[str]:
        """Ids of the linked transactions of one kind."""
        every = [*self.LinkedTxn, *(link for line in self.Line for link in line.LinkedTxn)]
        return {link.TxnId for link in every if link.TxnType == kind and link.TxnId}


def instant(text: str | None) -> datetime | None:
    """QuickBooks' time, which carries an offset; one without cannot be trusted."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if moment.tzinfo is None else moment.astimezone(UTC)


def page_of(
    rows: Iterable[msgspec.Raw], observed_at: datetime, *, free_text: bool
) -> tuple[Page, list[Head]]:
    """Rows as records, and their heads; what cannot be landed is set aside."""
    records: list[Record] = []
    rejected: list[Rejected] = []
    heads: list[Head] = []
    for row in rows:
        raw = bytes(row)
        try:
            head = partial(raw, Head)
            change: Change = "deleted" if head.is_deleted else "upsert"
            payload = landed(raw, free_text=free_text)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, _screened(raw, free_text=free_text)))
            continue
        heads.append(head)
        content = None if head.is_deleted else payload
        records.append(Record(head.Id, content, observed_at, change, head.updated_at))
    return Page(records, rejected=rejected), heads


def landed(raw: bytes, *, free_text: bool) -> bytes:
    """The row's JSON without what must not land.

    Raises:
        BadRecord: the text is no JSON object.
    """
    try:
        content = _decode(raw)
    except (msgspec.DecodeError, ArithmeticError) as error:
        raise BadRecord(f"not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object")
    left_out = DROPPED if free_text else DROPPED | FREE_TEXT
    return _encode(_cleaned(content, left_out))


def _screened(raw: bytes, *, free_text: bool) -> bytes:
    """The text for quarantine: as little as would have landed."""
    try:
        return landed(raw, free_text=free_text)
    except BadRecord:
        return raw


def _cleaned(value: Any, left_out: frozenset[str]) -> Any:
    if isinstance(value, list):
        return [_cleaned(one, left_out) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, inner in value.items():
        if name in left_out:
            continue
        if name.endswith("Addr") and isinstance(inner, dict):
            kept[name] = {part: one for part, one in inner.items() if part not in STREETS}
        else:
            kept[name] = _cleaned(inner, left_out)
    return kept
