"""What of a Xero record lands, and the two shapes in which Xero writes an instant.

Bank details, tax numbers, phones and streets are nobody's sales data. Digits of numbers stay
as Xero sent them.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from connectors.base.errors import BadRecord

DROPPED = frozenset(
    {
        *("BankAccountDetails", "BankAccountNumber", "BankAccountName", "BankAccountType"),
        *("TaxNumber", "EmployerIdentificationNumber", "RegistrationNumber"),
        *("Phones", "SkypeUserName", "XeroNetworkKey", "APIKey", "Attachments"),
        *("PaymentServiceUrl", "InvoicePaymentServices", "PaymentServices", "ExternalLinks"),
        *("BatchPayments", "Particulars"),
    }
)
"""Keys that never land, at any depth."""
_STREETS = frozenset(
    {"AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4", "AttentionTo"}
)
_OLD = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_MS = 253_402_300_799_999
"""The end of the year 9999."""
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def read(raw: bytes) -> dict[str, Any]:
    """A record's fields, decimals exact.

    Raises:
        BadRecord: the text is no JSON object.
    """
    try:
        content = _decode(raw)
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as fault:
        raise BadRecord(f"not readable as JSON: {fault}") from None
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object")
    return content


def landed(content: Mapping[str, Any]) -> bytes:
    """The record's JSON without what must not land."""
    return _encode(_cleaned(content))


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _cleaned(inner)
        for name, inner in value.items()
        if name not in DROPPED and name not in _STREETS
    }


def instant(text: object) -> datetime | None:
    """An instant in UTC from ``/Date(1439434356790+0000)/`` or ISO text without a zone.

    The offset behind the milliseconds is decoration: they count from 1970 in UTC. None where
    there is none: Xero writes 0 and the year 1 for it.
    """
    if not isinstance(text, str):
        return None
    found = _OLD.fullmatch(text.strip())
    if found is not None:
        milliseconds = int(found.group(1))
        if not 0 < milliseconds <= _LONGEST_MS:
            return None
        return _EPOCH + timedelta(milliseconds=milliseconds)
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return when.astimezone(UTC) if when.year > 1 else None
