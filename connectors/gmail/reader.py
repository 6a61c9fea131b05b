"""What is new, changed and gone in each mailbox since its last history id.

State per mailbox: ``start``, the history id taken before a listing that is not done, or
``history``, the id up to which everything landed. A listing that was cut short begins
again and asks only for what has not landed.
"""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base.body import charset_of, decoded_body, shown_body
from connectors.base.envelope import encode_payload, envelope, participants
from connectors.base.errors import AccessDenied, CursorExpired, SourceError, VendorError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.gmail.session import Mailbox, Session

_NOT_READ = frozenset({"DRAFT", "CHAT"})
_THROWN = frozenset({"TRASH", "SPAM"})
# Marks that come and go without anything having happened.
_NOISE = frozenset({"UNREAD", "IMPORTANT", "STARRED"})
_EVENTS = ("messagesAdded", "labelsAdded", "labelsRemoved", "messagesDeleted")
CHUNK = 100


async def read_messages(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield new, changed and gone messages, mailbox by mailbox.

    Raises:
        AccessDenied: a mailbox may not be read; raised after the others are done.
        VendorError: a mailbox failed otherwise; likewise.
    """
    stored = dict((request.cursor or {}).get("mailboxes", {}))
    state = {
        name: dict(value) for name, value in stored.items() if name in session.settings.mailboxes
    }
    failed: list[SourceError] = []
    for address in session.settings.mailboxes:
        known = state.setdefault(address, {})
        if request.full:
            known.clear()
        try:
            mailbox = await session.mailbox(address)
            async for page in _Reading(mailbox, request, known).read():
                yield Page(page.records, cursor=_copied(state), rejected=page.rejected)
        except (AccessDenied, CursorExpired, VendorError) as error:
            failed.append(error)
    yield Page(cursor=_copied(state))
    if failed:
        told = "; ".join(str(error) for error in failed)
        if all(isinstance(error, AccessDenied) for error in failed):
            everything = len(failed) == len(session.settings.mailboxes)
            raise AccessDenied(told, whole_source=everything)
        raise VendorError(told)


class _Reading:
    """One mailbox in one run; ``known`` is kept true to the pages that were yielded."""

    def __init__(self, mailbox: Mailbox, request: ReadRequest, known: dict[str, Any]) -> None:
        self._mailbox = mailbox
        self._now = request.now
        self._known = known
        self._full = request.full
        self._oldest = request.now - timedelta(days=mailbox.settings.months * 31)
        prefix = self._key("")
        self._live = {
            one.removeprefix(prefix) for one in request.live_ids() if one.startswith(prefix)
        }

    async def read(self) -> AsyncIterator[Page]:
        if "history" in self._known:
            try:
                async for page in self._changes(self._known["history"]):
                    yield page
            except CursorExpired:
                self._known.clear()
            else:
                return
        # Taken before the listing: what happens meanwhile is caught up with after it.
        start = self._known.setdefault("start", await self._mailbox.history_id())
        async for page in self._listing():
            yield page
        try:
            async for page in self._changes(start):
                yield page
        except CursorExpired:
            # So old a start only if an earlier run was cut short: the next one lists anew.
            self._known.clear()
            raise

    async def _changes(self, start: str) -> AsyncIterator[Page]:
        """History is a log: each page is a place to go on from."""
        async for page in self._mailbox.history(start):
            touched: dict[str, None] = {}
            entries = page.get("history", [])
            for entry in entries:
                for event in _EVENTS:
                    for one in entry.get(event, []):
                        labels = set(one.get("labelIds", []))
                        if event.startswith("labels") and labels <= _NOISE:
                            continue
                        touched[one["message"]["id"]] = None
            records, rejected = await self._landed(list(touched))
            reached = entries[-1]["id"] if page.get("nextPageToken") and entries else None
            reached = reached or (None if page.get("nextPageToken") else page["historyId"])
            if reached is not None:
                self._known.clear()
                self._known["history"] = str(reached)
            yield Page(records, rejected=rejected)

    async def _listing(self) -> AsyncIterator[Page]:
        """All ids; headers of those that have not landed, until mail is too old to land."""
        seen: set[str] = set()
        is_past = False
        async for ids in self._mailbox.ids():
            seen |= set(ids)
            fresh = [one for one in ids if self._full or one not in self._live]
            for first in range(0, 0 if is_past else len(fresh), CHUNK):
                chunk = fresh[first : first + CHUNK]
                records, rejected = await self._landed(chunk)
                yield Page(records, rejected=rejected)
            if fresh and not is_past:
                last = (await self._mailbox.messages(fresh[-1:]))[0]
                is_past = last is not None and _arrived(last) < self._oldest
        if not self._live:
            return
        thrown: set[str] = set()
        for label in sorted(_THROWN):
            async for ids in self._mailbox.ids(label):
                thrown |= set(ids)
        gone = [self._ended(one, "deleted") for one in sorted(self._live - seen)]
        yield Page([*gone, *(self._ended(one, "archived") for one in sorted(self._live & thrown))])

    async def _landed(self, identities: Sequence[str]) -> tuple[list[Record], list[Rejected]]:
        records: list[Record] = []
        rejected: list[Rejected] = []
        found = await self._mailbox.messages(list(identities))
        for identity, message in zip(identities, found, strict=True):
            if message is None:
                if identity in self._live:
                    records.append(self._ended(identity, "deleted"))
                continue
            labels = set(message.get("labelIds", []))
            if labels & _THROWN:
                if identity in self._live:
                    records.append(self._ended(identity, "archived"))
                continue
            if labels & _NOT_READ:
                continue
            try:
                record = self._record(message, labels)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"no message as Gmail describes one: {type(error).__name__} {error}"
                shown = self._mailbox.settings.rejected_payload(message)
                rejected.append(Rejected(self._key(identity), reason, shown))
                continue
            if record is not None:
                records.append(record)
                self._live.add(identity)
        return records, rejected

    def _record(self, message: Mapping[str, Any], labels: set[str]) -> Record | None:
        arrived = _arrived(message)
        if arrived < self._oldest:
            return None
        headers: dict[str, list[str]] = {}
        for one in message["payload"].get("headers", []):
            headers.setdefault(one["name"].lower(), []).append(one["value"])
        shown = envelope(
            headers,
            participants(headers),
            arrived=arrived,
            octets=int(message.get("sizeEstimate", 0)),
            privacy=self._mailbox.settings,
        )
        if shown is None:
            return None
        payload = {
            "mailbox": self._mailbox.address,
            "id": message["id"],
            "thread_id": message["threadId"],
            **shown,
            "flags": sorted(labels - _NOISE),
            # Headers alone tell it no better: the parts are not shown.
            "has_attachment": message["payload"].get("mimeType") == "multipart/mixed",
        }
        if self._mailbox.settings.store_bodies:
            payload |= _body(message["payload"])
        identity = self._key(message["id"])
        return Record(identity, encode_payload(payload), self._now, source_updated_at=arrived)

    def _ended(self, identity: str, change: Any) -> Record:
        self._live.discard(identity)
        return Record(self._key(identity), None, self._now, change)

    def _key(self, identity: str) -> str:
        return f"{self._mailbox.address}:{identity}"


def _arrived(message: Mapping[str, Any]) -> datetime:
    """``internalDate``: milliseconds since 1970, the arrival at Gmail."""
    return datetime.fromtimestamp(int(message["internalDate"]) / 1000, UTC)


def _body(part: Mapping[str, Any]) -> dict[str, Any]:
    """The first text of the parts, plain before HTML; what has a file name is attached."""
    texts: dict[str, str] = {}
    waiting = [part]
    while waiting:
        one = waiting.pop(0)
        kind, data = one.get("mimeType"), one.get("body", {}).get("data")
        if kind in {"text/plain", "text/html"} and data and not one.get("filename"):
            headers = {str(h["name"]).lower(): str(h["value"]) for h in one.get("headers", [])}
            octets = base64.urlsafe_b64decode(data + "=" * (-len(data) % 4))
            charset = charset_of(headers.get("content-type"))
            texts.setdefault(str(kind), decoded_body(octets, charset))
        if kind != "message/rfc822":
            waiting[:0] = one.get("parts", [])
    return shown_body(texts.get("text/plain"), texts.get("text/html"))


def _copied(state: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {"mailboxes": {name: dict(value) for name, value in state.items()}}
