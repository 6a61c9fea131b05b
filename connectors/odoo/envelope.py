"""What went wrong in an Odoo, from either dialect's own words.

JSON-RPC answers 200 to everything and puts the fault into ``error.data``; JSON-2 answers
with a status and the same names. ``debug`` is a traceback that can carry data: never read.
"""

import msgspec

from connectors.base.client import Response
from connectors.base.decode import partial
from connectors.base.errors import AccessDenied, BadRecord, ProtocolError, SourceError, VendorError

MESSAGE_CHARACTERS = 300
PASSING = frozenset(
    {
        *("SerializationFailure", "OperationalError", "LockNotAvailable", "DeadlockDetected"),
        *("InterfaceError", "TransactionRollbackError", "PoolError", "ConcurrencyError"),
    }
)
"""Last words of exception names after which the same call may succeed."""
ABSENT = frozenset({"UserError", "KeyError", "NotFound"})
"""Last words of exception names that name a model which no installed app brings."""


class RefusedError(VendorError):
    """The server said no: the name of its exception (e.g. odoo.exceptions.UserError)."""

    def __init__(self, what: str, name: str, said: str, *, status: int | None = None) -> None:
        super().__init__(f'{what}: {name or "refused"}, "{said[:MESSAGE_CHARACTERS]}"',
                         status=status)  # fmt: skip
        self.name = name
        self.kind = name.rpartition(".")[2]
        self.said = said

    @property
    def is_passing(self) -> bool:
        """Whether another try may succeed; a wrong database is an OperationalError, too."""
        return self.kind in PASSING and "does not exist" not in self.said

    def is_ignorance_of(self, argument: str) -> bool:
        """Whether it says that the method takes no argument of that name."""
        return "unexpected keyword argument" in self.said and f"'{argument}'" in self.said

    def is_absence_of(self, model: str) -> bool:
        """Whether it says that there is no such model; in any language it names the model."""
        return self.kind in ABSENT and model in self.said


class _Data(msgspec.Struct):
    name: str | None = None
    message: str | None = None


class _Fault(msgspec.Struct):
    code: int | str | None = None
    message: str | None = None
    data: _Data | None = None


class _Envelope(msgspec.Struct):
    result: msgspec.Raw = msgspec.Raw(b"")
    error: _Fault | None = None


class SessionOverError(SourceError):
    """The server does not know us any more: sign in again."""


def opened(response: Response, what: str) -> bytes:
    """The result of a JSON-RPC call, as the vendor's own JSON text.

    Raises:
        AccessDenied: credential or right refused.
        SessionOverError: the session expired.
        RefusedError: another exception of the server.
        ProtocolError: no such envelope.
    """
    envelope = response.decode(_Envelope)
    if envelope.error is not None:
        fault = envelope.error
        data = fault.data or _Data()
        said = data.message or fault.message or "no reason given"
        raise told(what, data.name or "", said, code=fault.code)
    result = bytes(envelope.result)
    if not result:
        raise ProtocolError(f"{what}: an answer with neither result nor error")
    return result


def told(
    what: str, name: str, said: str, *, code: object = None, status: int | None = None
) -> SourceError:
    """The error that an exception's name stands for."""
    kind = name.rpartition(".")[2]
    text = f'{what}: {name or code}, "{said[:MESSAGE_CHARACTERS]}"'
    if kind == "SessionExpiredException" or code in (100, "100"):
        return SessionOverError(text)
    if kind == "AccessDenied" or status == 401:
        return AccessDenied(
            f"{text}. Check login, database and API key; a key lives at most three months.",
            status=status,
            whole_source=True,
        )
    if kind == "AccessError" or status == 403:
        return AccessDenied(
            f"{text}. Give the user the right to read it, or drop the stream from `streams`.",
            status=status,
        )
    return RefusedError(what, name, said, status=status)


def judge(response: Response, trouble: str) -> SourceError | None:
    """A JSON-2 answer that is no result; None where the general rules shall decide."""
    if response.status in (408, 429, 502, 503, 504) or response.status < 400:
        return None
    try:
        data = partial(response.body, _Data)
    except BadRecord:
        data = _Data()
    if not data.name and response.status == 404:
        # A proxy's page, or a release without this interface: no word about a model.
        return VendorError(
            f"{trouble}. No Odoo answers there: check `base_url`, `database` and `dialect`.",
            status=404,
        )
    if not data.name and response.status not in (401, 403):
        return None
    fault = told(trouble, data.name or "", data.message or "", status=response.status)
    if isinstance(fault, RefusedError) and fault.is_passing:
        return None
    return fault
