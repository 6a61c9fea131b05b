"""Microsoft Graph's mail on loopback: one tenant that enforces what Graph enforces.

    with GraphServer() as server:
        server.deliver("sam@acme.test", "inbox", message_id="<m1@example.com>")

Enforced: client credentials, immutable ids asked for on every call, a
delta per folder whose parameters are frozen into its links, dead links (410), partial rows,
folders and mailboxes that are not there or closed.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.utils import getaddresses, parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from sandbox.exchange import Reply, Request, Router, reply_json
from sandbox.http import SandboxServer
from sandbox.letters import decoded_words, unfolded

TENANT, CLIENT_ID, CLIENT_SECRET = "acme", "app-1", "graph-secret-0a1b2c3d"
REFRESH_TOKEN = "graph-refresh-0a1b2c3d"  # noqa: S105 - of a fictional person
PERSONS_SCOPE = "https://graph.microsoft.com/Mail.ReadBasic offline_access"
WELL_KNOWN = ("inbox", "sentitems", "archive", "drafts", "deleteditems", "junkemail", "outbox")


@dataclass(slots=True)
class GraphMailbox:
    """One mailbox: messages by id, and what happened in each folder, in order."""

    folders: dict[str, str] = field(default_factory=lambda: {f"F-{n}": n for n in WELL_KNOWN})
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    log: list[tuple[str, str, str]] = field(default_factory=list)
    """(folder id, message id, shown | patched | removed)"""
    is_closed: bool = False


class GraphServer(SandboxServer):
    """One tenant on loopback."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, GraphMailbox] = {}
        self.generation = 1
        self.tokens = 0
        self.link_host: str | None = None
        """Where the links of answers lead, in place of this server."""
        self.refresh_tokens = {REFRESH_TOKEN}
        self.may_read_text = False
        """Whether the application has Mail.Read, and not Mail.ReadBasic.All alone."""
        self.is_rotation_strict = False
        """Microsoft takes an old refresh token again; a conditional access policy may not."""
        router = Router(lambda _: _error(404, "ResourceNotFound"))
        router.add("POST", f"/{TENANT}/oauth2/v2.0/token", self._token)
        router.get("/v1.0/users/{user}/mailFolders/delta", self._checked(self._folders))
        router.get("/v1.0/users/{user}/mailFolders/{folder}", self._checked(self._folder))
        router.get(
            "/v1.0/users/{user}/mailFolders/{folder}/messages/delta", self._checked(self._delta)
        )
        router.get("/v1.0/users/{user}/messages/{id}", self._checked(self._message))
        super().__init__(router)

    def deliver(
        self,
        mailbox: str,
        folder: str = "inbox",
        *,
        message_id: str | None = "<m1@example.com>",
        sender: str = "ana@example.com",
        to: str = "sam@acme.test",
        received: str = "2026-10-01T09:00:00Z",
        headers: dict[str, str] | None = None,
        subject: str = "Offer",
        html: str = "SECRET-CONTENT",
        text: str | None = None,
    ) -> str:
        """Put a message into a folder and return its immutable id."""
        box = self.mailboxes.setdefault(mailbox, GraphMailbox())
        identity = f"AAkA{len(box.log)}"
        box.messages[identity] = {
            "id": identity,
            "internetMessageId": message_id,
            "conversationId": f"conversation-{subject}",
            "subject": subject,
            "from": _person(sender),
            "sender": _person(sender),
            "toRecipients": [_person(to)],
            "ccRecipients": [],
            "bccRecipients": [],
            "replyTo": [],
            "sentDateTime": received,
            "receivedDateTime": received,
            "lastModifiedDateTime": received,
            "isDraft": False,
            "hasAttachments": False,
            "importance": "normal",
            "flag": {"flagStatus": "notFlagged"},
            "parentFolderId": f"F-{folder}",
            "internetMessageHeaders": [
                {"name": name, "value": value} for name, value in (headers or {}).items()
            ],
            "body": {"contentType": "html", "content": html},
        }
        if text is not None:
            box.messages[identity]["text_body"] = {"contentType": "text", "content": text}
        box.log.append((f"F-{folder}", identity, "shown"))
        return identity

    def post(self, mailbox: str, raw: bytes, received: datetime, folder: str) -> str:
        """Put a message as it was sent into a folder and return its immutable id."""
        message = message_from_bytes(raw)
        people = {
            role: [
                _shown(name, address)
                for name, address in getaddresses(
                    [unfolded(one) for one in message.get_all(role, [])]
                )
                if "@" in address
            ]
            for role in ("From", "Sender", "To", "Cc", "Bcc", "Reply-To")
        }
        parts = [part for part in message.walk() if part.get_content_disposition() == "attachment"]
        identity = self.deliver(
            mailbox, folder, message_id=message["Message-ID"], received=_instant(received)
        )
        self.mailboxes[mailbox].messages[identity] |= {
            "subject": decoded_words(unfolded(message["Subject"] or "")),
            "from": next(iter(people["From"]), None),
            "sender": next(iter(people["Sender"] or people["From"]), None),
            "toRecipients": people["To"],
            "ccRecipients": people["Cc"],
            "bccRecipients": people["Bcc"],
            "replyTo": people["Reply-To"],
            "sentDateTime": _instant(_sent(message["Date"]) or received),
            "hasAttachments": bool(parts),
            "conversationId": f"conversation-{decoded_words(unfolded(message['Subject'] or ''))}",
            "internetMessageHeaders": [
                {"name": name, "value": unfolded(value)} for name, value in message.items()
            ],
        }
        return identity

    def move(self, mailbox: str, identity: str, folder: str) -> None:
        """Move a message; its id stays, both folders tell of it."""
        box = self.mailboxes[mailbox]
        message = box.messages[identity]
        box.log.append((message["parentFolderId"], identity, "removed"))
        message["parentFolderId"] = f"F-{folder}"
        box.log.append((f"F-{folder}", identity, "shown"))

    def remove(self, mailbox: str, identity: str) -> None:
        """Delete a message for good."""
        box = self.mailboxes[mailbox]
        message = box.messages.pop(identity)
        box.log.append((message["parentFolderId"], identity, "removed"))

    def flag(self, mailbox: str, identity: str) -> None:
        """Flag a message; the delta shows the change alone."""
        box = self.mailboxes[mailbox]
        box.messages[identity]["flag"] = {"flagStatus": "flagged"}
        box.log.append((box.messages[identity]["parentFolderId"], identity, "patched"))

    def expire_links(self) -> None:
        """Let every link that was given out answer 410 from now on."""
        self.generation += 1

    def _token(self, request: Request) -> Reply:
        if request.form().get("grant_type") == "refresh_token":
            return self._persons_token(request)
        wanted = {
            "grant_type": "client_credentials",
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "scope": "https://graph.microsoft.com/.default",
        }
        if request.form() != wanted:
            refusal = "AADSTS7000215: Invalid client secret provided."
            return reply_json({"error": "invalid_client", "error_description": refusal}, 401)
        self.tokens += 1
        granted = {"token_type": "Bearer", "expires_in": 3599, "access_token": self._current()}
        return reply_json(granted)

    def _persons_token(self, request: Request) -> Reply:
        """A person's sign-in; every answer brings another refresh token."""
        form = request.form()
        right = (CLIENT_ID, CLIENT_SECRET, PERSONS_SCOPE)
        if (form.get("client_id"), form.get("client_secret"), form.get("scope")) != right:
            return reply_json({"error": "invalid_client"}, 401)
        if form["refresh_token"] not in self.refresh_tokens:
            refusal = "AADSTS700082: The refresh token has expired due to inactivity."
            return reply_json({"error": "invalid_grant", "error_description": refusal}, 400)
        self.tokens += 1
        rotated = f"{REFRESH_TOKEN}-{self.tokens}"
        if self.is_rotation_strict:
            self.refresh_tokens.clear()
        self.refresh_tokens.add(rotated)
        granted = {"token_type": "Bearer", "expires_in": 3599, "access_token": self._current()}
        return reply_json({**granted, "refresh_token": rotated})

    def _current(self) -> str:
        return f"graph-token-{self.tokens}-0a1b2c3d"

    def _checked(self, answer: Any) -> Any:
        def handle(request: Request) -> Reply:
            if request.headers.get("authorization") != f"Bearer {self._current()}":
                return _error(401, "InvalidAuthenticationToken")
            if 'IdType="ImmutableId"' not in request.headers.get("prefer", ""):
                return _error(400, "BadRequest")
            box = self.mailboxes.get(request.values["user"])
            if box is None:
                return _error(404, "MailboxNotEnabledForRESTAPI")
            if box.is_closed:
                return _error(403, "ErrorAccessDenied")
            reply: Reply = answer(request, box)
            return reply

        return handle

    def _folders(self, _: Request, box: GraphMailbox) -> Reply:
        shown = [{"id": one, "displayName": name.title()} for one, name in box.folders.items()]
        link = f"{self.link_host or self.url}/v1.0/unused"
        return reply_json({"value": shown, "@odata.deltaLink": link})

    def _folder(self, request: Request, box: GraphMailbox) -> Reply:
        identity = f"F-{request.values['folder']}"
        if identity not in box.folders:
            return _error(404, "ErrorItemNotFound")
        return reply_json({"id": identity})

    def _delta(self, request: Request, box: GraphMailbox) -> Reply:
        folder = request.values["folder"]
        if folder not in box.folders:
            return _error(404, "ErrorFolderNotFound")
        token = request.param("$deltatoken") or request.param("$skiptoken")
        if token is None:
            start, select = 0, request.param("$select") or ""
        else:
            if set(request.query) - {"$deltatoken", "$skiptoken"}:
                return _error(400, "BadRequest")
            generation, begins, select = token.split("~")
            if int(generation) != self.generation:
                return _error(410, "SyncStateNotFound")
            start = int(begins)
        if "body" in select or not select:
            return _error(403, "ErrorAccessDenied")
        size = int(request.headers["prefer"].rpartition("maxpagesize=")[2])
        is_first = token is None
        rows = []
        for place in range(start, len(box.log)):
            where, identity, kind = box.log[place]
            start = place + 1
            if where == folder and not (is_first and identity not in box.messages):
                rows.append(self._row(box, folder, identity, kind, select))
            if len(rows) == size:
                break
        is_last = start >= len(box.log)
        name, parameter = ("delta", "$deltatoken") if is_last else ("next", "$skiptoken")
        token = quote(f"{self.generation}~{start}~{select}", safe="")
        host = self.link_host or self.url
        path = quote(request.path, safe="/@")
        return reply_json(
            {"value": rows, f"@odata.{name}Link": f"{host}{path}?{parameter}={token}"}
        )

    def _row(
        self, box: GraphMailbox, folder: str, identity: str, kind: str, select: str
    ) -> dict[str, Any]:
        message = box.messages.get(identity)
        if message is None or message["parentFolderId"] != folder or kind == "removed":
            return {"id": identity, "@removed": {"reason": "deleted"}}
        if kind == "patched":
            return {"id": identity, "flag": message["flag"], "parentFolderId": folder}
        wanted = set(select.split(",")) - {"internetMessageHeaders"}
        return {name: value for name, value in message.items() if name in wanted}

    def _message(self, request: Request, box: GraphMailbox) -> Reply:
        message = box.messages.get(request.values["id"])
        if message is None:
            return _error(404, "ErrorItemNotFound")
        wanted = set((request.param("$select") or "body").split(","))
        if "body" in wanted and not self.may_read_text:
            return _error(403, "ErrorAccessDenied")
        shown = {name: value for name, value in message.items() if name in wanted}
        if "body" in shown and 'outlook.body-content-type="text"' in request.headers["prefer"]:
            shown["body"] = {**shown["body"], **message.get("text_body", {})}
        return reply_json(shown)


def _person(address: str) -> dict[str, Any]:
    return {"emailAddress": {"name": address.partition("@")[0].title(), "address": address}}


def _shown(name: str, address: str) -> dict[str, Any]:
    """A person as Graph shows one: the address stands in for a name that nobody gave."""
    return {"emailAddress": {"name": decoded_words(name) or address, "address": address}}


def _sent(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _error(status: int, code: str) -> Reply:
    body = {"error": {"code": code, "message": f"{code}.", "innerError": {"request-id": "r-1"}}}
    return reply_json(body, status)
