"""Microsoft 365 mail over Graph: who wrote to whom, when, in which thread. The text only if told.

Data flow:
    GET /users/{mailbox}/mailFolders/delta                    -> the folders to read
    GET /users/{mailbox}/mailFolders/{id}/messages/delta      -> what changed in each
    GET /users/{mailbox}/messages/{id}                        -> raw.msgraph__messages

Vendor rules and their evidence: docs/sources/msgraph.md.
"""

from connectors.base.errors import AccessDenied
from connectors.base.stream import Connector, ScopeReport, Stream
from connectors.msgraph.reader import read_messages
from connectors.msgraph.session import Session, open_tenant
from connectors.msgraph.settings import MsgraphSettings


async def check(session: Session) -> ScopeReport:
    """Ask each mailbox for its inbox."""
    closed = []
    for mailbox in session.settings.mailboxes:
        try:
            await session.found(mailbox, "/mailFolders/inbox", {"$select": "id"})
        except AccessDenied as error:
            if error.whole_source:
                raise
            closed.append(str(error))
    readable = len(session.settings.mailboxes) - len(closed)
    notes = [f"{readable} of {len(session.settings.mailboxes)} mailboxes can be read", *closed]
    needed = ("Mail.Read",) if session.settings.store_bodies else ("Mail.ReadBasic.All",)
    missing = {"messages": needed} if closed else {}
    granted = needed if readable else ()
    return ScopeReport(f"tenant {session.settings.tenant}", granted, missing, notes=tuple(notes))


CONNECTOR = Connector(
    source="msgraph",
    title="Microsoft 365 mail",
    starter=(
        'tenant = "example.com"\nclient_id = "00000000-0000-0000-0000-000000000000"\n'
        'mailboxes = ["sales@example.com"]\nown_domains = ["example.com"]\n'
        "# client_secret comes from {variable}__CLIENT_SECRET or {variable}__CLIENT_SECRET_FILE\n"
    ),
    steps=(
        "In Microsoft Entra register an application; note its client id and the tenant.",
        "Give it the application permission Mail.ReadBasic.All and no other; consent as admin.",
        "In Exchange Online scope it to the mailboxes by RBAC for Applications.",
        "Make a client secret; put it into the environment or into a private file.",
    ),
    settings=MsgraphSettings,
    streams=(
        Stream(
            "messages",
            "One record per message and mailbox: envelope, participants, thread.",
            read=read_messages,
            scopes=("Mail.ReadBasic.All",),
        ),
    ),
    open=open_tenant,
    check=check,
)
