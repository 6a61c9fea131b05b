"""Opening an org: its allowances, and what its refusals mean."""

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec

from connectors.base.budget import Budget, Limit, Observed
from connectors.base.client import Client, ClientSettings, Response
from connectors.base.decode import decode
from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    CursorExpired,
    ProtocolError,
    SourceError,
    VendorError,
)
from connectors.base.stream import Resources
from connectors.salesforce.session import Session
from connectors.salesforce.settings import SalesforceSettings
from connectors.salesforce.signin import signed_in

# Not anchored at its end: an app with an allowance of its own adds that behind it.
_USAGE = re.compile(r"api-usage=(\d+)/(\d+)")
SHARE_WAIT = timedelta(hours=1)
"""The allowance is of the last 24 hours, so that some of it returns within the hour."""
CLOSED = frozenset(
    {
        *("INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "FUNCTIONALITY_NOT_ENABLED"),
        *("API_CURRENTLY_DISABLED", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
    }
)
WHOLE = frozenset(
    {"API_DISABLED_FOR_ORG", "INVALID_SESSION_ID", "ORG_LOCKED", "INVALID_AUTH_HEADER"}
)
AGAIN = frozenset({"UNKNOWN_EXCEPTION", "SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW"})
SLOW = frozenset({"QUERY_TIMEOUT", "OPERATION_TOO_LARGE"})


class TooSlowError(VendorError):
    """The query took the org too long, and would again; half of it may not."""


class _Fault(msgspec.Struct):
    errorCode: str = ""  # noqa: N815 - the vendor's spelling
    message: str = ""


def faults(response: Response) -> list[_Fault]:
    """The faults of a refusal, which is a list; none where it is something else."""
    try:
        return decode(response.body, list[_Fault])
    except ProtocolError:
        return []


def judge(response: Response, trouble: str) -> SourceError | None:
    """What Salesforce means by its own error codes."""
    codes = {fault.errorCode for fault in faults(response)}
    said = " ".join(fault.message for fault in faults(response))
    told = f"{trouble} ({', '.join(sorted(codes))})" if codes else trouble
    if "REQUEST_LIMIT_EXCEEDED" in codes and "Concurrent" not in said:
        return BudgetSpent(
            f"{told}. The org's requests of the last 24 hours are used up; the next run goes "
            "on from the stored cursor.",
            resets_at=datetime.now(UTC) + SHARE_WAIT,
            status=response.status,
        )
    if codes & SLOW:
        return TooSlowError(told, status=response.status)
    if "INVALID_QUERY_LOCATOR" in codes:
        return CursorExpired(told, status=response.status)
    if "INVALID_SESSION_ID" in codes and response.status == 401:
        return AccessDenied(
            f"{told}. Check or renew the credential.", status=401, whole_source=True
        )
    if codes & WHOLE:
        return AccessDenied(
            f"{told}. Allow the user to use the API.", status=response.status, whole_source=True
        )
    if codes & CLOSED:
        return AccessDenied(
            f"{told}. Let the user read the object, or drop the stream from `streams`.",
            status=response.status,
        )
    return None


def again(response: Response) -> bool | None:
    """Whether an answer is worth another try, where its status does not say."""
    codes = {fault.errorCode for fault in faults(response)}
    if codes & AGAIN or "REQUEST_LIMIT_EXCEEDED" in codes:
        return True
    # 406 was met in production, and was gone with the next try; 420 is the edge's own.
    return True if response.status in {406, 420} else None


def observed(headers: Mapping[str, str]) -> Mapping[str, Observed]:
    """What is left of the org's requests; an answer may be silent."""
    found = _USAGE.search(headers.get("sforce-limit-info", ""))
    if found is None:
        return {}
    used, amount = int(found.group(1)), int(found.group(2))
    return {"daily": Observed(amount, max(0, amount - used))}


@asynccontextmanager
async def open_org(settings: SalesforceSettings, resources: Resources) -> AsyncIterator[Session]:
    """Open an org; the session is shared by all its readers."""
    daily = Limit("daily", settings.daily_requests, "day", reserve=settings.org_reserve)
    own = ClientSettings(
        base_url=settings.base_url,
        budgets=(Budget("default", (daily,), concurrency=5),),
        ca_file=settings.ca_file,
        headers={"Sforce-Query-Options": "batchSize=2000"},
        observe=observed,
        judge=judge,
        again=again,
    )
    async with Client.open(own, auth=signed_in(settings, resources), resources=resources) as client:
        yield Session(client, settings)
