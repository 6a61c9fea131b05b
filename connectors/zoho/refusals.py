"""What Zoho means by a refusal: its code says more than its status.

``{"code": "…", "details": {…}, "message": "…", "status": "error"}``, sometimes inside
``{"data": […]}``, and now and then under a 200 or 202.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from connectors.base.client import Response
from connectors.base.decode import decode
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ProtocolError,
    SourceError,
    VendorError,
)

CREDITS = "x-api-credits-remaining"
NO_RIGHT = frozenset(
    {
        *("NO_PERMISSION", "PERMISSION_DENIED", "AUTHORIZATION_FAILED", "ACCESS_DENIED"),
        *("NOT_AUTHORIZED", "UNAUTHORIZED"),
    }
)
NO_FEATURE = frozenset(
    {
        *("CURRENCIES_NOT_ENABLED", "FEATURE_NOT_ENABLED", "FEATURE_NOT_SUPPORTED"),
        *("FEATURE_PERMISSION", "NOT_SUPPORTED", "API_NOT_SUPPORTED", "LICENSE_LIMIT_EXCEEDED"),
    }
)
"""The plan or the settings have no such thing: nobody's right is missing."""
NO_MODULE = frozenset({"INVALID_MODULE"})
CUT_SHORT = frozenset(
    {"DISCRETE_PAGINATION_LIMIT_EXCEEDED", "PAGINATION_LIMIT_EXCEEDED", "LIMIT_EXCEEDED"}
)
"""A list that goes no further, although there is more."""
NO_SUCH_RECORD = frozenset({"INVALID_DATA", "RECORD_NOT_FOUND", "INVALID_URL_PATTERN"})


class RefusedError(VendorError):
    """The vendor said no to this request: its ``code`` and ``details``."""

    def __init__(self, message: str, code: str, details: Any, *, status: int) -> None:
        super().__init__(message, status=status)
        self.code = code
        self.details = details if isinstance(details, dict) else {}


class _Refusal(msgspec.Struct):
    code: str = ""
    message: str = ""
    status: str = ""
    details: Any = None


class _Wrapped(msgspec.Struct):
    data: list[_Refusal]


def refusal(response: Response) -> _Refusal | None:
    """What the body refuses; None where it is no refusal."""
    try:
        told = decode(response.body, _Refusal)
        if not told.code:
            told = decode(response.body, _Wrapped).data[0]
    except (ProtocolError, IndexError):
        return None
    return told if told.code and told.status == "error" else None


def is_stale(response: Response) -> bool:
    """Whether another token may help: a missing scope is missing from the next one too."""
    told = refusal(response)
    return told is None or told.code != "OAUTH_SCOPE_MISMATCH"


def judge(response: Response, trouble: str) -> SourceError | None:
    """What an answer that is no success means; None where another try may mend it."""
    told = refusal(response)
    code = told.code if told else ""
    said = f"{trouble} ({code})" if code else trouble
    if code == "OAUTH_SCOPE_MISMATCH":
        return AccessDenied(
            f"{said}. Make a refresh token that has the scope, or drop the stream from `streams`.",
            status=response.status,
        )
    if response.status == 401:
        return AccessDenied(
            f"{said}. The access token is refused; the grant may be revoked, or `data_center` "
            "is not the organisation's.",
            status=401,
            whole_source=True,
        )
    if response.status == 429:
        if response.headers.get(CREDITS, "").strip() == "0":
            return BudgetSpent(
                f"{said}. The organisation's API credits of the last 24 hours are used up; the "
                "next run goes on from the stored cursor.",
                resets_at=datetime.now(UTC) + timedelta(hours=1),
                status=429,
            )
        return None
    if code in NO_RIGHT or (response.status == 403 and code not in NO_FEATURE):
        return AccessDenied(
            f"{said}. Let the profile of the user who made the grant read it, or drop the "
            "stream from `streams`.",
            status=response.status,
        )
    if told is not None and response.status < 500:
        return RefusedError(f"{said}", code, told.details, status=response.status)
    return None


def refused_under_success(response: Response, what: str) -> SourceError | None:
    """The refusal that came under a 2xx; None where the answer is none."""
    told = refusal(response)
    if told is None:
        return None
    trouble = f'a {response.status} from {what} that refuses: "{told.message}"'
    return judge(response, trouble) or VendorError(trouble, status=response.status)
