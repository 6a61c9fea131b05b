"""HubSpot's search: filters, order, offset paging, and what it refuses."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.hubspot.index import Indexed
from sandbox.hubspot.record import epoch_ms
from sandbox.hubspot.schema import ALWAYS, cursor_property

MAX_PAGE = 200
MAX_GROUPS = 5
MAX_FILTERS_PER_GROUP = 10
MAX_FILTERS = 25
OPERATORS = frozenset(
    [
        "EQ",
        "NEQ",
        "LT",
        "LTE",
        "GT",
        "GTE",
        "BETWEEN",
        "IN",
        "NOT_IN",
        "HAS_PROPERTY",
        "NOT_HAS_PROPERTY",
    ]
)
_INSTANTS = frozenset(
    [
        "createdate",
        "hs_createdate",
        "hs_lastmodifieddate",
        "lastmodifieddate",
        "closedate",
        "hs_timestamp",
    ]
)


class InvalidSearchError(Exception):
    """A search that HubSpot answers with 400 VALIDATION_ERROR."""


def search(
    object_type: str, index: Mapping[str, Indexed], body: Any, *, reach: int
) -> dict[str, Any]:
    """Answer a search over what the index holds.

    Raises:
        InvalidSearchError: with the vendor's kind of message.
    """
    limit = int(body.get("limit", 10))
    if not 0 < limit <= MAX_PAGE:
        raise InvalidSearchError(f"limit must be between 1 and {MAX_PAGE}, is {limit}")
    offset = int(body.get("after") or 0)
    if offset + limit > reach:
        raise InvalidSearchError(f"The after parameter may not page past {reach} results.")
    groups = body.get("filterGroups", [])
    count = sum(len(group.get("filters", ())) for group in groups)
    if len(groups) > MAX_GROUPS or count > MAX_FILTERS:
        raise InvalidSearchError("There are too many filter groups or filters.")
    if any(len(group.get("filters", ())) > MAX_FILTERS_PER_GROUP for group in groups):
        raise InvalidSearchError("There are too many filters in a group.")
    found = [
        (record_id, row)
        for record_id, row in index.items()
        if not groups
        or any(
            all(_holds(object_type, record_id, row, one) for one in group["filters"])
            for group in groups
        )
    ]
    # Ties come in no order that one could rely on; here newest id first.
    found.sort(key=lambda pair: int(pair[0]), reverse=True)
    for sort in reversed(body.get("sorts") or [{"propertyName": "hs_object_id"}]):
        name = sort["propertyName"] if isinstance(sort, dict) else sort
        found.sort(
            key=_order(object_type, name),
            reverse=isinstance(sort, dict) and sort.get("direction") == "DESCENDING",
        )
    page = found[offset : offset + limit]
    wanted = [*body.get("properties", ()), *ALWAYS]
    answer: dict[str, Any] = {
        "total": len(found),
        "results": [
            {
                "id": record_id,
                "properties": {
                    name: row.properties[name] for name in wanted if name in row.properties
                },
                "createdAt": row.created_at,
                "updatedAt": row.updated_at,
                "archived": False,
            }
            for record_id, row in page
        ],
    }
    if offset + limit < len(found):
        answer["paging"] = {"next": {"after": str(offset + limit)}}
    return answer


def _order(object_type: str, name: str) -> Callable[[tuple[str, Indexed]], Any]:
    """A sort key by one property; records without it come last."""

    def key(pair: tuple[str, Indexed]) -> tuple[int, int | str]:
        value = _value(object_type, *pair, name)
        return (1, 0) if value is None else (0, value)

    return key


def _value(object_type: str, record_id: str, row: Indexed, name: str) -> int | str | None:
    if name == "hs_object_id":
        return int(record_id)
    if name == cursor_property(object_type):
        return row.changed_ms
    text = row.properties.get(name)
    if text is None:
        return None
    return epoch_ms(text) if name in _INSTANTS else text


def _operand(name: str, value: str) -> int | str:
    if name == "hs_object_id":
        return int(value)
    if name in _INSTANTS:
        return int(value) if value.isdigit() else epoch_ms(_iso(value))
    return value


def _iso(value: str) -> str:
    datetime.fromisoformat(value)
    return value


def _holds(object_type: str, record_id: str, row: Indexed, one: Mapping[str, Any]) -> bool:
    name, operator = one["propertyName"], one["operator"]
    if operator not in OPERATORS:
        raise InvalidSearchError(f"Invalid operator {operator}")
    value = _value(object_type, record_id, row, name)
    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return (value is not None) is (operator == "HAS_PROPERTY")
    try:
        if operator in {"IN", "NOT_IN"}:
            inside = value in {_operand(name, text) for text in one["values"]}
            return inside is (operator == "IN")
        low = _operand(name, str(one["value"]))
        high = _operand(name, str(one["highValue"])) if operator == "BETWEEN" else low
    except (KeyError, ValueError) as error:
        raise InvalidSearchError(f"Invalid filter on {name}: {error}") from None
    if value is None:
        return False
    return _compare(operator, value, low, high)


def _compare(operator: str, value: Any, low: Any, high: Any) -> bool:
    return bool(
        {
            "EQ": value == low,
            "NEQ": value != low,
            "LT": value < low,
            "LTE": value <= low,
            "GT": value > low,
            "GTE": value >= low,
            "BETWEEN": low <= value <= high,
        }[operator]
    )
