"""SOQL as far as a reader of whole records uses it.

SELECT fields | COUNT() FROM object [WHERE comparisons with AND, OR and brackets]
[ORDER BY field, …] [LIMIT n]. Moments are bare, texts quoted; anything else is malformed.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'[^']*')|(?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)"
    r"|(?P<op><=|>=|<|>|=|\(|\))|(?P<word>[A-Za-z_]\w*))"
)
_QUERY = re.compile(
    r"SELECT (?P<fields>.+?) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?"
    r"(?: ORDER BY (?P<order>.+?))?(?: LIMIT (?P<limit>\d+))?",
    re.DOTALL,
)


class SoqlError(ValueError):
    """The query is malformed, or names what is not there."""


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood; ``fields`` None counts."""

    name: str
    fields: list[str] | None
    meets: Callable[[Row], bool]
    order: list[str]
    limit: int | None
    used: set[str]
    """Every field that the query names."""


def parse(text: str) -> Query:
    """Understand a query.

    Raises:
        SoqlError: it is malformed.
    """
    found = _QUERY.fullmatch(text.strip())
    if found is None:
        raise SoqlError("unexpected token")
    used: set[str] = set()
    counts = found["fields"] == "COUNT()"
    fields = None if counts else [one.strip() for one in found["fields"].split(",")]
    order = [one.strip() for one in (found["order"] or "").split(",") if one.strip()]
    used |= {*(fields or ()), *order}
    meets: Callable[[Row], bool] = lambda _: True  # noqa: E731 - no condition
    if found["where"]:
        meets = _Condition(found["where"], used).whole()
    limit = None if found["limit"] is None else int(found["limit"])
    return Query(found["object"], fields, meets, order, limit, used)


class _Condition:
    def __init__(self, text: str, used: set[str]) -> None:
        self._used = used
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            token = _TOKEN.match(text, place)
            if token is None:
                raise SoqlError(f"unexpected token at {text[place : place + 20]!r}")
            self._tokens.append((token.lastgroup or "", token.group(token.lastgroup or 0)))
            place = token.end()

    def whole(self) -> Callable[[Row], bool]:
        meets = self._any()
        if self._tokens:
            raise SoqlError(f"unexpected token {self._tokens[0][1]}")
        return meets

    def _any(self) -> Callable[[Row], bool]:
        parts = [self._all()]
        while self._takes("OR"):
            parts.append(self._all())
        if len(parts) == 1:
            return parts[0]
        return lambda row: any(part(row) for part in parts)

    def _all(self) -> Callable[[Row], bool]:
        parts = [self._one()]
        while self._takes("AND"):
            parts.append(self._one())
        return lambda row: all(part(row) for part in parts)

    def _one(self) -> Callable[[Row], bool]:
        if self._takes("("):
            inner = self._any()
            if not self._takes(")"):
                raise SoqlError("a bracket is not closed")
            return inner
        if len(self._tokens) < 3:
            raise SoqlError("a comparison is not whole")
        (kind, name), (_, operator), (value_kind, value) = self._tokens[:3]
        del self._tokens[:3]
        if kind != "word" or value_kind not in {"text", "moment"}:
            raise SoqlError(f"unexpected token {value}")
        self._used.add(name)
        wanted = value.strip("'")
        if value_kind == "moment":
            wanted = wanted.removesuffix("Z") + "+0000"

        def meets(row: Row) -> bool:
            own = row.get(name)
            if own is None:
                return False
            return bool(
                {
                    "=": own == wanted, "<": own < wanted, ">": own > wanted,
                    "<=": own <= wanted, ">=": own >= wanted,
                }[operator]
            )  # fmt: skip

        return meets

    def _takes(self, word: str) -> bool:
        if self._tokens and self._tokens[0][1].upper() == word:
            del self._tokens[0]
            return True
        return False
