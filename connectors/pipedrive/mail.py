"""Mail threads of the signed-in user and their messages, without any text of theirs.

v1 shows a user's own mailbox; other people's mail is seen by no credential but their own.
Snippets, bodies and the signed addresses of bodies are left out.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import msgspec

from connectors.base.decode import decode, partial
from connectors.base.errors import BadRecord, SourceError
from connectors.base.stream import Page, ReadRequest, Record, Rejected
from connectors.base.window import cursor_instant, instant_text
from connectors.pipedrive.kinds import V1_LIST_COST
from connectors.pipedrive.session import Session, instant

FOLDERS = ("inbox", "sent", "archive")
TEXTS = frozenset({"snippet", "body", "body_url", "snippet_draft", "snippet_sent"})
LOOKBACK = timedelta(hours=1)
THREADS_AT_ONCE = 20


class _Head(msgspec.Struct):
    id: int | str
    update_time: str | None = None
    deleted_flag: bool | int | None = None


async def read_mail_threads(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Threads of all folders; the messages of those that changed.

    The folders have an order of their own and no resume point. A first load that is cut
    short (a thread costs a call) passes by the threads that have landed since it began.
    """
    cursor = {} if request.full else dict(request.cursor or {})
    since = cursor_instant(cursor, "since", request.now)
    began = cursor_instant(cursor, "began", request.now)
    landed: frozenset[str] = frozenset()
    if since is None and began is not None:
        landed = frozenset(await asyncio.to_thread(request.live_ids))
    elif since is None:
        cursor = {"began": instant_text(request.now)}
        yield Page(cursor=dict(cursor))

    def is_due(record: Record) -> bool:
        bound = began if since is None and record.record_id in landed else since
        moment = record.source_updated_at
        return bound is None or moment is None or moment >= bound - LOOKBACK

    reached = since
    for folder in FOLDERS:
        path = "/v1/mailbox/mailThreads"
        async for listed in session.offset_pages(path, {"folder": folder}, cost=V1_LIST_COST):
            records, rejected = _records(listed.rows, listed.observed_at)
            yield Page(rejected=rejected)
            for start in range(0, len(records), THREADS_AT_ONCE):
                part = records[start : start + THREADS_AT_ONCE]
                messages: list[Record] = []
                for record in filter(is_due, part):
                    messages += await _messages(session, record.record_id)
                moments = [one.source_updated_at for one in part if one.source_updated_at]
                reached = max([*moments, *([reached] if reached else [])], default=None)
                yield Page(part, children={"mail_messages": messages})
    if reached is not None:
        cursor = {"since": instant_text(min(reached, request.now))}
    yield Page(cursor=cursor)


async def _messages(session: Session, thread_id: str) -> list[Record]:
    found: list[Record] = []
    path = f"/v1/mailbox/mailThreads/{thread_id}/mailMessages"
    try:
        async for listed in session.offset_pages(path, {}, cost=V1_LIST_COST, is_paged=False):
            found += _records(listed.rows, listed.observed_at)[0]
    except SourceError as fault:
        if fault.status not in {404, 410}:
            raise  # a thread that was deleted meanwhile is no fault
    return found


def _records(
    rows: Sequence[msgspec.Raw], observed_at: datetime
) -> tuple[list[Record], list[Rejected]]:
    records: list[Record] = []
    rejected: list[Rejected] = []
    for row in rows:
        raw = bytes(row)
        try:
            head = partial(raw, _Head)
        except BadRecord as fault:
            rejected.append(Rejected(None, fault.reason, raw))
            continue
        fields = decode(raw, dict[str, msgspec.Raw])
        text = msgspec.json.encode({key: one for key, one in fields.items() if key not in TEXTS})
        records.append(
            Record(
                str(head.id),
                text,
                observed_at,
                "deleted" if head.deleted_flag else "upsert",
                instant(head.update_time),
            )
        )
    return records, rejected
