"""Any mailbox over IMAP: who wrote to whom, when, in which thread; the text only if told.

Data flow:
    LIST                      -> raw.imap__folders
    UID SEARCH, UID FETCH     -> raw.imap__messages

Read-only throughout (EXAMINE, BODY.PEEK): no flag changes, no attachments.
Rules and their evidence: docs/sources/imap.md.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from connectors.base.stream import Connector, Resources, ScopeReport, Stream
from connectors.imap.reader import read_folders, read_messages
from connectors.imap.session import Session
from connectors.imap.settings import ImapSettings
from connectors.imap.token import token_auth


@asynccontextmanager
async def open_mailbox(settings: ImapSettings, resources: Resources) -> AsyncIterator[Session]:
    """Sign in, hand out the session, sign out."""
    session = Session(settings, resources.connection, auth=token_auth(settings, resources))
    await session.connect()
    try:
        yield session
    finally:
        await session.close()


async def check(session: Session) -> ScopeReport:
    """Which folders can be read, and what the server lacks for cheap re-reads."""
    folders = await session.folders()
    notes = [f"{len(folders)} folders: {', '.join(folder.name for folder in folders[:20])}"]
    if not session.has("CONDSTORE"):
        notes.append("no CONDSTORE: changed flags are found for the newest messages only")
    if not session.has("QRESYNC"):
        notes.append("no QRESYNC: expunged messages are found by listing all UIDs")
    return ScopeReport(session.settings.username, ("read",), notes=tuple(notes))


CONNECTOR = Connector(
    source="imap",
    title="Mailbox (IMAP)",
    starter=(
        'host = "imap.example.com"\nusername = "sales@example.com"\n'
        "# password comes from {variable}__PASSWORD or {variable}__PASSWORD_FILE\n"
    ),
    steps=(
        "Make an app password for the mailbox, or a read-only account that it is shared with.",
        "Put it into the environment, or into a file that only pipeledger may read.",
    ),
    settings=ImapSettings,
    streams=(
        Stream(
            "folders",
            "Folders of the mailbox and their special uses.",
            read=read_folders,
            volatile=frozenset({"uidnext", "exists", "modseq"}),
        ),
        Stream(
            "messages",
            "One record per message and folder: envelope, participants, thread, flags.",
            read=read_messages,
        ),
    ),
    open=open_mailbox,
    check=check,
)
