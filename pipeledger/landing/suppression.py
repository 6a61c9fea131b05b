"""People who were erased: known by a keyed hash alone, and taken out of whatever is shown again.

``<landing>/_suppressed.json`` holds a random key and the HMACs of erased addresses. An address
becomes ``erased-<hash>@<its domain>``, the same one each time: links between records hold, and
companies are still told by their domains. Beside an address, the person's own fields (names,
telephones, streets) become ``erased``. Nobody can read out of the file who was erased.
"""

import hashlib
import hmac
import json
import re
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from connectors.base.locks import write_durably
from connectors.base.stream import Record

FILE = "_suppressed.json"
ERASED = "erased"
_LOCAL = r"[\w.%+'&=/!#$*?^{}|~-]+"
_ADDRESS = re.compile(rf"({_LOCAL})@([\w-]+(?:\.[\w-]+)+)")
_NAMED = re.compile(rf"\"?[^\"<>,;:\n]*\"?\s*<({_LOCAL}@[\w.-]+)>")
_STAND_IN = re.compile(rf"{ERASED}-[0-9a-f]{{12}}@")
_STARTS = re.compile(r"(?<=\W)(?=\w)")
_PERSONAL = re.compile(
    r"(?i)((.*_)?(first|last|middle|full|given|family|sur|nick|display|customer|contact|person|lead)"
    r"[_ ]?name|.*(phone|mobile|telephone|telefon|fax|street|birth|salutation|honorific)|jobtitle"
    r"|job_title|job|position|title|address_?(line)?_?\d?|line\d|postal_?code|zip(_?code)?|avatar.*|body_text|snippet"
    r"|photo.*|.*linkedin.*|.*twitter.*|skype.*)"
)
_NAME = re.compile(r"(?i)(name|label|contact|summary|description|note|notes|comment|comments)")
_MAIL = re.compile(r"(?i).*e-?_?mail.*|address|value|username|login|user_?id")
_STAYS = {"timestamp", "sourceType", "source", "sourceId", "id", "type", "country", "currency"}
PEOPLE = {"contacts", "people", "persons", "leads", "users", "customers", "partners", "lead_inbox"}
_decode = msgspec.json.Decoder(float_hook=lambda digits: msgspec.Raw(digits.encode())).decode
_encode = msgspec.json.Encoder().encode


def is_stand_in(address: str) -> bool:
    """Whether an address stands for that of an erased person: nobody reads it."""
    return _STAND_IN.match(address) is not None


@dataclass(frozen=True, slots=True)
class Suppression:
    """The erased of a landing folder."""

    key: bytes
    hashes: frozenset[str]

    def hash(self, text: str) -> str:
        """The keyed hash of an address or of a record's place, whatever its case."""
        return hmac.new(self.key, text.strip().lower().encode(), hashlib.sha256).hexdigest()[:32]

    def text(self, text: str) -> str:
        """The text without erased addresses, and without the name that stands before one."""
        if "@" not in text:
            return text
        named = _NAMED.sub(
            lambda m: f"<{self._address(m[1])}>" if self._address(m[1]) != m[1] else m[0], text
        )
        return _ADDRESS.sub(lambda m: self._address(m[0]), named)

    def _address(self, address: str) -> str:
        """The stand-in of an erased address; the address itself if it is another's.

        A local part may be glued to what stands before it (``to=eva@…``): each tail is tried.
        """
        local, _, domain = address.rpartition("@")
        for start in (0, *(found.start() for found in _STARTS.finditer(local))):
            known = self.hash(f"{local[start:]}@{domain}")
            if known in self.hashes:
                return f"{local[:start]}{ERASED}-{known[:12]}@{domain.lower()}"
        return address

    def payload(self, payload: bytes, stream: str, place: str) -> bytes:
        """A record's JSON without the erased; the very same bytes where there is none in it."""
        is_person = bool(self.hashes) and self.hash(place) in self.hashes
        if not is_person and not self._may_hold(payload):
            return payload
        content = _decode(payload)
        is_person = is_person or (stream in PEOPLE and self._is_about(content))
        return _encode(self._walk(content, is_person=is_person))

    def is_person(self, payload: bytes, stream: str) -> bool:
        """Whether a record of a stream of people is an erased person's own."""
        return stream in PEOPLE and self._may_hold(payload) and self._is_about(_decode(payload))

    def _may_hold(self, payload: bytes) -> bool:
        if b"@" not in payload and b"\\u0040" not in payload:
            return False
        text = payload.decode("utf-8", "replace")
        return b"\\u" in payload or self.text(text) != text

    def _is_about(self, content: Any) -> bool:
        """Whether a field of mail, at any depth, holds an erased address."""
        if isinstance(content, dict):
            return any(
                (_MAIL.fullmatch(name) is not None and self._is_subject(value))
                or (not isinstance(value, str) and self._is_about(value))
                for name, value in content.items()
            )
        return isinstance(content, list) and any(self._is_about(one) for one in content)

    def _is_subject(self, value: Any) -> bool:
        if isinstance(value, str):
            return "@" in value and self.hash(value) in self.hashes
        inner = value.values() if isinstance(value, dict) else value
        return isinstance(value, dict | list) and any(self._is_subject(one) for one in inner)

    def _walk(self, value: Any, *, is_person: bool) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self._walk(one, is_person=is_person) for one in value]
        if not isinstance(value, dict):
            return value
        is_own = is_person or any(self._is_subject(one) for one in value.values())
        names_too = is_person or len(value) <= 4
        cleaned = {}
        for name, one in value.items():
            is_personal = _PERSONAL.fullmatch(name) or (names_too and _NAME.fullmatch(name))
            blank = is_own and is_personal and not self._is_subject(one)
            cleaned[self.text(name)] = (
                _blank(one) if blank else self._walk(one, is_person=is_person)
            )
        return cleaned

    def record(self, record: Record, stream: str, place: str) -> Record:
        """A record as it may land."""
        if not self.hashes:
            return record
        payload = record.payload
        if payload is not None:
            try:
                payload = self.payload(payload, stream, f"{place}:{record.record_id}")
            except (msgspec.MsgspecError, RecursionError):
                payload = self.text(payload.decode("utf-8", "replace")).encode()
        record_id = self.text(record.record_id)
        if payload is record.payload and record_id == record.record_id:
            return record
        return replace(record, record_id=record_id, payload=payload)


def _blank(value: Any) -> Any:
    """The same shape with its texts erased; keys that say when, whence and what kind stay."""
    if isinstance(value, str):
        return ERASED if value else value
    if isinstance(value, list):
        return [_blank(one) for one in value]
    if isinstance(value, dict):
        return {name: one if name in _STAYS else _blank(one) for name, one in value.items()}
    return value


def load(root: str | Path) -> Suppression:
    """The erased of a landing folder; nobody, with a key of their own, where none were."""
    path = Path(root) / FILE
    if not path.exists():
        return Suppression(secrets.token_bytes(32), frozenset())
    found = json.loads(path.read_text(encoding="ascii"))
    return Suppression(bytes.fromhex(found["key"]), frozenset(found["hashes"]))


def remember(root: str | Path, known: Suppression, *texts: str) -> Suppression:
    """Add addresses or places of records, durably."""
    added = replace(known, hashes=known.hashes | {known.hash(text) for text in texts})
    content = {"key": added.key.hex(), "hashes": sorted(added.hashes)}
    write_durably(Path(root) / FILE, json.dumps(content).encode())
    return added
