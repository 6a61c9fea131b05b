"""From a message's header bytes to names, addresses, ids and an instant.

Real mail breaks every rule. The modern parser of the standard library raises on some
Message-IDs and cuts others, so the block is read with the older one, ids are taken by a
pattern, and each field is decoded on its own. Evidence: docs/sources/imap.md.
"""

import email.utils
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from email import policy
from email.header import decode_header
from email.parser import BytesParser
from email.utils import getaddresses, parsedate_tz
from typing import Any, TypeAlias

FIELDS = (
    *("MESSAGE-ID", "IN-REPLY-TO", "REFERENCES", "FROM", "SENDER", "REPLY-TO", "TO", "CC", "BCC"),
    *("SUBJECT", "DATE", "AUTO-SUBMITTED", "PRECEDENCE", "LIST-ID", "LIST-UNSUBSCRIBE"),
    *("X-AUTOREPLY", "X-AUTO-RESPONSE-SUPPRESS", "CONTENT-TYPE", "RETURN-PATH"),
)
MAX_REFERENCES = 200
_ID = re.compile(r"<[^<>\s]+>")
_ENCODED_PARTS = re.compile(r"(=\?[^?]+\?[bBqQ]\?[^?]*\?=)\s+(?==\?)")
_ISO_2022_RUN = re.compile(rb"\x1b\$[@B](?P<pairs>[^\x1b]*)")
# What senders call an encoding, and what they mean.
_MEANT = {
    "iso-8859-1": "cp1252",
    "us-ascii": "cp1252",
    "shift_jis": "cp932",
    "gb2312": "gb18030",
    "ks_c_5601-1987": "cp949",
    "unknown-8bit": "",
    "x-unknown": "",
}
_REPLY_MARKS = re.compile(r"^(\s*(re|aw|antw|sv|vs|fwd?|wg|tr|rif)(\[\d+\])?\s*:)+")
# How mail programs begin the subject of an answer that nobody wrote. An answer to one begins
# with "Re:" and is a person's.
_ABSENT = re.compile(
    r"^\s*(automatic reply|auto[- ]?reply|out of office( autoreply| reply)?|abwesenheitsnotiz"
    r"|abwesend|automatische antwort|réponse automatique|absence du bureau|respuesta automática"
    r"|risposta automatica|automatisch antwoord|autosvar|automatiskt svar|automatisk svar"
    r"|resposta automática|odpowiedź automatyczna|自動応答|自動返信)\s*[:：]",
    re.IGNORECASE,
)
_ZONES = {"JST": 9, "CET": 1, "CEST": 2, "MSK": 3, "IST": 5.5}


Headers: TypeAlias = Mapping[str, list[str]]
"""Fields by lower-case name, in order; raw 8-bit bytes as surrogate escapes."""


def parse_headers(block: bytes) -> Headers:
    """The header block with every field as its sender wrote it."""
    message = BytesParser(policy=policy.compat32).parsebytes(block, headersonly=True)
    fields: dict[str, list[str]] = {}
    # The mapping interface would put replacement marks in the place of undeclared bytes.
    for name, value in message.raw_items():
        fields.setdefault(name.lower(), []).append(str(value))
    return fields


def first(headers: Headers, name: str) -> str | None:
    """The first field of that name, None if there is none."""
    return next(iter(headers.get(name.lower(), [])), None)


def message_ids(value: str | None) -> list[str]:
    """The ids of a Message-ID, In-Reply-To or References field, brackets off, in order.

    Without any ``<…>`` the trimmed text is the id; an empty ``<>`` is none.
    """
    if not value:
        return []
    text = _raw_text(value)
    found = [match[1:-1] for match in _ID.findall(text)]
    bare = text.strip().strip("<>").strip()
    if not found and bare:
        found = ["".join(bare.split())]
    return list(dict.fromkeys(found))[:MAX_REFERENCES]


def decode_text(value: str | None) -> str | None:
    """An unstructured field in Unicode: encoded words, raw 8-bit bytes, folded lines.

    Neighbouring encoded words join without the space between them, even where a
    character is split over both.
    """
    if value is None:
        return None
    text = _raw_text(value)
    text = re.sub(r"\r?\n[ \t]", " ", text)
    if "=?" not in text:
        return text.strip()
    joined = _ENCODED_PARTS.sub(r"\1", text)
    try:
        parts = decode_header(joined)
    except (ValueError, LookupError):  # a broken base64 run: shown as it is
        return text.strip()
    words = ""
    pending: tuple[bytes, str] | None = None
    for part, charset in parts:
        if isinstance(part, bytes) and charset:
            if pending and pending[1] == charset.lower():
                pending = (pending[0] + part, pending[1])
            else:
                words += _flush(pending)
                pending = (part, charset.lower())
            continue
        words += _flush(pending)
        pending = None
        words += part if isinstance(part, str) else _decode_bytes(part)
    return (words + _flush(pending)).strip()


def addresses(value: str | None) -> list[dict[str, str | None]]:
    """The mailboxes of an address field: name and lower-case address, A-label domain.

    Groups are flattened, ``undisclosed-recipients:;`` is empty, what is no address is
    left out.
    """
    if not value:
        return []
    text = re.sub(r"\r?\n[ \t]", " ", _raw_text(value))
    found: list[dict[str, str | None]] = []
    for name, address in _address_list(text):
        clean = "".join(address.split()).strip("<>'\"").lower()
        local, at, domain = clean.rpartition("@")
        if not at or not local or not domain:
            continue
        found.append({"name": decode_text(name) or None, "address": f"{local}@{_a_label(domain)}"})
    return found


def _address_list(text: str) -> list[tuple[str, str]]:
    # Where the strict parser exists it is the default, and drops a whole field for one oddity.
    lenient = {"strict": False} if hasattr(email.utils, "supports_strict_parsing") else {}
    return getaddresses([text], **lenient)


def sent_at(date: str | None, arrived: datetime) -> tuple[datetime, str]:
    """When a message was sent, and whose word that is: ``date`` or ``internaldate``.

    The Date field counts when it can be read and lies within 48 hours before and 10
    minutes after the arrival; a sender's clock may be off by years.
    """
    parsed = _parse_date(date)
    if parsed is None:
        return arrived, "internaldate"
    if arrived - timedelta(hours=48) <= parsed <= arrived + timedelta(minutes=10):
        return parsed, "date"
    return arrived, "internaldate"


def fallback_id(
    moment: datetime, sender: str, recipients: Iterable[str], subject: str, key: str | None
) -> str:
    """An identity for a message that carries none, the same in every mailbox that holds it.

    A hash of the second it was sent, the sender, the sorted recipients and the subject without
    marks of answers; with ``key`` nobody else can try names out on it.
    """
    second = moment.astimezone(UTC).replace(microsecond=0).isoformat()
    plain = " ".join(_REPLY_MARKS.sub("", subject.lower()).split())
    text = "\n".join([second, sender, *sorted(set(recipients)), plain]).encode()
    digest = hmac.new(key.encode(), text, hashlib.sha256) if key else hashlib.sha256(text)
    return f"sha256-{digest.hexdigest()[:40]}"


def stated_date(headers: Headers) -> datetime | None:
    """What the Date field says, believable or not; None where it cannot be read."""
    return _parse_date(first(headers, "Date"))


def automatic(headers: Headers) -> dict[str, Any]:
    """The marks by which staging tells people from machines."""
    content_type = (first(headers, "Content-Type") or "").lower()
    return_path = (first(headers, "Return-Path") or "").strip()
    return {
        "auto_submitted": _lower(first(headers, "Auto-Submitted")),
        "precedence": _lower(first(headers, "Precedence")),
        "x_autoreply": _lower(first(headers, "X-Autoreply")),
        "x_auto_response_suppress": _lower(first(headers, "X-Auto-Response-Suppress")),
        "is_absence_subject": bool(_ABSENT.match(decode_text(first(headers, "Subject")) or "")),
        "list_id": decode_text(first(headers, "List-Id")),
        "is_bounce": return_path == "<>" and content_type.startswith("multipart/report"),
    }


def _lower(value: str | None) -> str | None:
    return value.strip().lower() if value else None


def _raw_text(value: Any) -> str:
    """A field as text; raw 8-bit bytes are decoded, not turned into replacement marks."""
    text = str(value)
    try:
        data = text.encode("ascii", "surrogateescape")
    except UnicodeEncodeError:
        return text
    return text if text.isascii() and b"\x1b" not in data else _decode_bytes(data)


def _decode_bytes(data: bytes) -> str:
    """Undeclared bytes: UTF-8 if they are, ISO-2022-JP by its escapes, else cp932, latin-1."""
    if b"\x1b" in data:
        return decode_as(data, "iso-2022-jp")
    for name in ("utf-8", "cp932"):
        try:
            return data.decode(name)
        except UnicodeDecodeError:
            continue
    return data.decode("latin-1")


def _flush(pending: tuple[bytes, str] | None) -> str:
    return "" if pending is None else decode_as(pending[0], pending[1])


def decode_as(data: bytes, charset: str) -> str:
    """Bytes in a declared encoding, by what senders mean with that name."""
    name = _MEANT.get(charset, charset)
    if not name:
        return _decode_bytes(data)
    try:
        return data.decode(name)
    except LookupError:
        return _decode_bytes(data)
    except UnicodeDecodeError:
        if name.startswith("iso-2022-jp"):
            return _nec_characters(data)
        return data.decode(name, "replace")


def _nec_characters(data: bytes) -> str:
    """ISO-2022-JP with NEC and IBM rows (①, ㈱, 髙), which the codec refuses.

    Each JIS pair is turned into its Shift_JIS form, which code page 932 can read.
    """

    def shifted(match: re.Match[bytes]) -> bytes:
        pairs = match["pairs"]
        out = bytearray()
        for j1, j2 in zip(pairs[::2], pairs[1::2], strict=False):
            lead = ((j1 - 0x21) >> 1) + 0x81
            lead += 0x40 if lead > 0x9F else 0
            trail = j2 + (0x1F + (j2 >= 0x60) if j1 % 2 else 0x7E)
            out += bytes((lead & 0xFF, trail & 0xFF))
        return bytes(out)

    plain = re.sub(rb"\x1b\([BJ]", b"", _ISO_2022_RUN.sub(shifted, data))
    return plain.decode("cp932", "replace")


def _a_label(domain: str) -> str:
    """An international domain in its ASCII form; as it stands if it has none."""
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return domain


def _parse_date(value: str | None) -> datetime | None:
    """A Date field as an instant; None when it names no time or an unknown zone."""
    if not value:
        return None
    text = _raw_text(value)
    parts = parsedate_tz(text)
    if parts is None:
        return None
    zone = re.search(r"\b([A-Z]{3,4})\s*(\(.*\))?\s*$", text)
    offset: float | None = parts[9]
    if zone and zone[1] in _ZONES:
        offset = _ZONES[zone[1]] * 3600
    elif offset is None:
        # "-0000" says: the instant is UTC, the sender's zone is unknown.
        if not re.search(r"-0000", text):
            return None
        offset = 0
    try:
        local = datetime(*parts[:6], tzinfo=timezone(timedelta(seconds=offset)))
    except (ValueError, OverflowError):
        return None
    return local.astimezone(UTC)
