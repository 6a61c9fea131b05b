"""Settings on their way to being valid: raw values, their places, and what is wrong so far."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a line of the file, a variable, or a secret file."""

    text: str


@dataclass(slots=True)
class Draft:
    """Raw values on their way to the models, with everything found wrong so far."""

    path: Path
    values: dict[str, Any]
    lines: Mapping[str, int]
    origins: dict[str, Origin] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def where(self, key: str) -> tuple[int, str]:
        """Line (0 if it is no line of the file) and place of a key or its nearest parent."""
        parts = key.split(".")
        while parts:
            name = ".".join(parts)
            if name in self.origins:
                return 0, self.origins[name].text
            if name in self.lines:
                return self.lines[name], f"{self.path}:{self.lines[name]}"
            parts.pop()
        return 0, str(self.path)

    def wrong(self, key: str, text: str) -> None:
        """Note a problem of a key."""
        line, place = self.where(key)
        self.problems.append((line, f"{place}: {key}: {text}"))

    def listed(self) -> list[str]:
        """The problems, each once: variables first, then down the file."""
        return [text for _, text in sorted(set(self.problems))]


def leaves(content: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of everything in nested tables; arrays of tables count from 0."""
    if isinstance(content, Mapping) and content:
        for name, value in content.items():
            yield from leaves(value, f"{key}.{name}" if key else str(name))
    elif isinstance(content, list) and content and isinstance(content[0], Mapping):
        for index, value in enumerate(content):
            yield from leaves(value, f"{key}.{index}")
    else:
        yield key, content
