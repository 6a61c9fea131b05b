"""How long records stay, stream by stream: nothing goes unless [retention] says so.

A record's age is that of its newest change by the vendor's own clock. One that is older than its
stream's rule goes with all its versions, and what a vendor shows of it later does not land.
"""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, cast

Unit: TypeAlias = Literal["days", "months", "years"]
_TEXT = re.compile(r"([1-9]\d{0,3}) (days|months|years)")

EXPIRING: Mapping[str, frozenset[str]] = {
    "gmail": frozenset({"messages"}),
    "hubspot": frozenset({"emails", "calls", "meetings", "tasks", "notes"}),
    "imap": frozenset({"messages"}),
    "msgraph": frozenset({"messages"}),
    "odoo": frozenset({"activities", "events"}),
    "pipedrive": frozenset({"activities", "mail_threads", "mail_messages"}),
    "salesforce": frozenset({"tasks", "events", "emails"}),
    "vtiger": frozenset({"events", "tasks", "emails"}),
    "zoho": frozenset({"tasks", "events", "calls", "emails"}),
}
"""Streams of mail and activities by source. No other may carry a rule: deals, their stages and all
that is billed and paid are what the totals are made of."""


@dataclass(frozen=True, slots=True)
class Keep:
    """A span of time that records are kept for."""

    count: int
    unit: Unit

    def __str__(self) -> str:
        return f"{self.count} {self.unit}"

    def cutoff(self, now: datetime) -> datetime:
        """The instant before which a record is too old; of a short month, its last day."""
        if self.unit == "days":
            return now - timedelta(days=self.count)
        months = self.count * (12 if self.unit == "years" else 1)
        year, month = divmod(now.year * 12 + now.month - 1 - months, 12)
        if year < 1:
            return datetime.min.replace(tzinfo=now.tzinfo)
        day = min(now.day, monthrange(year, month + 1)[1])
        return now.replace(year=year, month=month + 1, day=day)


Keeps: TypeAlias = Mapping[tuple[str, str], Keep]
"""The rules, by source and stream."""


def keep_of(text: object) -> Keep:
    """A rule as it is written; ValueError says how one looks."""
    if isinstance(text, Keep):
        return text
    found = _TEXT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'{text!r} is no span of time, such as "24 months" or "400 days"')
    return Keep(int(found[1]), cast("Unit", found[2]))
