"""Which models lie between a mart and a landed stream, from dbt's own manifest."""

import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def load_manifest(warehouse: Path) -> Mapping[str, Any]:
    """The manifest of the newest build; an empty one if there is none."""
    path = warehouse / "dbt" / "manifest.json"
    if not path.exists():
        return {"nodes": {}, "sources": {}, "parent_map": {}}
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def models_between(manifest: Mapping[str, Any], mart: str, relation: str) -> list[str]:
    """The shortest way from a mart to ``raw.<relation>``, both ends included.

    Empty if the mart does not read the stream.
    """
    start = next((key for key, node in manifest["nodes"].items() if _is_model(node, mart)), None)
    goals = {key for key, node in manifest["sources"].items() if node.get("identifier") == relation}
    if start is None or not goals:
        return []
    came: dict[str, str | None] = {start: None}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here in goals:
            return _way(manifest, came, here)
        for parent in manifest["parent_map"].get(here, ()):
            if parent not in came:
                came[parent] = here
                waiting.append(parent)
    return []


def key_of(manifest: Mapping[str, Any], mart: str) -> str | None:
    """The column that is unique in a mart, as its dbt test says; None if no test does."""
    for node in manifest["nodes"].values():
        test = node.get("test_metadata") or {}
        attached = str(node.get("attached_node") or "")
        if test.get("name") == "unique" and attached.endswith(f".{mart}"):
            return str(node["column_name"])
    return None


def streams_above(manifest: Mapping[str, Any], mart: str) -> set[tuple[str, str]]:
    """The landed (source, stream) pairs that a mart is made of, near or far."""
    start = next((key for key, node in manifest["nodes"].items() if _is_model(node, mart)), None)
    waiting, seen = deque([start] if start else []), set()
    found = set()
    while waiting:
        here = waiting.popleft()
        if here in seen:
            continue
        seen.add(here)
        source = manifest["sources"].get(here)
        if source is not None and "__" in source["identifier"]:
            name, _, stream = source["identifier"].partition("__")
            found.add((name, stream))
        waiting.extend(manifest["parent_map"].get(here, ()))
    return found


def _is_model(node: Mapping[str, Any], name: str) -> bool:
    return bool(node["resource_type"] == "model" and node["name"] == name)


def _way(manifest: Mapping[str, Any], came: Mapping[str, str | None], end: str) -> list[str]:
    names = []
    here: str | None = end
    while here is not None:
        source = manifest["sources"].get(here)
        names.append(
            f"raw.{source['identifier']}" if source else str(manifest["nodes"][here]["name"])
        )
        here = came[here]
    return names[::-1]
