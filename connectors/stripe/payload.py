"""What of a Stripe object lands: everything but bearer links, card data and addresses.

Hosted links and client secrets open invoices and payments to whoever holds them; card
details and streets are nobody's sales data. Digits of numbers stay as Stripe sent them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from connectors.base.errors import BadRecord

DROPPED = frozenset(
    {
        *("client_secret", "confirmation_secret", "hosted_invoice_url", "invoice_pdf"),
        *("receipt_url", "hosted_verification_url", "payment_method_details", "shipping"),
        *(
            "customer_shipping",
            "shipping_details",
            "customer_phone",
            "phone",
            "payment_method_options",
            "pdf",
        ),
        *("sources", "default_source", "invoice_settings", "ip", "receipt_number", "source"),
    }
)
"""Keys that never land, at any depth. ``source`` is a card, but a plain id elsewhere, and what a
discount comes from."""
_ADDRESS_KEPT = ("country", "state", "postal_code")
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def landed(raw: bytes, more: Mapping[str, str] | None = None) -> bytes:
    """The object's JSON without what must not land, and with fields that it lacks.

    Raises:
        BadRecord: the text is no JSON object.
    """
    try:
        content = _decode(raw)
    except (msgspec.DecodeError, ArithmeticError) as error:
        raise BadRecord(f"not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object")
    return _encode(
        _cleaned({**content, **{k: v for k, v in (more or {}).items() if not content.get(k)}})
    )


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, inner in value.items():
        if name in {"address", "customer_address"} and isinstance(inner, dict):
            kept[name] = {part: inner.get(part) for part in _ADDRESS_KEPT}
        elif name == "source" and (isinstance(inner, str) or value.get("object") == "discount"):
            kept[name] = _cleaned(inner)
        elif name in DROPPED:
            continue
        else:
            kept[name] = _cleaned(inner)
    return kept
