"""The one shape in which every mail source lands a message, and what of people it leaves out.

IMAP, Gmail and Microsoft 365 show the same message in three forms; here it becomes the
same names, addresses, ids and instants, so that the same Message-ID is the same message.
"""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec
from pydantic import BaseModel, ConfigDict, SecretStr

from connectors.base.mail import (
    Headers,
    addresses,
    automatic,
    decode_text,
    fallback_id,
    first,
    message_ids,
    sent_at,
    stated_date,
)

ROLES = ("from", "sender", "reply-to", "to", "cc", "bcc")
Participants: TypeAlias = Mapping[str, list[dict[str, str | None]]]
"""Name and lower-case address by role."""
encode_payload = msgspec.json.Encoder(order="deterministic").encode


class MailPrivacy(BaseModel):
    """What of a mailbox's people is landed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    own_domains: tuple[str, ...] = ()
    """Mail that stays inside these domains is not landed."""
    subject: Literal["clear", "hashed", "off"] = "clear"
    hash_addresses: bool = False
    """Land a keyed hash of the address in place of the local part of outside addresses.

    One key gives one hash: connections that share it still know the same person.
    """
    hash_key: SecretStr | None = None
    store_bodies: bool = False
    """Land the text of messages, too. Attachments and pictures never are."""

    def privacy_problems(self) -> list[str]:
        """What is wrong with these settings together."""
        wants_key = self.hash_addresses or self.subject == "hashed"
        problems = ["hashing needs a secret `hash_key`"] if wants_key and not self.hash_key else []
        if self.store_bodies and (self.hash_addresses or self.subject != "clear"):
            problems.append("`store_bodies` lands text as it is, with all that shall be hidden")
        return problems

    def rejected_payload(self, row: Any) -> bytes:
        """A message that cannot be read, for the quarantine; nothing where people are hidden."""
        is_open = self.subject == "clear" and not self.hash_addresses
        return encode_payload(row) if is_open else b""


def participants(headers: Headers) -> Participants:
    """Everybody whom the headers name."""
    return {role: addresses(", ".join(headers.get(role, []))) for role in ROLES}


def envelope(
    headers: Headers,
    people: Participants,
    *,
    arrived: datetime,
    octets: int | None,
    privacy: MailPrivacy,
) -> dict[str, Any] | None:
    """The fields that all mail sources land; None for mail inside the own domains.

    ``arrived`` is the server's own instant of arrival, ``octets`` the size of the message,
    None where the vendor does not tell it.
    """
    own = tuple(domain.lower() for domain in privacy.own_domains)
    everyone = {str(one["address"]) for role in people.values() for one in role}
    if own and everyone and all(address.rpartition("@")[2] in own for address in everyone):
        return None
    sent, basis = sent_at(first(headers, "Date"), arrived)
    ids = message_ids(first(headers, "Message-ID"))
    return {
        "message_id": ids[0] if ids else _unnamed(headers, people, arrived, privacy),
        "has_message_id": bool(ids),
        "in_reply_to": message_ids(first(headers, "In-Reply-To"))[:1],
        "references": message_ids(first(headers, "References")),
        **{role.replace("-", "_"): _masked(found, own, privacy) for role, found in people.items()},
        "subject": _subject(first(headers, "Subject"), privacy),
        "sent_at": instant(sent),
        "sent_at_basis": basis,
        "internal_date": instant(arrived),
        "size": octets,
        **automatic(headers),
    }


def instant(value: datetime) -> str:
    """An instant in UTC with Z."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _unnamed(
    headers: Headers, people: Participants, arrived: datetime, privacy: MailPrivacy
) -> str:
    """The identity of a message without a Message-ID."""
    key = privacy.hash_key if privacy.hash_addresses else None
    return fallback_id(
        stated_date(headers) or arrived,
        next((str(one["address"]) for one in people.get("from", [])), ""),
        # Not bcc: only the sender's own copy names it.
        [str(one["address"]) for role in ("to", "cc") for one in people.get(role, [])],
        decode_text(first(headers, "Subject")) or "",
        key.get_secret_value() if key else None,
    )


def _masked(
    people: Iterable[dict[str, str | None]], own: tuple[str, ...], privacy: MailPrivacy
) -> list[dict[str, str | None]]:
    """The participants, outside local parts hashed where the settings ask for it."""
    if not privacy.hash_addresses:
        return list(people)
    masked: list[dict[str, str | None]] = []
    for one in people:
        domain = str(one["address"]).rpartition("@")[2]
        if domain in own:
            masked.append(one)
        else:
            # The whole address: hashes of local parts alone would show every info@.
            hashed = _keyed(str(one["address"]), privacy)
            masked.append({"name": None, "address": f"{hashed}@{domain}"})
    return masked


def _subject(value: str | None, privacy: MailPrivacy) -> str | None:
    if privacy.subject == "off" or value is None:
        return None
    text = decode_text(value)
    return _keyed(text or "", privacy) if privacy.subject == "hashed" else text


def _keyed(text: str, privacy: MailPrivacy) -> str:
    key = privacy.hash_key.get_secret_value() if privacy.hash_key else ""
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
