"""An answer of a vendor: what it holds, whether it is what was due, when to ask again."""

import email.utils
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from connectors.base.decode import decode, strict_loads
from connectors.base.errors import ProtocolError
from connectors.base.transport import Transient

T = TypeVar("T")

_REQUEST_ID = (
    *("x-hubspot-correlation-id", "request-id", "x-request-id", "intuit_tid"),
    "cf-ray",
)
_MESSAGE = re.compile(rb'"(?i:message|error_description|error|detail)"\s*:\s*"((?:[^"\\]|\\.)*)"')
MESSAGE_CHARACTERS = 300
_EMPTY_IS_RIGHT = frozenset({204, 304})
_LONGEST_TOLD_SECONDS = 31 * 86_400.0
"""No allowance lasts longer; an absurd Retry-After must not overflow a date."""


class Garbled(Transient):
    """The answer arrived, but half of it or something else in its place; asked for again."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with a status that the caller accepts; ``observed_at`` is when it arrived.

    ``url`` is the address that answered, after redirects; header names are lower case.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    observed_at: datetime
    url: str = ""

    def json(self) -> Any:
        """The body as Python values, decimals exact; ProtocolError if it is no JSON."""
        return strict_loads(self.body)

    def decode(self, shape: type[T]) -> T:
        """The body as a msgspec Struct, ``msgspec.Raw`` fields left as the vendor's bytes.

        Raises:
            ProtocolError: required fields are missing, as in an error under a 200.
        """
        return decode(self.body, shape)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that Retry-After asks for; None where it says nothing readable.

    A date counts from the answer's own Date header, so that a clock that is off does not
    matter, else from ``now``. Negative or past means at once; at most 31 days.
    """
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        until = _http_date(text)
        if until is None:
            return None
        seconds = (until - (_http_date(headers.get("date", "")) or now)).total_seconds()
    if math.isnan(seconds):
        return None
    return min(max(0.0, seconds), _LONGEST_TOLD_SECONDS)


def _http_date(text: str) -> datetime | None:
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def described(what: str, response: Response) -> str:
    """A refusal in one line: its status, the vendor's own words, the request's number."""
    found = _MESSAGE.search(response.body[:10_000])
    said = found.group(1).decode("utf-8", "replace")[:MESSAGE_CHARACTERS] if found else ""
    request_id = next((response.headers[one] for one in _REQUEST_ID if one in response.headers), "")
    quoted = f', "{said}"' if said else ""
    named = f" (request {request_id})" if request_id else ""
    return f"{response.status} from {what}{quoted}{named}"


def must_be_table(response: Response) -> None:
    """Refuse what is no table of comma-separated values.

    Raises:
        ProtocolError: the answer says that it is something else.
    """
    kind = response.headers.get("content-type", "")
    if "csv" not in kind and response.status not in _EMPTY_IS_RIGHT:
        raise ProtocolError(
            f"a {response.status} with {kind or 'no content type'} where a table was due. "
            "Something between us and the vendor answered."
        )


def must_be_json(response: Response) -> None:
    """Refuse what a proxy, a login wall or a broken connection puts in an answer's place.

    Raises:
        ProtocolError: the answer says that it is something else, or says nothing at all.
        Garbled: it is JSON cut short.
    """
    if response.status in _EMPTY_IS_RIGHT:
        return
    kind = response.headers.get("content-type", "")
    body = response.body.strip().removeprefix(b"\xef\xbb\xbf")
    if "json" not in kind or body[:1] not in {b"{", b"["}:
        raise ProtocolError(
            f"a {response.status} with {kind or 'no content type'} where JSON was due, "
            f"beginning {bytes(body[:40])!r}. Something between us and the vendor answered."
        )
    if body == b"{}":
        raise ProtocolError(f"a {response.status} that says nothing: {{}}")
    try:
        decode(body, msgspec.Raw)
    except ProtocolError as fault:
        if "truncated" in str(fault) or "end of" in str(fault):
            raise Garbled("the JSON of the answer ends too early") from None
        raise
