"""How HubSpot shows records and pages, and the words of its refusals."""

from collections.abc import Callable, Iterable
from typing import Any

from sandbox.exchange import Reply, Request, reply_json
from sandbox.hubspot.access import refusal
from sandbox.hubspot.record import Entry
from sandbox.hubspot.schema import ALWAYS, OBJECT_TYPES, SINGULAR
from sandbox.hubspot.state import HubspotState

VERSION = "2026-09"
LIST_DEFAULT = 10


class NotAllowedError(Exception):
    """The token lacks ``scope``."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class InvalidRequestError(Exception):
    """What HubSpot answers with 400 VALIDATION_ERROR."""


def record(
    state: HubspotState,
    url: str,
    kind: str,
    entry: Entry,
    *,
    properties: Iterable[str],
    with_history: Iterable[str],
    targets: Iterable[str],
    most_inline: int,
) -> dict[str, Any]:
    """A record as list and batch answers show it; ``most_inline`` ids of each target."""
    held = entry.properties
    known = state.property_names(kind)
    names = [name for name in (*properties, *with_history) if name in known or name in held]
    shown = {name: held.get(name) for name in sorted(set(names))}
    shown |= {name: held[name] for name in ALWAYS if name in held}
    answer: dict[str, Any] = {"id": entry.id, "properties": shown}
    if with_history:
        answer["propertiesWithHistory"] = {
            name: entry.history.get(name, []) for name in with_history
        }
    answer |= {
        "createdAt": entry.created_at,
        "updatedAt": entry.updated_at,
        "archived": entry.archived_at is not None,
        "url": f"https://app.hubspot.com/contacts/{state.portal_id}"
        f"/record/{OBJECT_TYPES[kind]}/{entry.id}",
    }
    if entry.archived_at is not None:
        answer["archivedAt"] = entry.archived_at
    inline = {
        target: _inline(url, kind, entry, target, most_inline)
        for target in targets
        if entry.associations.get(target)
    }
    if inline:
        answer["associations"] = inline
    return answer


def _inline(url: str, kind: str, entry: Entry, target: str, most: int) -> dict[str, Any]:
    """One row per label, as HubSpot repeats an id; capped, with paging of its own."""
    stem = f"{SINGULAR[kind]}_to_{SINGULAR[target]}"
    rows = [
        {
            "id": to_id,
            "type": stem if label["label"] or len(labels) == 1 else f"{stem}_unlabeled",
        }
        for to_id, labels in entry.associations[target].items()
        for label in labels
    ]
    shown = rows[:most]
    answer: dict[str, Any] = {"results": shown}
    if len(rows) > len(shown):
        after = shown[-1]["id"]
        link = f"{url}/crm/objects/{VERSION}/{kind}/{entry.id}/associations/{target}"
        answer["paging"] = {"next": {"after": after, "link": f"{link}?after={after}"}}
    return answer


def names(request: Request, name: str) -> list[str]:
    """The values of a parameter, in however many commas and repeats."""
    given = request.query.get(name, [])
    return [one for text in given for one in text.split(",") if one]


def limited(request: Request, most: int) -> int:
    """The page size asked for; a refusal where it is out of bounds."""
    limit = int(request.param("limit", str(LIST_DEFAULT)) or 0)
    if not 0 < limit <= most:
        raise InvalidRequestError(f"limit must be between 1 and {most}, is {limit}")
    return limit


def by_id(request: Request, rows: list[dict[str, Any]], most: int) -> Reply:
    """A page of rows by id."""
    limit = limited(request, most)
    after = int(request.param("after", "0") or 0)
    ordered: Callable[[dict[str, Any]], int] = lambda one: int(one["id"])  # noqa: E731 - typed for mypy
    rest = [one for one in sorted(rows, key=ordered) if int(one["id"]) > after]
    answer: dict[str, Any] = {"results": rest[:limit]}
    if len(rest) > limit:
        answer["paging"] = {"next": {"after": str(rest[limit - 1]["id"])}}
    return reply_json(answer)


def missing_scope(scope: str) -> Reply:
    """The refusal of a token without a scope."""
    return refusal(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call.",
        links={"scopes": "https://developers.hubspot.com/scopes"},
        errors=[
            {
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": [scope]},
            }
        ],
    )


def not_found(ids: list[str]) -> dict[str, Any]:
    """The fault of a batch for ids that are not there."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "message": "Could not get some objects, they may be deleted or not exist.",
        "context": {"ids": ids},
    }


def no_associations(kind: str, record_id: str) -> dict[str, Any]:
    """The fault of a record that is tied to nothing."""
    return {
        "status": "error",
        "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": f"No {kind} associations found for {record_id}",
        "context": {"fromObjectId": [record_id]},
    }
