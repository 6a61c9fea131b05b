"""VTQL as Vtiger's own parser takes it: its tokens, its grammar, and what it drops."""

import operator as compare
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

CAP = 100
_TOKEN = re.compile(r"\s*(\w+|'(?:[^']|'')+'|[+-]?\d+|<=|>=|!=|[(),*=<>;])")
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": compare.eq,
    "!=": compare.ne,
    "<": compare.lt,
    "<=": compare.le,
    ">": compare.gt,
    ">=": compare.ge,
}


class VtqlError(Exception):
    """Refused: a code and a message of Vtiger's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Query:
    """A parsed query. ``alternatives`` are joined by OR, the conditions in each by AND."""

    module: str
    columns: list[str]
    alternatives: list[list[tuple[str, str, list[str]]]] = field(default_factory=list)
    order: list[str] = field(default_factory=list)
    descending: bool = False
    offset: int = 0
    limit: int = CAP

    @property
    def is_count(self) -> bool:
        """Whether it asks for a number."""
        return self.columns == ["count(*)"]

    def names(self) -> set[str]:
        """Every field that it needs."""
        named = {name for conditions in self.alternatives for name, _, _ in conditions}
        columns = set() if self.is_count or self.columns == ["*"] else set(self.columns)
        return named | columns | set(self.order)

    def holds(self, row: Mapping[str, str | None]) -> bool:
        """Whether a row meets the conditions."""
        if not self.alternatives:
            return True
        return any(all(_meets(row, *one) for one in every) for every in self.alternatives)


def number(web_id: str) -> int:
    """What the server compares of an id: the digits behind the x.

    Raises:
        VtqlError: there is no x.
    """
    _, cross, digits = web_id.partition("x")
    if not cross or not digits.isdecimal():
        raise VtqlError("INVALID_ID_ATTRIBUTE", "Id specified is incorrect")
    return int(digits)


def _meets(row: Mapping[str, str | None], name: str, operator: str, values: list[str]) -> bool:
    held = row.get(name)
    if name == "id":
        own, asked = number(held or ""), [number(one) for one in values]
        if operator == "IN":
            return own in asked
        return _COMPARE[operator](own, asked[0])
    if held is None:
        return False
    if operator == "IN":
        return held in values
    if operator == "LIKE":
        pattern = re.escape(values[0]).replace("%", ".*")
        return re.fullmatch(pattern, held, re.IGNORECASE) is not None
    return _COMPARE[operator](held, values[0])


class _Tokens:
    def __init__(self, text: str) -> None:
        self._text = text
        self.rest = []
        at = 0
        while text[at:].strip():
            match = _TOKEN.match(text, at)
            if match is None:
                raise VtqlError("INTERNAL_SERVER_ERROR", "Unknown Error while processing request")
            self.rest.append(match.group(1))
            at = match.end()

    def peek(self) -> str:
        return self.rest[0].upper() if self.rest else ""

    def take(self, *expected: str) -> str:
        if not self.rest or (expected and self.rest[0].upper() not in expected):
            found = self.rest[0] if self.rest else ""
            wanted = ",".join(expected)
            raise VtqlError(
                "QUERY_SYNTAX_ERROR",
                f"Syntax Error on line 1: token '{found}' Unexpected, expected one of: {wanted}",
            )
        return self.rest.pop(0)


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        VtqlError: QUERY_SYNTAX_ERROR for what the grammar has not, such as a missing
            semicolon, IS NULL or BETWEEN.
    """
    tokens = _Tokens(text)
    tokens.take("SELECT")
    columns = _columns(tokens)
    tokens.take("FROM")
    query = Query(tokens.take(), columns)
    if tokens.peek() == "WHERE":
        tokens.take()
        _where(tokens, query)
    if tokens.peek() == "ORDER":
        tokens.take()
        tokens.take("BY")
        query.order = _names(tokens)
        if tokens.peek() in {"ASC", "DESC"}:
            query.descending = tokens.take().upper() == "DESC"
    if tokens.peek() == "LIMIT":
        tokens.take()
        first = int(tokens.take())
        query.limit = first
        if tokens.peek() == ",":
            tokens.take()
            query.offset, query.limit = first, int(tokens.take())
        query.limit = min(query.limit, CAP)
    tokens.take(";")
    return query


def _columns(tokens: _Tokens) -> list[str]:
    if tokens.peek() == "*":
        return [tokens.take()]
    if tokens.peek() == "COUNT":
        for expected in ("COUNT", "(", "*", ")"):
            tokens.take(expected)
        return ["count(*)"]
    return _names(tokens)


def _names(tokens: _Tokens) -> list[str]:
    names = [tokens.take()]
    while tokens.peek() == ",":
        tokens.take()
        names.append(tokens.take())
    return names


def _where(tokens: _Tokens, query: Query) -> None:
    query.alternatives.append([])
    while True:
        # Parsed, and dropped: grouping never reaches the database.
        while tokens.peek() == "(":
            tokens.take()
        name = tokens.take()
        operator = tokens.take("=", "!=", "<", "<=", ">", ">=", "IN", "LIKE").upper()
        values = [tokens.take()]
        if operator == "IN" and values == ["("]:
            values = _names(tokens)
            tokens.take(")")
        query.alternatives[-1].append((name, operator, [one.strip("'\"") for one in values]))
        while tokens.peek() == ")":
            tokens.take()
        if tokens.peek() not in {"AND", "OR"}:
            return
        if tokens.take().upper() == "OR":
            query.alternatives.append([])
