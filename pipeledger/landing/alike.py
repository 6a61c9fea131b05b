"""Records that are spelt alike, read without a dictionary each.

The records of a stream show the same keys again and again. A type made of the keys of a few of
them reads and writes JSON in two thirds of the time that dictionaries take. A record that does
not fit the type is refused and must be read as a dictionary; what is read either way is written
alike.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from types import GenericAlias
from typing import Any, TypeAlias

import msgspec

_UNNAMEABLE = frozenset('"\\')
Reader: TypeAlias = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type for objects with these keys: their attributes, and the types of inner objects."""

    made: Any
    attributes: dict[str, str]
    inner: dict[str, "_Kind"]


def reader_of(
    samples: Sequence[dict[str, Any]],
    volatile: Iterable[str],
    float_hook: Callable[[str], Any],
) -> Reader | None:
    """A function that reads records like these without their volatile fields.

    It raises ``msgspec.ValidationError`` for a record that shows another key, or something
    else than an object where they show one. None if the samples have no common type, or a
    volatile field lies where their type does not reach.
    """
    kind = _kind_of(samples)
    if kind is None:
        return None
    decode = msgspec.json.Decoder(kind.made, float_hook=float_hook).decode
    paths: list[tuple[list[str], str]] = []
    for dotted in volatile:
        *parents, pattern = dotted.split(".")
        holder, steps = kind, []
        for step in parents:
            if step not in holder.inner:
                return None
            steps.append(holder.attributes[step])
            holder = holder.inner[step]
        paths += [
            (steps, attribute)
            for name, attribute in holder.attributes.items()
            if fnmatchcase(name, pattern)
        ]
    if not paths:
        return decode

    def read(payload: bytes) -> Any:
        record = decode(payload)
        for steps, attribute in paths:
            holder = record
            for step in steps:
                holder = getattr(holder, step)
                if not isinstance(holder, msgspec.Struct):
                    break
            else:
                setattr(holder, attribute, msgspec.UNSET)
        return record

    return read


def _kind_of(objects: Sequence[dict[str, Any]]) -> _Kind | None:
    """The type of some objects: their keys in the order in which they come."""
    names = list(dict.fromkeys(name for one in objects for name in one))
    if not names or any(not name.isprintable() or _UNNAMEABLE & set(name) for name in names):
        return None
    attributes = {name: f"f{index}" for index, name in enumerate(names)}
    fields: list[tuple[str, Any, Any]] = []
    inner: dict[str, _Kind] = {}
    for name, attribute in attributes.items():
        values = [one[name] for one in objects if one.get(name) is not None]
        type_: Any = Any
        if values and all(type(value) is dict for value in values):
            kind = _kind_of(values)
            if kind is not None:
                inner[name] = kind
                type_ = kind.made | None | msgspec.UnsetType
        elif values and all(type(value) is list for value in values):
            items = [item for value in values for item in value]
            if items and all(type(item) is dict for item in items):
                kind = _kind_of(items)
                if kind is not None:
                    type_ = GenericAlias(list, kind.made) | None | msgspec.UnsetType
        fields.append((attribute, type_, msgspec.UNSET))
    made = msgspec.defstruct(
        "Alike",
        fields,
        rename={attribute: name for name, attribute in attributes.items()},
        forbid_unknown_fields=True,
        gc=False,
    )
    return _Kind(made, attributes, inner)
