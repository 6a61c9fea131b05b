"""What every answer comes in: ``{"success": …, "result": …}``, under a status that says little.

The open-source server answers 200 to everything; whether a call succeeded stands inside.
Where PHP shows its warnings, they stand before the envelope.
"""

import re
from dataclasses import replace

import msgspec

from connectors.base.answer import Garbled, must_be_json
from connectors.base.client import Response
from connectors.base.decode import decode
from connectors.base.errors import ProtocolError, VendorError

SESSION_IS_OVER = frozenset(
    {"SESSION_EXPIRED", "SESSION_LEFT_IDLE", "INVALID_SESSIONID", "AUTHENTICATION_REQUIRED"}
)
PASSING = frozenset({"DATABASE_QUERY_ERROR", "INTERNAL_SERVER_ERROR"})
"""Codes after which the same call may succeed."""
_WARNING = re.compile(
    rb"(?:\xef\xbb\xbf|\s|<br ?/?>)*(?:<b>)?(?:PHP )?(?:Warning|Notice|Deprecated)(?:</b>)?: "
)
_FATAL = re.compile(rb"(?:<b>)?(?:PHP )?Fatal error(?:</b>)?: ")
"""PHP says it under a 200 where it shows its errors, under a 500 where it hides them."""
_BEGINNING = b'{"success":'


class _Error(msgspec.Struct):
    code: str | int = ""
    message: str = ""


class _Envelope(msgspec.Struct):
    success: bool
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Error | None = None


class RefusedError(VendorError):
    """The server said no: its code (e.g. ACCESS_DENIED) and its own words."""

    def __init__(self, what: str, code: str, said: str) -> None:
        super().__init__(f'{what}: {code}, "{said}"')
        self.code = code
        self.said = said


def without_warnings(body: bytes) -> bytes:
    """What an answer says behind the warnings of PHP; all of it where none stand before it."""
    at = body.find(_BEGINNING)
    return body[at:] if at > 0 and _WARNING.match(body) else body


def must_be_envelope(response: Response) -> None:
    """Refuse what is no answer of the web service.

    Raises:
        Garbled: nothing, half an envelope or a page; a web server in trouble shows them, so
            it is asked again.
        ProtocolError: PHP cannot run this call at all.
    """
    body = without_warnings(response.body)
    headers = response.headers
    if body is not response.body:
        # PHP has sent its own content type before the service could send one.
        headers = {**headers, "content-type": "application/json"}
    try:
        must_be_json(replace(response, headers=headers, body=body))
    except ProtocolError as fault:
        if response.status == 500 or _FATAL.search(response.body[:10_000]):
            raise
        raise Garbled(str(fault)) from None


def opened(response: Response, what: str) -> bytes:
    """The result of a successful call, as the vendor's own JSON text.

    Raises:
        RefusedError: ``success`` is false.
        ProtocolError: it is no such envelope, or a success without a result.
    """
    envelope = decode(without_warnings(response.body), _Envelope)
    if not envelope.success:
        error = envelope.error or _Error("UNKNOWN", "no reason given")
        raise RefusedError(what, str(error.code), error.message)
    result = bytes(envelope.result)
    if not result:
        raise ProtocolError(f"{what}: a success without a result")
    return result
