"""Gmail on loopback: mailboxes of one Workspace that enforce what Google enforces.

    with GmailServer() as server:
        server.deliver("sam@acme.test", message_id="<m1@example.com>")

Enforced: the assertion's signature, claims and scope, a token per mailbox, headers by
``format=metadata`` and name only unless the token's scope shows text, no ``q``, an empty
listing without ``messages``, history that expires (404), mailboxes that are not there.
"""

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from sandbox.exchange import Reply, Request, Router, reply_json
from sandbox.http import SandboxServer
from sandbox.letters import decoded_words, unfolded

ACCOUNT = "reader@project.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/gmail.metadata"
SCOPE_OF_TEXT = "https://www.googleapis.com/auth/gmail.readonly"
CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN = "c-1", "gmail-secret-0a1b2c3d", "gmail-refresh-0a1b2c3d"
_KEY = generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(slots=True)
class GoogleMailbox:
    """One mailbox: messages by id, oldest first, and its history as (event, message)."""

    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    forgotten: int = 0
    """History ids below are too old."""


class GmailServer(SandboxServer):
    """One Workspace on loopback."""

    def __init__(self) -> None:
        self.mailboxes: dict[str, GoogleMailbox] = {}
        self.delivered = 0
        router = Router(lambda _: _error(404, "notFound"))
        router.add("POST", "/token", self._token)
        router.get("/gmail/v1/users/{user}/profile", self._checked(self._profile))
        router.get("/gmail/v1/users/{user}/messages", self._checked(self._list))
        router.get("/gmail/v1/users/{user}/messages/{id}", self._checked(self._message))
        router.get("/gmail/v1/users/{user}/history", self._checked(self._history))
        super().__init__(router)

    @staticmethod
    def key_file() -> str:
        """The service account's key as Google hands it out."""
        pem = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return json.dumps({"client_email": ACCOUNT, "private_key": pem.decode()})

    def deliver(
        self,
        mailbox: str,
        *,
        message_id: str = "<m1@example.com>",
        labels: tuple[str, ...] = ("INBOX", "UNREAD"),
        arrived_ms: int = 1_790_845_200_000,
        headers: dict[str, str] | None = None,
        parts: list[dict[str, Any]] | None = None,
    ) -> str:
        """Put a message into a mailbox and return its id there."""
        box = self.mailboxes.setdefault(mailbox, GoogleMailbox())
        self.delivered += 1
        identity = f"18c{self.delivered:04x}"
        fields = {
            "From": "Ana <ana@example.com>",
            "To": "Sam <sam@acme.test>",
            "Subject": "Offer",
            "Message-ID": message_id,
            **(headers or {}),
            "X-Secret": "SECRET-CONTENT",
        }
        box.messages[identity] = {
            "id": identity,
            "threadId": identity,
            "labelIds": list(labels),
            "snippet": "SECRET-CONTENT",
            "sizeEstimate": 4821,
            "internalDate": str(arrived_ms),
            "payload": {
                "mimeType": "multipart/mixed",
                "headers": [{"name": name, "value": value} for name, value in fields.items()],
                "body": {"size": 0},
                "parts": parts or [],
            },
        }
        self._tell(box, "messagesAdded", identity)
        return identity

    def post(self, mailbox: str, raw: bytes, arrived: datetime, *labels: str) -> str:
        """Put a message as it was sent into a mailbox and return its id there.

        Gmail shows every header, in UTF-8; that of one in two messages is still encoded.
        """
        message = message_from_bytes(raw)
        box = self.mailboxes.setdefault(mailbox, GoogleMailbox())
        self.delivered += 1
        identity = f"18c{self.delivered:04x}"
        decoded = decoded_words if self.delivered % 2 else str
        box.messages[identity] = {
            "id": identity,
            "threadId": identity,
            "labelIds": list(labels),
            "snippet": "SECRET-CONTENT",
            "sizeEstimate": len(raw),
            "internalDate": str(int(arrived.timestamp() * 1000)),
            "payload": {
                "mimeType": message.get_content_type(),
                "headers": [
                    {"name": name, "value": decoded(unfolded(value))}
                    for name, value in message.items()
                ],
            },
        }
        self._tell(box, "messagesAdded", identity)
        return identity

    def label(self, mailbox: str, identity: str, label: str) -> None:
        """Put a label on a message."""
        box = self.mailboxes[mailbox]
        box.messages[identity]["labelIds"].append(label)
        self._tell(box, "labelsAdded", identity, label)

    def remove(self, mailbox: str, identity: str) -> None:
        """Delete a message for good."""
        box = self.mailboxes[mailbox]
        del box.messages[identity]
        self._tell(box, "messagesDeleted", identity)

    def forget(self, mailbox: str) -> None:
        """Let every history id that was given out so far be too old."""
        box = self.mailboxes[mailbox]
        box.history.append({"id": str(len(box.history) + 1)})
        box.forgotten = len(box.history)

    def _tell(self, box: GoogleMailbox, event: str, identity: str, label: str = "") -> None:
        one: dict[str, Any] = {"message": {"id": identity, "threadId": identity}}
        if label:
            one["labelIds"] = [label]
        box.history.append({"id": str(len(box.history) + 1), event: [one]})

    def _token(self, request: Request) -> Reply:
        form = request.form()
        if form.get("grant_type") == "refresh_token":
            wanted = {
                "grant_type": "refresh_token",
                "refresh_token": REFRESH_TOKEN,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
            }
            if form != wanted:
                return reply_json({"error": "invalid_grant"}, 400)
            return _granted("me@acme.test")
        head, claims, signature = form["assertion"].split(".")
        try:
            _KEY.public_key().verify(
                _bytes(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256()
            )
        except InvalidSignature:
            return reply_json({"error": "invalid_grant"}, 400)
        told = json.loads(_bytes(claims))
        right = (told["iss"], told["scope"] in {SCOPE, SCOPE_OF_TEXT}, told["aud"])
        if right != (ACCOUNT, True, f"{self.url}/token") or told["exp"] - told["iat"] > 3600:
            return reply_json({"error": "unauthorized_client"}, 401)
        if told["sub"] not in self.mailboxes:
            refusal = "Invalid email or User ID"
            return reply_json({"error": "invalid_grant", "error_description": refusal}, 400)
        return _granted(told["sub"], of_text=told["scope"] == SCOPE_OF_TEXT)

    def _checked(self, answer: Any) -> Any:
        def handle(request: Request) -> Reply:
            user = request.values["user"]
            shown = request.headers.get("authorization")
            if shown not in {f"Bearer {_token(user)}", f"Bearer {_token(user, of_text=True)}"}:
                return _error(401, "authError")
            if "q" in request.query:
                return _error(403, "forbidden")
            reply: Reply = answer(request, self.mailboxes[user])
            return reply

        return handle

    def _profile(self, _: Request, box: GoogleMailbox) -> Reply:
        return reply_json({"historyId": str(len(box.history)), "messagesTotal": len(box.messages)})

    def _list(self, request: Request, box: GoogleMailbox) -> Reply:
        label = request.param("labelIds")
        shown = [
            {"id": one["id"], "threadId": one["threadId"]}
            for one in reversed(box.messages.values())
            if label is None or label in one["labelIds"]
        ]
        return _page(request, "messages", shown, {"resultSizeEstimate": 201})

    def _history(self, request: Request, box: GoogleMailbox) -> Reply:
        start = int(request.param("startHistoryId") or "0")
        if start < box.forgotten:
            return _error(404, "notFound")
        return _page(request, "history", box.history[start:], {"historyId": str(len(box.history))})

    def _message(self, request: Request, box: GoogleMailbox) -> Reply:
        message = box.messages.get(request.values["id"])
        may_read = request.headers["authorization"].endswith("-text")
        if may_read and request.param("format") == "full":
            if "snippet" in (request.param("fields") or "snippet"):
                return _error(403, "forbidden")
            return _error(404, "notFound") if message is None else reply_json(message)
        if request.param("format") != "metadata" or "metadataHeaders" not in request.query:
            return _error(403, "forbidden")
        if message is None:
            return _error(404, "notFound")
        wanted = {name.lower() for name in request.query["metadataHeaders"]}
        payload = message["payload"]
        headers = [one for one in payload["headers"] if one["name"].lower() in wanted]
        shown = {"mimeType": payload["mimeType"], "headers": headers}
        return reply_json({**message, "payload": shown})


def _page(request: Request, name: str, rows: list[Any], more: dict[str, Any]) -> Reply:
    """A page; no key at all where there is nothing."""
    first = int(request.param("pageToken") or "0")
    last = first + int(request.param("maxResults") or "100")
    page: dict[str, Any] = {name: rows[first:last]} if rows[first:last] else {}
    if last < len(rows):
        page["nextPageToken"] = str(last)
    return reply_json({**page, **more})


def _token(mailbox: str, *, of_text: bool = False) -> str:
    return f"ya29.{mailbox}-0a1b2c3d{'-text' if of_text else ''}"


def _granted(mailbox: str, *, of_text: bool = False) -> Reply:
    token = _token(mailbox, of_text=of_text)
    return reply_json({"access_token": token, "expires_in": 3599, "token_type": "Bearer"})


def _error(status: int, reason: str) -> Reply:
    error = {"code": status, "message": f"{reason}.", "errors": [{"reason": reason}]}
    return reply_json({"error": error}, status)


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
