"""Keep secrets out of logs and error texts.

Two nets: values that we know to be secret (every credential is ``remember``-ed when
it is first held), and shapes that look like one (``Bearer …``, ``api_key=…``, a
password inside a URL, vendors' key prefixes).
"""

import re
from collections.abc import Mapping, MutableMapping
from typing import Any

from pydantic import SecretStr

MASK = "***"
# A shorter "secret" would mask ordinary words all over the log.
MINIMUM_LENGTH = 6

_known: dict[str, re.Pattern[str]] = {}

_NAMES = (
    r"access[_-]?token|refresh[_-]?token|id[_-]?token|client[_-]?secret|api[_-]?key|apikey|"
    r"x-api-key|authorization|password|passwd|pwd|secret|token|signature|sig|key|code_verifier"
)
_SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)(://[^/\s:@]*:)[^/\s@]+@"), rf"\1{MASK}@"),
    (re.compile(rf"(?i)([?&;\s](?:{_NAMES})=)[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(rf"(?i)^((?:{_NAMES})=)[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(rf"(?i)([\"'](?:{_NAMES})[\"']\s*:\s*[\"'])[^\"']+"), rf"\1{MASK}"),
    (re.compile(r"\b((?:sk|rk|pk|whsec)_(?:live_|test_)?)[A-Za-z0-9]{6,}"), rf"\1{MASK}"),
    (re.compile(r"\b(pat-(?:na|eu|ap)\d-)[0-9a-f-]{8,}"), rf"\1{MASK}"),
)
_SECRET_FIELD = re.compile(rf"(?i)^(?:{_NAMES}|headers|params|body|payload|cookies?)$")


def remember(*secrets: SecretStr | str | None) -> None:
    """Mask these values from now on, wherever they turn up in this process."""
    for secret in secrets:
        value = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
        if value and len(value) >= MINIMUM_LENGTH:
            _known[value] = re.compile("".join(map(_however_written, value)))


def _however_written(character: str) -> str:
    """A character as it is, behind backslashes (JSON, repr, IMAP), or in percent form.

    Vendors repeat what they were sent, and do so in the notation of the answer.
    """
    if character.isascii() and character.isalnum():
        return character
    forms = [rf"\\*{re.escape(character)}"]
    forms.append("".join(f"%{byte:02x}" for byte in character.encode()))
    forms.append("".join(f"%{byte:02X}" for byte in character.encode()))
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(forms)})"


def redact(text: str) -> str:
    """Return the text with every known secret and every secret-looking part masked."""
    # Longest first: a secret may contain another one.
    for value in sorted(_known, key=len, reverse=True):
        text = _known[value].sub(MASK, text)
    for shape, replacement in _SHAPES:
        text = shape.sub(replacement, text)
    return text


def _clean(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return MASK
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, bytes):
        return redact(value.decode("utf-8", "replace"))
    if isinstance(value, BaseException):
        return redact(f"{type(value).__name__}: {value}")
    if isinstance(value, Mapping):
        return {key: _field(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(item) for item in value]
    return value


def _field(name: str, value: Any) -> Any:
    return MASK if _SECRET_FIELD.match(name) else _clean(value)


def redact_event(
    _logger: Any, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Mask secrets, as a structlog processor, in every field of a log event.

    Headers, parameters and bodies never reach a log at all, whatever they hold. Place
    it last before the renderer, so that formatted tracebacks pass through it too.
    """
    for name in list(event):
        event[name] = _field(name, event[name])
    return event
