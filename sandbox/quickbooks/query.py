"""The query language, as far as QuickBooks has it: AND only, one order, pages from one."""

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.quickbooks.state import NAME_LISTS, OTHERS, TRANSACTIONS, QuickbooksState

MOST, USUAL = 1000, 100
_STATEMENT = re.compile(
    r"select\s+(?P<fields>count\(\*\)|\*|\w+(?:\s*,\s*\w+)*)\s+from\s+(?P<entity>\w+)"
    r"(?:\s+where\s+(?P<where>.+?))?"
    r"(?:\s+order\s?by\s+(?P<order>[\w.]+)(?:\s+(?P<way>asc|desc))?)?"
    r"(?:\s+startposition\s+(?P<start>\d+))?(?:\s+maxresults\s+(?P<most>\d+))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(
    r"(?P<field>[\w.]+)\s*(?P<word><=|>=|=|<|>|\bin\b|\blike\b)\s*(?P<value>.+)",
    re.IGNORECASE | re.DOTALL,
)
_QUOTED = re.compile(r"'((?:[^'\\]|\\.)*)'")
_COMPARED: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": lambda a, b: bool(a == b),
    "<": lambda a, b: bool(a < b),
    ">": lambda a, b: bool(a > b),
    "<=": lambda a, b: bool(a <= b),
    ">=": lambda a, b: bool(a >= b),
}
_EVERYWHERE = frozenset({"Id", "MetaData.LastUpdatedTime", "MetaData.CreateTime"})


class QueryError(Exception):
    """The statement is refused: code and words."""

    def __init__(self, code: str, message: str, detail: str) -> None:
        super().__init__(detail)
        self.code, self.message, self.detail = code, message, detail


def run(state: QuickbooksState, statement: str) -> dict[str, Any]:
    """The QueryResponse of a statement.

    Raises:
        QueryError: it is not in the grammar, or asks for what cannot be asked.
    """
    found = _STATEMENT.fullmatch(statement.strip())
    if found is None:
        raise QueryError("4000", "Error parsing query", f"QueryParserError: {statement[:60]}")
    entity = found["entity"]
    if entity not in NAME_LISTS | TRANSACTIONS | OTHERS:
        raise QueryError("4000", "Invalid query", f"QueryValidationError: no entity {entity}")
    start, most = int(found["start"] or 1), int(found["most"] or USUAL)
    if most > MOST:
        raise QueryError("4001", "Invalid query", "QueryValidationError: MAXRESULTS above 1000")
    rows = _matching(state, entity, found["where"])
    if found["fields"].lower() == "count(*)":
        return {"totalCount": len(rows)}
    rows = _ordered(entity, rows, found["order"], found["way"])
    begin = max(0, start - 1)
    page = rows[begin : begin + most]
    if not page:
        return {}
    if found["fields"] != "*":
        names = {name.strip() for name in found["fields"].split(",")}
        page = [{name: row[name] for name in row if name in names} for row in page]
    return {entity: page, "startPosition": start, "maxResults": len(page)}


def _matching(state: QuickbooksState, entity: str, where: str | None) -> list[Mapping[str, Any]]:
    for field in state.unasked:
        if field in (where or ""):
            words = f"QueryValidationError: property '{field}' is not queryable"
            raise QueryError("4001", "Invalid query", words)
    tests = [_test(entity, part) for part in _parts(where or "")]
    rows = [row for row in state.table(entity).values() if all(test(row) for test in tests)]
    if entity in NAME_LISTS and "active" not in (where or "").lower():
        rows = [row for row in rows if row["Active"]]
    return list(rows)


def _parts(where: str) -> list[str]:
    bare = _QUOTED.sub("''", where)
    if re.search(r"\b(or|not)\b", bare, re.IGNORECASE):
        raise QueryError("4000", "Error parsing query", "QueryParserError: OR and NOT are unknown")
    return [part for part in re.split(r"\s+and\s+", where, flags=re.IGNORECASE) if part]


def _test(entity: str, text: str) -> Callable[[Mapping[str, Any]], bool]:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise QueryError("4000", "Error parsing query", f"QueryParserError: {text[:60]}")
    field, word, value = found["field"], found["word"].lower(), found["value"].strip()
    if field not in _queryable(entity):
        raise QueryError(
            "4001",
            "Invalid query",
            f"QueryValidationError: property '{field}' is not queryable",
        )
    if word == "in":
        if not (value.startswith("(") and value.endswith(")")):
            raise QueryError("4000", "Error parsing query", f"QueryParserError: {value[:60]}")
        values = [_read(field, one.strip()) for one in value[1:-1].split(",")]
        return lambda row: _read(field, _shown(row, field)) in values
    if word == "like":
        raise QueryError("4001", "Invalid query", "QueryValidationError: LIKE is not used here")
    wanted = _read(field, value)
    compare = _COMPARED[word]
    return lambda row: compare(_read(field, _shown(row, field)), wanted)


def _queryable(entity: str) -> frozenset[str]:
    if entity in NAME_LISTS:
        return _EVERYWHERE | {"Active"}
    if entity == "ExchangeRate":
        return frozenset({"SourceCurrencyCode", "AsOfDate"})
    return _EVERYWHERE | {"TxnDate", "DocNumber", "Balance"}


def _shown(row: Mapping[str, Any], field: str) -> Any:
    value: Any = row
    for name in field.split("."):
        value = value.get(name)
    return value


def _read(field: str, value: Any) -> Any:
    if isinstance(value, bool):
        return value
    text = str(value)
    text = text[1:-1] if text.startswith("'") and text.endswith("'") else text
    try:
        if field.startswith("MetaData."):
            return datetime.fromisoformat(text).astimezone(UTC)
        if field in {"TxnDate", "AsOfDate"}:
            return date.fromisoformat(text)
        if field == "Balance":
            return Decimal(text)
    except (ValueError, InvalidOperation):
        raise QueryError("4001", "Invalid query", f"QueryValidationError: {text[:40]}") from None
    return text.lower() == "true" if field == "Active" else text


def _ordered(
    entity: str, rows: list[Mapping[str, Any]], order: str | None, way: str | None
) -> list[Mapping[str, Any]]:
    if order is None:
        return (
            sorted(rows, key=lambda row: _number(row["Id"])) if "Id" in (rows or [{}])[0] else rows
        )
    if order not in _queryable(entity):
        raise QueryError("4001", "Invalid query", f"property '{order}' is not sortable")
    # No order within a tie is promised: any may come, another each time a row changes.
    shuffled = sorted(rows, key=_shuffled)
    is_descending = (way or "asc").lower() == "desc"
    return sorted(shuffled, key=lambda row: _read(order, _shown(row, order)), reverse=is_descending)


def _shuffled(row: Mapping[str, Any]) -> str:
    text = f"{row['Id']}:{row['SyncToken']}"
    return hashlib.sha256(text.encode()).hexdigest()


def _number(number: str) -> tuple[int, str]:
    return (int(number) if number.isdecimal() else 0, number)
