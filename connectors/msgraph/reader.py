"""What is new, changed, moved and gone in each folder since its delta link.

State per mailbox: one link per folder, and whether a complete comparison is due because a
link died or a folder vanished. A link is stored with the page that it follows.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from connectors.base.body import shown_body
from connectors.base.envelope import encode_payload, envelope
from connectors.base.errors import AccessDenied, CursorExpired, SourceError, VendorError
from connectors.base.mail import addresses
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.msgraph.session import FIELDS, Session

# Drafts are no messages yet; the others are not what anybody meant to read.
SKIPPED = ("drafts", "outbox", "junkemail", "deleteditems", "conversationhistory", "syncissues")
_PEOPLE = {
    "from": "from",
    "sender": "sender",
    "reply-to": "replyTo",
    "to": "toRecipients",
    "cc": "ccRecipients",
    "bcc": "bccRecipients",
}


async def read_messages(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield new, changed and gone messages, mailbox by mailbox.

    Raises:
        AccessDenied: a mailbox may not be read; raised after the others are done.
        VendorError: a mailbox failed otherwise; likewise.
    """
    stored = dict((request.cursor or {}).get("mailboxes", {}))
    state = {
        name: {**value, "folders": dict(value["folders"])}
        for name, value in stored.items()
        if name in session.settings.mailboxes
    }
    failed: list[SourceError] = []
    for mailbox in session.settings.mailboxes:
        known = state.setdefault(mailbox, {"folders": {}, "compare": False})
        if request.full:
            known |= {"folders": {}, "compare": True}
        try:
            async for page in _Mailbox(session, request, mailbox, known).read():
                yield Page(page.records, cursor=_copied(state), rejected=page.rejected)
        except (AccessDenied, CursorExpired, VendorError) as error:
            if isinstance(error, AccessDenied) and error.whole_source:
                raise
            failed.append(error)
    yield Page(cursor=_copied(state))
    if failed:
        told = "; ".join(str(error) for error in failed)
        if not all(isinstance(error, AccessDenied) for error in failed):
            raise VendorError(told)
        raise AccessDenied(told)


class _Mailbox:
    """One mailbox in one run; ``known`` is kept true to the pages that were yielded."""

    def __init__(
        self, session: Session, request: ReadRequest, mailbox: str, known: dict[str, Any]
    ) -> None:
        self._session = session
        self._now = request.now
        self._live_ids = request.live_ids
        self._mailbox = mailbox
        self._known = known
        self._oldest = request.now - timedelta(days=session.settings.months * 31)
        self._seen: set[str] = set()
        self._skipped: set[str] = set()
        self._asks_each = session.settings.headers or session.settings.store_bodies

    async def read(self) -> AsyncIterator[Page]:
        folders = await self._folders()
        links: dict[str, str] = self._known["folders"]
        if set(links) - set(folders):
            # Its messages were moved or deleted with it, and no link is left to tell which.
            self._restart()
        if not self._known["compare"]:
            try:
                for folder, name in folders.items():
                    async for page in self._folder(folder, name):
                        yield page
            except CursorExpired:
                self._restart()
        if self._known["compare"]:
            # A comparison needs every id, so that it begins anew in each run until it ends.
            self._seen.clear()
            links.clear()
            for folder, name in folders.items():
                async for page in self._folder(folder, name):
                    yield page
            yield await self._compared()
            self._known["compare"] = False
            yield Page()

    def _restart(self) -> None:
        self._known["compare"] = True
        self._known["folders"].clear()

    async def _folders(self) -> dict[str, str]:
        """Names by id, without those that are not read."""
        for well_known in SKIPPED:
            found = await self._session.found(
                self._mailbox, f"/mailFolders/{well_known}", {"$select": "id"}
            )
            if found is not None:
                self._skipped.add(found["id"])
        names: dict[str, str] = {}
        pages = self._session.pages(
            self._mailbox, "/mailFolders/delta", {"$select": "id,displayName,parentFolderId"}
        )
        async for page in pages:
            for one in page["value"]:
                if "@removed" in one:
                    names.pop(one["id"], None)
                elif one["id"] not in self._skipped:
                    names[one["id"]] = one.get("displayName") or ""
        return names

    async def _folder(self, folder: str, name: str) -> AsyncIterator[Page]:
        links: dict[str, str] = self._known["folders"]
        start = links.get(folder, f"/mailFolders/{folder}/messages/delta")
        async for page in self._session.pages(self._mailbox, start, {"$select": FIELDS}):
            records, rejected = await self._landed(page["value"], name)
            links[folder] = page.get("@odata.nextLink") or page["@odata.deltaLink"]
            yield Page(records, rejected=rejected)

    async def _landed(
        self, rows: list[dict[str, Any]], folder: str
    ) -> tuple[list[Record], list[Rejected]]:
        """A page's records. The last word of a page on one id counts."""
        newest = {row["id"]: row for row in rows}
        gone = [one for one, row in newest.items() if "@removed" in row]
        shown = {one: row for one, row in newest.items() if "@removed" not in row}
        self._seen |= set(shown)
        # A change may show two fields only; headers and text come with a message of its own alone.
        asked = [
            one
            for one, row in shown.items()
            if "internetMessageId" not in row or (self._asks_each and self._is_wanted(row))
        ]
        found = await self._session.messages(self._mailbox, asked)
        for identity, message in zip(asked, found, strict=True):
            if message is None:
                del shown[identity]  # its removal comes with a later page
            else:
                shown[identity] = message
        records: list[Record] = []
        rejected: list[Rejected] = []
        for row in shown.values():
            try:
                record = self._record(row, folder)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                reason = f"no message as Graph describes one: {type(error).__name__} {error}"
                hidden = self._session.settings.rejected_payload(row)
                rejected.append(Rejected(self._key(row["id"]), reason, hidden))
                continue
            if record is not None:
                records.append(record)
        records += await self._removed(gone)
        return records, rejected

    async def _removed(self, identities: list[str]) -> list[Record]:
        """What became of messages that left a folder: moved, thrown away, or gone for good."""
        found = await self._session.messages(self._mailbox, identities)
        records = []
        for identity, message in zip(identities, found, strict=True):
            if message is None:
                records.append(Record(self._key(identity), None, self._now, "deleted"))
            elif message.get("parentFolderId") in self._skipped:
                records.append(Record(self._key(identity), None, self._now, "archived"))
            # Else it lies in another folder, whose own delta shows it.
        return records

    async def _compared(self) -> Page:
        """Ask for every message that landing holds and no folder showed."""
        prefix = self._key("")
        held = (one.removeprefix(prefix) for one in self._live_ids() if one.startswith(prefix))
        return Page(await self._removed(sorted(set(held) - self._seen)))

    def _record(self, row: dict[str, Any], folder: str) -> Record | None:
        if not self._is_wanted(row):
            return None
        arrived = datetime.fromisoformat(row["receivedDateTime"])
        people = {
            role: [one for shown in _listed(row.get(field)) for one in _person(shown)]
            for role, field in _PEOPLE.items()
        }
        shown = envelope(
            _headers(row),
            people,
            arrived=arrived,
            octets=None,  # Graph tells no size
            privacy=self._session.settings,
        )
        if shown is None:
            return None
        payload = {
            "mailbox": self._mailbox,
            "id": row["id"],
            "folder": folder,
            "conversation_id": row.get("conversationId"),
            # Also without where they were asked for: what was sent from here has none yet.
            "has_headers": bool(row.get("internetMessageHeaders")),
            **shown,
            "flags": [row["flag"]["flagStatus"]] if row.get("flag") else [],
            "has_attachment": bool(row.get("hasAttachments")),
        }
        if self._session.settings.store_bodies:
            payload |= _body(row.get("body") or {})
        changed = row.get("lastModifiedDateTime")
        return Record(
            self._key(row["id"]),
            encode_payload(payload),
            self._now,
            source_updated_at=datetime.fromisoformat(changed) if changed else arrived,
        )

    def _is_wanted(self, row: Mapping[str, Any]) -> bool:
        arrived = row.get("receivedDateTime")
        if row.get("isDraft") or not arrived:
            return False
        return datetime.fromisoformat(arrived) >= self._oldest

    def _key(self, identity: str) -> str:
        return f"{self._mailbox}:{identity}"


def _headers(row: Mapping[str, Any]) -> dict[str, list[str]]:
    """Header fields by lower-case name; the vendor's own fields where none were shown."""
    fields: dict[str, list[str]] = {}
    for one in row.get("internetMessageHeaders") or []:
        fields.setdefault(str(one["name"]).lower(), []).append(str(one["value"]))
    if row.get("internetMessageId"):
        fields["message-id"] = [row["internetMessageId"]]
    if row.get("subject") is not None:
        fields["subject"] = [row["subject"]]
    # In place of a Date that nobody can read Exchange shows when the message came.
    if row.get("sentDateTime") and "date" not in fields:
        sent = datetime.fromisoformat(row["sentDateTime"]).astimezone(UTC)
        fields["date"] = [format_datetime(sent)]
    return fields


def _body(body: Mapping[str, Any]) -> dict[str, Any]:
    """The text that was asked for; a server that shows HTML all the same is read as such."""
    content = body.get("content")
    if body.get("contentType") == "html":
        return shown_body(None, content)
    return shown_body(content)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _person(shown: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """A recipient; empty for old Exchange names (``/O=EXCHANGELABS/…``), which are no address."""
    person = shown.get("emailAddress") or {}
    found = addresses(person.get("address"))
    # Where the header had no name Graph repeats the address.
    name = person.get("name") or None
    if name and name.lower() == str(person.get("address")).lower():
        name = None
    return [{"name": name, "address": one["address"]} for one in found[:1]]


def _copied(state: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "mailboxes": {
            name: {**value, "folders": dict(value["folders"])} for name, value in state.items()
        }
    }
