"""What every answer comes in: ``{"success": …, "result": …}``, under a status that says little.

The open-source server answers 200 to everything; whether a call succeeded stands inside.
"""

import msgspec

from connectors.base.client import Response
from connectors.base.errors import ProtocolError, VendorError

SESSION_IS_OVER = frozenset(
    {"SESSION_EXPIRED", "SESSION_LEFT_IDLE", "INVALID_SESSIONID", "AUTHENTICATION_REQUIRED"}
)
PASSING = frozenset({"DATABASE_QUERY_ERROR", "INTERNAL_SERVER_ERROR"})
"""Codes after which the same call may succeed."""


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


def opened(response: Response, what: str) -> bytes:
    """The result of a successful call, as the vendor's own JSON text.

    Raises:
        RefusedError: ``success`` is false.
        ProtocolError: it is no such envelope, or a success without a result.
    """
    envelope = response.decode(_Envelope)
    if not envelope.success:
        error = envelope.error or _Error("UNKNOWN", "no reason given")
        raise RefusedError(what, str(error.code), error.message)
    result = bytes(envelope.result)
    if not result:
        raise ProtocolError(f"{what}: a success without a result")
    return result
