"""Gmail: who wrote to whom, when, in which thread; the text only if told.

Data flow:
    GET users/{mailbox}/messages         -> all ids, on the first load and after a gap
    GET users/{mailbox}/history          -> what happened since
    GET users/{mailbox}/messages/{id}    -> raw.gmail__messages, format=metadata, or full

Vendor rules and their evidence: docs/sources/gmail.md.
"""

from connectors.base.errors import AccessDenied
from connectors.base.stream import Connector, ScopeReport, Stream
from connectors.gmail.reader import read_messages
from connectors.gmail.session import Session, open_session
from connectors.gmail.settings import GmailSettings
from connectors.gmail.signin import SCOPE, needed_scope


async def check(session: Session) -> ScopeReport:
    """Ask each mailbox for its profile."""
    closed = []
    for address in session.settings.mailboxes:
        try:
            await (await session.mailbox(address)).history_id()
        except AccessDenied as error:
            closed.append(f"{address}: {error}")
    readable = len(session.settings.mailboxes) - len(closed)
    notes = [f"{readable} of {len(session.settings.mailboxes)} mailboxes can be read", *closed]
    scope = needed_scope(session.settings)
    missing = {"messages": (scope,)} if closed else {}
    granted = (scope,) if readable else ()
    account = ", ".join(session.settings.mailboxes)
    return ScopeReport(account, granted, missing, notes=tuple(notes))


CONNECTOR = Connector(
    source="gmail",
    title="Gmail",
    starter=(
        'mailboxes = ["sales@example.com"]\nown_domains = ["example.com"]\n'
        "# service_account comes from {variable}__SERVICE_ACCOUNT\n"
        "# or {variable}__SERVICE_ACCOUNT_FILE, the JSON key as Google gives it\n"
    ),
    steps=(
        "In a Google Cloud project switch on the Gmail API and make a service account.",
        "In the Workspace's admin console delegate to its client id the scope gmail.metadata.",
        "Make a JSON key; name its file, which only pipeledger may read, as said below.",
    ),
    settings=GmailSettings,
    streams=(
        Stream(
            "messages",
            "One record per message and mailbox: envelope, participants, thread, labels.",
            read=read_messages,
            scopes=(SCOPE,),
        ),
    ),
    open=open_session,
    check=check,
)
