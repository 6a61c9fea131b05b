"""What is new, changed and gone in each folder since the last run.

State per folder: UIDVALIDITY, the next UID, the change counter and the known UIDs as a
compact set. A changed UIDVALIDITY voids every UID of the folder: the old locations are
landed as deleted and all headers are read again; the messages themselves are recognised
by their Message-ID, so nothing is lost and nothing doubled.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base.body import decoded_body, decoded_transfer, shown_body
from connectors.base.envelope import encode_payload, envelope, participants
from connectors.base.errors import AccessDenied, VendorError
from connectors.base.mail import parse_headers
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.imap.responses import (
    Token,
    has_attachment,
    internal_date,
    text_part,
    uid_set,
    uids,
)
from connectors.imap.session import SKIPPED, Folder, Opened, Session
from connectors.imap.settings import ImapSettings

# UIDs may become visible out of order on clusters: the newest are searched again.
RECHECKED = 500
_NOISE = frozenset({"\\recent", "\\seen"})
_ORDER = ("\\sent", "\\inbox", "\\archive", "\\all")


async def read_folders(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield every folder with its special uses."""
    folders = await session.folders()
    records = [
        Record(
            folder.name,
            encode_payload({"name": folder.name, "attributes": sorted(folder.attributes)}),
            request.now,
        )
        for folder in folders
    ]
    yield Page(records, cursor={}, complete_ids=[folder.name for folder in folders])


async def read_messages(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Yield new and changed messages folder by folder, then the ids that are left.

    Raises:
        AccessDenied: a folder may not be read; raised after the other folders are done,
            and what landed of that folder is kept.
    """
    stored = {} if request.full else dict((request.cursor or {}).get("folders", {}))
    state: dict[str, dict[str, Any]] = {name: dict(value) for name, value in stored.items()}
    listed = _chosen(await session.folders(), session.settings)
    lost: list[str] = []
    anything_gone = bool(set(state) - {folder.name for folder in listed})
    state = {name: value for name, value in state.items() if name in {f.name for f in listed}}
    for folder in listed:
        try:
            opened = await session.examine(folder)
        except AccessDenied as error:
            lost.append(str(error))
            continue
        known = state.setdefault(folder.name, {})
        if known and known["uidvalidity"] != opened.uidvalidity:
            yield Page(_voided(folder.name, known, request.now))
            known.clear()
        async for page, gone in _read_folder(session, request, folder, opened, known):
            anything_gone = anything_gone or gone
            yield Page(page.records, cursor={"folders": _copied(state)}, rejected=page.rejected)
    complete = None
    if anything_gone and not lost:
        complete = sorted(
            _record_id(name, value["uidvalidity"], uid)
            for name, value in state.items()
            for uid in uids(value["known"])
        )
    yield Page(cursor={"folders": _copied(state)}, complete_ids=complete)
    if lost:
        raise AccessDenied("; ".join(lost))


async def _read_folder(
    session: Session,
    request: ReadRequest,
    folder: Folder,
    opened: Opened,
    known: dict[str, Any],
) -> AsyncIterator[tuple[Page, bool]]:
    """Yield (page, did anything vanish) and keep ``known`` true to what was yielded."""
    config = session.settings
    place = _Place(folder, opened.uidvalidity, request.now)
    have = uids(known.get("known", ""))
    first = not known
    next_uid = int(known.get("uidnext", 1))
    known |= {"uidvalidity": opened.uidvalidity}
    if first:
        # Safe at once: whatever changes from here on counts beyond it.
        known["modseq"] = opened.modseq
    since = f"SINCE {_search_day(request.now, config.months)}"

    # ``n:*`` always includes the last message, even one below n: filtered here.
    fresh = await session.search("UID", f"{next_uid}:*", *since.split())
    fresh = {uid for uid in fresh if uid >= next_uid}
    if not first:
        low = max(1, next_uid - RECHECKED)
        recent = await session.search("UID", f"{low}:{max(next_uid - 1, 1)}", *since.split())
        fresh |= recent - have
    # Mail inside the own domains never lands; its UIDs count as known all the same.
    modseq = known.get("modseq")
    changed: set[int] = set()
    gone: set[int] = set()
    if not first and have:
        present: set[int] | None = None
        if modseq is not None and opened.modseq is not None:
            qresync = session.has("QRESYNC")
            changed, gone = await session.changes(int(modseq), with_vanished=qresync)
            changed &= have
            gone &= have
            if not qresync or len(gone) > 0.2 * len(have):
                # Servers have declared everything vanished; the list of UIDs decides.
                present = await session.search("ALL")
        else:
            changed = have & set(range(max(1, next_uid - RECHECKED), next_uid))
            present = await session.search("ALL")
        if present is not None:
            gone = have - present
        have -= gone
        changed -= gone
        known["known"] = uid_set(have)

    wanted = sorted(fresh | changed)
    for start in range(0, len(wanted), config.batch):
        chunk = wanted[start : start + config.batch]
        page = await _page(session, await session.fetch(chunk), place)
        have |= set(chunk) & fresh
        known["known"] = uid_set(have)
        known["uidnext"] = max(next_uid, max((u for u in chunk if u in fresh), default=0) + 1)
        next_uid = known["uidnext"]
        yield page, bool(gone)
    known["uidnext"] = max(next_uid, opened.uidnext)
    known["known"] = uid_set(have)
    # Stored last: a counter ahead of unread changes would lose them.
    known["modseq"] = opened.modseq
    yield Page(), bool(gone)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a message was found, and when."""

    folder: Folder
    uidvalidity: str
    observed_at: datetime


async def _page(session: Session, messages: dict[int, dict[str, Token]], place: _Place) -> Page:
    payloads: dict[int, dict[str, Any]] = {}
    rejected: list[Rejected] = []
    for uid, items in sorted(messages.items()):
        identity = _record_id(place.folder.name, place.uidvalidity, uid)
        block = items.get("BODY[HEADER.FIELDS]")
        if not isinstance(block, bytes):
            rejected.append(Rejected(identity, "the server gave no headers", b""))
            continue
        payload = _payload(uid, items, block, place, session.settings)
        if payload is not None:
            payloads[uid] = payload
    if session.settings.store_bodies:
        for uid, body in (await _bodies(session, messages, list(payloads))).items():
            payloads[uid] |= body
    records = [
        Record(
            _record_id(place.folder.name, place.uidvalidity, uid),
            encode_payload(payload),
            place.observed_at,
            source_updated_at=datetime.fromisoformat(payload["internal_date"]),
        )
        for uid, payload in payloads.items()
    ]
    return Page(records, rejected=rejected)


async def _bodies(
    session: Session, messages: dict[int, dict[str, Token]], wanted: list[int]
) -> dict[int, dict[str, Any]]:
    """The text of messages, as all mail sources land it; null where none is shown."""
    found = {uid: text_part(messages[uid].get("BODYSTRUCTURE")) for uid in wanted}
    parts = {uid: part for uid, part in found.items() if part is not None}
    bodies = dict.fromkeys(wanted, shown_body(None))
    for uid, (written, is_whole) in (await session.texts(parts)).items():
        part = parts[uid]
        data = decoded_transfer(written, part.encoding)
        text = decoded_body(data, part.charset, is_cut=not is_whole)
        html = text if part.is_html else None
        bodies[uid] = shown_body(None if part.is_html else text, html, is_cut=not is_whole)
    return bodies


def _payload(
    uid: int,
    items: dict[str, Token],
    block: bytes,
    place: _Place,
    config: ImapSettings,
) -> dict[str, Any] | None:
    """The message as it lands; None for mail that stays inside the own domains."""
    headers = parse_headers(block)
    size = items.get("RFC822.SIZE")
    octets = int(size) if isinstance(size, bytes) and size.isdigit() else 0
    arrived = internal_date(items.get("INTERNALDATE")) or place.observed_at
    people = participants(headers)
    shown = envelope(headers, people, arrived=arrived, octets=octets, privacy=config)
    if shown is None:
        return None
    return {
        "folder": place.folder.name,
        "folder_attributes": sorted(place.folder.attributes),
        "uidvalidity": place.uidvalidity,
        "uid": uid,
        **shown,
        "flags": _flags(items.get("FLAGS")),
        "has_attachment": has_attachment(items.get("BODYSTRUCTURE")),
    }


def _flags(token: Token | None) -> list[str]:
    """Flags without those that only say that somebody, or this session, saw the message."""
    shown = [flag for flag in token if isinstance(flag, bytes)] if isinstance(token, list) else []
    names = {flag.decode("ascii", "replace") for flag in shown}
    return sorted(name for name in names if name.lower() not in _NOISE)


def _chosen(folders: list[Folder], config: ImapSettings) -> list[Folder]:
    """The folders to read: sent mail first, Gmail's one folder for all in place of many."""
    if config.folders:
        wanted = {name.lower() for name in config.folders}
        chosen = [folder for folder in folders if folder.name.lower() in wanted]
        missing = wanted - {folder.name.lower() for folder in chosen}
        if missing:
            names = ", ".join(folder.name for folder in folders)
            msg = f"no folder {', '.join(sorted(missing))}; the mailbox has: {names}"
            raise VendorError(msg)
        return chosen
    readable = [folder for folder in folders if not folder.attributes & SKIPPED]
    whole = [folder for folder in readable if "\\all" in folder.attributes]
    if whole:
        return whole

    def rank(folder: Folder) -> tuple[int, str]:
        marks = folder.attributes | ({"\\inbox"} if folder.name.upper() == "INBOX" else set())
        places = [place for place, mark in enumerate(_ORDER) if mark in marks]
        return (places[0] if places else len(_ORDER), folder.name)

    return sorted(readable, key=rank)


def _voided(name: str, known: dict[str, Any], now: datetime) -> list[Record]:
    """Tombstones for every known location of a folder whose UIDs became void."""
    return [
        Record(_record_id(name, known["uidvalidity"], uid), None, now, "deleted")
        for uid in sorted(uids(known.get("known", "")))
    ]


def _record_id(folder: str, uidvalidity: str, uid: int) -> str:
    return f"{folder}:{uidvalidity}:{uid}"


def _copied(state: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {name: dict(value) for name, value in state.items() if value.get("known") is not None}


def _search_day(now: datetime, months: int) -> str:
    """SINCE takes a day, in the server's zone: one day more than asked."""
    day = now.astimezone(UTC) - timedelta(days=months * 31 + 1)
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{day.day}-{names[day.month - 1]}-{day.year}"
