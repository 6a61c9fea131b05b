"""What QuickBooks means by a refusal: three shapes of one fault, and what each code asks for.

Business faults say ``Fault``/``Error``, refused tokens ``fault``/``error``, gateways XML.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.base.client import Response
from connectors.base.decode import strict_loads
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ProtocolError,
    SourceError,
    VendorError,
)

THROTTLED = "3001"
THROTTLE_SECONDS = 60.0
"""What Intuit asks for after a 429, which carries no Retry-After."""
LONG_THROTTLE_SECONDS = 3600.0
TRIES_OF_A_THROTTLE = 3
"""A refusal that outlives them is the month's allowance, not the minute's."""
SUSPENDED = frozenset({"6190", *(str(code) for code in range(6540, 6560))})
WRONG_WORLD = frozenset({"3100", "3201", "003100", "003201"})
TEXT_CHARACTERS = 300

_XML_ERROR = re.compile(rb'<Error\b[^>]*\bcode="(\w+)"')
_XML_TYPE = re.compile(rb'<Fault\b[^>]*\btype="(\w+)"')
_XML_TEXT = re.compile(rb"<(Message|Detail)>([^<]*)<")


@dataclass(frozen=True, slots=True)
class Told:
    """One fault: its code, its type in capitals, and the vendor's words."""

    code: str
    type: str
    text: str

    @property
    def is_throttle(self) -> bool:
        """Whether it is a limit and no refusal, whatever the status."""
        return self.code.lstrip("0") == THROTTLED or "ThrottleExceeded" in self.text

    @property
    def is_access(self) -> bool:
        """Whether the credential is what was refused."""
        return self.type.startswith("AUTHENTICATION")

    def __str__(self) -> str:
        """Code and words, as messages quote them."""
        return f'fault {self.code or "without code"}, "{self.text}"'


def told(body: bytes) -> Told | None:
    """The fault in an answer; None where there is none."""
    if body.lstrip()[:1] == b"<":
        return _from_xml(body)
    try:
        content = strict_loads(body)
    except ProtocolError:
        return None
    return fault_in(content) if isinstance(content, dict) else None


def fault_in(content: Mapping[str, Any]) -> Told | None:
    """The fault in a JSON object, under either spelling."""
    fault = content.get("Fault") or content.get("fault")
    if not isinstance(fault, dict):
        return None
    errors = fault.get("Error") or fault.get("error") or [{}]
    first = errors[0] if isinstance(errors, list) and isinstance(errors[0], dict) else {}
    message = first.get("Message") or first.get("message") or ""
    detail = first.get("Detail") or first.get("detail") or ""
    text = ": ".join(str(part) for part in (message, detail) if part)
    kind = str(fault.get("type") or "").upper()
    return Told(str(first.get("code") or ""), kind, text[:TEXT_CHARACTERS])


def _from_xml(body: bytes) -> Told | None:
    code = _XML_ERROR.search(body)
    kind = _XML_TYPE.search(body)
    if code is None and kind is None:
        return None
    text = b": ".join(found.group(2) for found in _XML_TEXT.finditer(body))
    return Told(
        "" if code is None else code.group(1).decode(),
        "" if kind is None else kind.group(1).decode().upper(),
        text.decode("utf-8", "replace")[:TEXT_CHARACTERS],
    )


def judge(response: Response, trouble: str) -> SourceError | None:
    """What a status means, where it differs from what others mean by it."""
    fault = told(response.body)
    if response.status == 404 and (fault is None or fault.code != "610"):
        return VendorError(f"{trouble}. Check `realm_id` and `base_url`.", status=404)
    if fault is None or response.status == 429 or response.status >= 500:
        return None  # tried again
    return refusal(fault, trouble, response.status)


def refusal(fault: Told, trouble: str, status: int) -> SourceError:
    """The error that a fault is, under whatever status it came."""
    said = f"{trouble}: {fault}"
    if fault.is_throttle:
        return BudgetSpent(
            f"{said}. The next run goes on from the stored cursor.",
            resets_at=datetime.now(UTC) + timedelta(seconds=THROTTLE_SECONDS),
            status=status,
        )
    if fault.code in SUSPENDED:
        mend = "The company's subscription has ended or is suspended."
    elif fault.code in WRONG_WORLD:
        mend = (
            "The app is not allowed for this company, lacks the scope "
            "com.intuit.quickbooks.accounting, or a development key met the production host "
            "(or the other way round). Check `realm_id` and `base_url`, then sign in again."
        )
    elif fault.is_access or status == 401:
        mend = "Sign in again and store the new refresh token."
    elif status == 403:
        return AccessDenied(f"{said}. Grant the right, or drop the stream.", status=403)
    else:
        return VendorError(said, status=status)
    return AccessDenied(f"{said}. {mend}", status=status, whole_source=True)


def pause(response: Response, attempt: int) -> float | None:
    """Seconds to wait after a throttle; None for the general rhythm."""
    if response.status != 429:
        return None
    return THROTTLE_SECONDS if attempt <= TRIES_OF_A_THROTTLE else LONG_THROTTLE_SECONDS
