"""Rooms of Slack and Teams and plain webhooks, through apprise; the address stays a secret."""

import logging
from urllib.parse import quote, urlsplit

from connectors.base.redact import redact, remember
from pipeledger.alerts.mail import DeliveryError
from pipeledger.alerts.wording import disarmed
from pipeledger.settings.alerts import Webhook

_SCHEMAS = {"slack": "slack", "teams": "workflow", "webhook": "json"}
# No redirect: an answer must not choose where deals go. Seconds to connect and to read.
_LIMITS = "redirect=no&cto=10&rto=30"


def post(name: str, hook: Webhook, title: str, text: str, message_id: str) -> None:
    """Post a text to a room.

    Raises:
        DeliveryError: the address is not of its kind, or the room did not take the text.
    """
    import apprise

    address = hook.url.get_secret_value()
    # Parts of it stand in the library's texts, and each of them may be the secret.
    _remember_parts(address)
    for library in ("apprise", "urllib3.connectionpool"):
        logging.getLogger(library).addFilter(_masked)  # the same one is added once
    asset = apprise.AppriseAsset(
        async_mode=False, http_redirects=False, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    plugin = apprise.Apprise.instantiate(
        _library_address(hook, message_id), asset=asset, suppress_exceptions=True
    )
    if plugin is None or _SCHEMAS[hook.kind] not in _protocols(plugin):
        raise DeliveryError(
            f"alerts.webhooks.{name}: the address is none of {hook.kind}. Copy it anew"
        )
    is_markdown = hook.kind == "teams"
    caller = apprise.Apprise(asset=asset)
    caller.add(plugin)
    told = caller.notify(
        title=title,
        body=disarmed(text).replace("\n", "\n\n") if is_markdown else text,
        body_format=apprise.NotifyFormat.MARKDOWN if is_markdown else apprise.NotifyFormat.TEXT,
    )
    if not told:
        said = "; ".join(str(entry.message) for entry in told.logs()) or "no answer"
        raise DeliveryError(f"alerts.webhooks.{name}: not taken: {redact(said)}")


def _masked(record: logging.LogRecord) -> bool:
    """Let a line of the libraries pass, with addresses masked."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def _remember_parts(address: str) -> None:
    """Path, query and every part that looks like a token; "services" is an ordinary word."""
    parts = urlsplit(address)
    pieces = parts.path.split("/")
    tokens = [part for part in pieces if len(part) >= 16 or any(map(str.isdigit, part))]
    remember(parts.path, parts.query, *tokens)


def _library_address(hook: Webhook, message_id: str) -> str:
    """Slack's and Teams' addresses as they are; a plain one as the library's JSON service."""
    address = hook.url.get_secret_value()
    if hook.kind != "webhook":
        return address
    parts = urlsplit(address)
    schema = "jsons" if parts.scheme == "https" else "json"
    # A "-" before a name makes it a parameter of the address, a ":" a field of the body.
    query = "".join(f"&-{pair}" for pair in parts.query.split("&") if pair)
    return (
        f"{schema}://{parts.netloc}{parts.path}?{_LIMITS}&:id={quote(message_id, safe='')}{query}"
    )


def _protocols(plugin: object) -> set[str]:
    found: set[str] = set()
    for kind in ("protocol", "secure_protocol"):
        value = getattr(plugin, kind, None) or ()
        found.update({value} if isinstance(value, str) else value)
    return found
