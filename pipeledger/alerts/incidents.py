"""What is broken in the pipeline: one incident per connection and per failed rule.

A source that fails and then grows stale is one incident, and so are its forty streams. Counts
and ids only: no record of a source, no row of a mart.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.base.redact import redact
from pipeledger.alerts.digests import Digest, Item, Section

_SHOWN = 200
_SHOWN_KEYS = 5
_RULE = re.compile(r"check_id=([^,]+)")
_KEY = re.compile(r"(?:^|, )\w*_key=([^,]+)")
"""The first key of a failing row as the build notes it; the other values are nobody's mail."""


@dataclass(frozen=True, slots=True)
class Incident:
    """Something that is broken; ``key`` stays the same until it is mended."""

    key: str
    title: str
    detail: str


def incidents(status: Mapping[str, Any]) -> list[Incident]:
    """The incidents that ``pipeledger.status.status`` shows, by key."""
    found = []
    by_connection: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for stream in status["streams"]:
        by_connection.setdefault((stream["source"], stream["connection"]), []).append(stream)
    for (source, name), streams in by_connection.items():
        failed = [one for one in streams if one["state"] != "complete"]
        stale = [one for one in streams if one["is_stale"]]
        if failed or stale:
            error = next((str(one["error"]) for one in failed if one["error"]), "")
            counts = f"{len(failed)} of {len(streams)} streams failed, {len(stale)} stale"
            text = f"{counts}. {redact(error)[:_SHOWN]}".strip()
            found.append(Incident(f"source:{source}:{name}", f"Source {name}", text))
    build = status["last_build"] or {}
    if build.get("state") == "failed":
        error = redact(str(build.get("error", "")))[:_SHOWN]
        found.append(Incident("build", "The build failed", error))
    for failure in (build.get("build") or {}).get("failures", []):
        if failure["severity"] == "error":
            found += _of_check(failure)
    return sorted(found, key=lambda one: one.key)


def _of_check(failure: Mapping[str, Any]) -> list[Incident]:
    """One incident; one for each rule where a test gathers the records of many.

    Else a rule that breaks while another is broken would be told to nobody.
    """
    by_rule: dict[str, list[str]] = {}
    for record in failure.get("records", ()):
        rule = _RULE.match(record)
        by_rule.setdefault("" if rule is None else rule[1], []).append(record)
    rules = {rule: records for rule, records in by_rule.items() if rule}
    stays = "the last good publication stays"
    if not rules:
        name, named = failure["name"], _keys(failure.get("records", ()))
        rows = f"{failure['rows']} records{named}"
        return [Incident(f"check:{name}", f"Check {name}", f"{rows}; {stays}")]
    return [
        Incident(f"check:{rule}", f"Check {rule}", f"records{_keys(records)}; {stays}")
        for rule, records in rules.items()
    ]


def _keys(records: Sequence[str]) -> str:
    """The keys of the first failing rows, as a part of a sentence; an address is none."""
    found = [key.group(1) for one in records if (key := _KEY.search(one))]
    keys = [key for key in dict.fromkeys(found) if "@" not in key]
    more = ", ..." if len(keys) > _SHOWN_KEYS else ""
    return f": {', '.join(keys[:_SHOWN_KEYS])}{more}" if keys else ""


def incident_digest(now: list[Incident], told: Mapping[str, str], to: str) -> Digest | None:
    """What is new and what is mended since somebody was told last; None if nothing is.

    Args:
        now: what is broken.
        told: title by key of what this reader was told is broken.
        to: the reader's address, "" for a room.
    """
    fresh = [one for one in now if one.key not in told]
    keys = {one.key for one in now}
    # A build that breaks off says nothing of its checks: they are not mended by that.
    is_blind = "build" in keys
    mended = [
        (key, title)
        for key, title in sorted(told.items())
        if key not in keys and not (is_blind and key.startswith("check:"))
    ]
    if not fresh and not mended:
        return None
    sections = (
        Section("Broken", tuple(Item(one.title, None, (("What", one.detail),)) for one in fresh)),
        Section("Mended", tuple(Item(title, None, ()) for _, title in mended)),
    )
    title = f"{len(fresh)} new, {len(mended)} mended"
    return Digest("data", to, title, tuple(one for one in sections if one.items))
