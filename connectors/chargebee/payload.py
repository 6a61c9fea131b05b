"""What of a Chargebee object lands: everything but card data, addresses, phones and links.

Digits of numbers stay as Chargebee sent them.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

from connectors.base.errors import BadRecord

DROPPED = frozenset(
    {
        *("card", "payment_method", "payment_method_details", "bank_account", "paypal"),
        *("masked_card_number", "iin", "last4"),
        *("created_from_ip", "ip_address", "phone", "error_text", "error_detail"),
        *("network_transaction_details", "referral_urls", "shipping_address", "gift_note"),
        *("tracking_url", "redirect_url", "claim_url", "gift_claim_redirect_url"),
        *("line_item_addresses", "statement_descriptor", "site_details_at_creation"),
    }
)
"""Keys that never land, at any depth. ``payment_method`` is kept where it is a plain word."""
_ADDRESS_DROPPED = frozenset({"line1", "line2", "line3", "city", "phone"})
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def landed(raw: bytes, more: Mapping[str, Any] | None = None) -> bytes:
    """The object's JSON without what must not land, and with fields of ours.

    Raises:
        BadRecord: the text is no JSON object.
    """
    try:
        content = _decode(raw)
    except (msgspec.DecodeError, ArithmeticError, RecursionError) as error:
        raise BadRecord(f"not readable as JSON: {error}") from error
    if not isinstance(content, dict):
        raise BadRecord("not a JSON object")
    return _encode(_cleaned({**content, **(more or {})}))


def _cleaned(value: Any) -> Any:
    if isinstance(value, list):
        return [_cleaned(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, inner in value.items():
        if name in DROPPED and not (name == "payment_method" and isinstance(inner, str)):
            continue
        if name == "billing_address" and isinstance(inner, dict):
            kept[name] = {k: v for k, v in inner.items() if k not in _ADDRESS_DROPPED}
        else:
            kept[name] = _cleaned(inner)
    return kept
