"""The filters of a page, as they stand in its address."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from urllib.parse import parse_qsl, urlencode

LANGUAGES = ("en", "ja", "id")
METHODS = (
    *("crm_weighted", "learned_weighted", "historical_conversion"),
    *("commit", "most_likely", "best_case", "pipeline_all", "submission"),
)
CURRENCIES = ("reporting", "deal")
SCOPES = ("company", "team", "user")
_LONGEST = 300
_OWN = ("period", "scope", "pipeline", "currency", "method", "day", "edition", "lang")
_EXTRA = ("key", "set", "a", "b", "c", "page", "stage", "view", "rule")
_EDITION = re.compile(r"[0-9A-Za-z-]{1,64}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What a page is narrowed to; an empty text means no choice."""

    period: str = ""
    scope: str = "company"
    pipeline: str = ""
    currency: str = "reporting"
    method: str = "crm_weighted"
    day: str = ""
    """An earlier day to look at, YYYY-MM-DD."""
    edition: str = ""
    lang: str = "en"
    extra: Mapping[str, str] = field(default_factory=dict)
    """What one page alone understands, such as the key of a deal."""

    @property
    def scope_type(self) -> str:
        """company, team or user."""
        return self.scope.partition(":")[0]

    @property
    def scope_key(self) -> str:
        """The team's or the user's key; ``company`` for the company."""
        return self.scope.partition(":")[2] or "company"

    def query(self, **changes: str) -> str:
        """The query of an address with these filters; what is not said stays, extras do not."""
        values = {name: getattr(self, name) for name in _OWN} | changes
        standard = Filters()
        kept = {
            name: value
            for name, value in values.items()
            if value and (name == "lang" or value != getattr(standard, name, ""))
        }
        return urlencode(kept)


def parse(query: str, language: str = "en") -> Filters:
    """The filters of an address; whatever is unknown or too long counts as not said."""
    pairs = parse_qsl(query.removeprefix("?"), max_num_fields=40) if len(query) < 4000 else []
    said = {
        name: value
        for name, value in pairs
        if name in (*_OWN, *_EXTRA) and value and len(value) <= _LONGEST
    }

    def one_of(name: str, allowed: tuple[str, ...], default: str) -> str:
        return said[name] if said.get(name) in allowed else default

    scope = said.get("scope", "company")
    kind, _, key = scope.partition(":")
    if kind not in SCOPES or (kind != "company" and not key):
        scope = "company"
    edition = said.get("edition", "")
    return Filters(
        period=said.get("period", ""),
        scope="company" if kind == "company" else scope,
        pipeline=said.get("pipeline", ""),
        currency=one_of("currency", CURRENCIES, "reporting"),
        method=one_of("method", METHODS, "crm_weighted"),
        day=_day(said.get("day", "")),
        edition=edition if _EDITION.fullmatch(edition) else "",
        lang=one_of("lang", LANGUAGES, language if language in LANGUAGES else "en"),
        extra={name: said[name] for name in _EXTRA if name in said},
    )


def _day(said: str) -> str:
    try:
        return date.fromisoformat(said).isoformat()
    except ValueError:
        return ""


def page_of(filters: Filters) -> int:
    """The page of a paged list, from 1."""
    text = filters.extra.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 6 else 1
