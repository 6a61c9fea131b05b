"""COQL as far as a reader uses it, refusing what the vendor refuses.

``select a, b from M where <conditions> [order by a asc, b asc] [limit n] [offset n]``; more
than two conditions have to be nested by twos, a ``where`` is required.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

MAX_LIMIT = 2_000
MAX_FIELDS = 500
MAX_REACH = 100_000
MAX_IN = 100
MAX_CRITERIA = 25
_TOKEN = re.compile(r"\s*('(?:[^'\\]|\\.)*'|[A-Za-z_$][\w$.]*|\d+(?:\.\d+)?|<=|>=|!=|[(),=<>])")
Row: TypeAlias = Mapping[str, Any]
Condition: TypeAlias = Callable[[Row], bool]


class CoqlError(Exception):
    """A refusal: its code and details."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(message)
        self.code = code
        self.details = details


@dataclass(frozen=True, slots=True)
class Query:
    """A query that was understood."""

    fields: tuple[str, ...]
    module: str
    matches: Condition
    used: tuple[str, ...]
    order: tuple[tuple[str, bool], ...]
    limit: int
    offset: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[str] = []
        at = 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise CoqlError("SYNTAX_ERROR", "error occurred", near=text[at : at + 20])
            self._tokens.append(found.group(1))
            at = found.end()
        self._at = 0
        self.used: list[str] = []
        self.criteria = 0

    def peek(self) -> str:
        return self._tokens[self._at].lower() if self._at < len(self._tokens) else ""

    def take(self, wanted: str | None = None) -> str:
        if self._at >= len(self._tokens) or (wanted and self.peek() != wanted):
            near = self._tokens[self._at] if self._at < len(self._tokens) else ""
            raise CoqlError("SYNTAX_ERROR", f"missing {wanted or 'clause'}", near=near)
        self._at += 1
        return self._tokens[self._at - 1]

    def names(self) -> list[str]:
        found = [self.take()]
        while self.peek() == ",":
            self.take(",")
            found.append(self.take())
        return found

    def expression(self) -> Condition:
        """One condition, or two joined; a third needs parentheses."""
        left = self.operand()
        if self.peek() not in {"and", "or"}:
            return left
        word = self.take().lower()
        right = self.operand()
        if self.peek() in {"and", "or"}:
            raise CoqlError("SYNTAX_ERROR", "criteria must be grouped in pairs", near=self.peek())
        if word == "and":
            return lambda row: left(row) and right(row)
        return lambda row: left(row) or right(row)

    def operand(self) -> Condition:
        if self.peek() == "(":
            self.take("(")
            inner = self.expression()
            self.take(")")
            return inner
        return self.comparison()

    def comparison(self) -> Condition:
        name = self.take()
        self.used.append(name)
        self.criteria += 1
        word = self.take().lower()
        if word == "is":
            is_not = self.peek() == "not"
            if is_not:
                self.take("not")
            self.take("null")
            return lambda row: (comparable(row.get(name)) is not None) == is_not
        if word == "in":
            self.take("(")
            values = {_value(one) for one in self.names()}
            self.take(")")
            if len(values) > MAX_IN:
                raise CoqlError("LIMIT_EXCEEDED", "too many values in in", limit=str(MAX_IN))
            return lambda row: comparable(row.get(name)) in values
        value = _value(self.take())
        compare = _COMPARISONS.get(word)
        if compare is None:
            raise CoqlError("SYNTAX_ERROR", "unknown operator", operator=word)

        def matches(row: Row) -> bool:
            own = comparable(row.get(name))
            return own is not None and type(own) is type(value) and compare(own, value)

        return matches


_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda own, value: own == value,
    "!=": lambda own, value: own != value,
    "<": lambda own, value: own < value,
    "<=": lambda own, value: own <= value,
    ">": lambda own, value: own > value,
    ">=": lambda own, value: own >= value,
}


def _value(token: str) -> Any:
    if token.startswith("'"):
        return comparable(token[1:-1])
    if token[0].isdigit():
        return comparable(token if "." not in token else Decimal(token))
    if token.lower() in {"true", "false"}:
        return token.lower() == "true"
    raise CoqlError("SYNTAX_ERROR", "a value is missing", near=token)


def comparable(value: Any) -> Any:
    """A value as queries compare it: ids by number, instants by moment."""
    if isinstance(value, Mapping):
        value = value.get("id")
    if isinstance(value, str):
        if value.isdecimal():
            return int(value)
        if "T" in value:
            try:
                return datetime.fromisoformat(value)
            except ValueError:
                return value
    return value


def parse(text: str) -> Query:
    """Read a query.

    Raises:
        CoqlError: what the vendor would refuse.
    """
    parser = _Parser(text)
    parser.take("select")
    fields = parser.names()
    parser.take("from")
    module = parser.take()
    if parser.peek() != "where":
        raise CoqlError("SYNTAX_ERROR", "missing clause", clause="where")
    parser.take("where")
    matches = parser.expression()
    order: list[tuple[str, bool]] = []
    if parser.peek() == "order":
        parser.take("order")
        parser.take("by")
        order = _order(parser)
    limit, offset = 200, 0
    if parser.peek() == "limit":
        parser.take("limit")
        limit = int(parser.take())
        if parser.peek() == ",":  # limit offset, count
            parser.take(",")
            offset, limit = limit, int(parser.take())
    if parser.peek() == "offset":
        parser.take("offset")
        offset = int(parser.take())
    if parser.peek():
        raise CoqlError("SYNTAX_ERROR", "error occurred", near=parser.peek())
    if not 1 <= limit <= MAX_LIMIT:
        raise CoqlError("LIMIT_EXCEEDED", "limit exceeded", limit=str(MAX_LIMIT))
    if offset + limit > MAX_REACH:
        raise CoqlError("LIMIT_EXCEEDED", "offset exceeded", offset=str(offset))
    if len(fields) > MAX_FIELDS:
        raise CoqlError("LIMIT_EXCEEDED", "select column limit exceeded", limit=str(MAX_FIELDS))
    if parser.criteria > MAX_CRITERIA:
        raise CoqlError("LIMIT_EXCEEDED", "criteria limit exceeded", limit=str(MAX_CRITERIA))
    if len({name for name, _ in order}) < len(order) or len(set(fields)) < len(fields):
        raise CoqlError("DUPLICATE_DATA", "duplicate columns")
    used = (*parser.used, *(name for name, _ in order))
    return Query(
        tuple(fields), module, matches, used, tuple(order) or (("id", True),), limit, offset
    )


def _order(parser: _Parser) -> list[tuple[str, bool]]:
    order: list[tuple[str, bool]] = []
    while True:
        name = parser.take()
        rises = True
        if parser.peek() in {"asc", "desc"}:
            rises = parser.take().lower() == "asc"
        order.append((name, rises))
        if parser.peek() != ",":
            return order
        parser.take(",")
