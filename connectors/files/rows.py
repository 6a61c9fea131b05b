"""The rows of a file by its table's mapping: a record each, or why it was rejected."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

import msgspec

from connectors.base.errors import ConfigError
from connectors.base.stream import Record, Rejected
from connectors.files.cells import CellError, canonical
from connectors.files.control import EXACT
from connectors.files.drops import Drop, Folder
from connectors.files.entities import Entity
from connectors.files.settings import ColumnRule, TableSettings
from connectors.files.tables import Row, read_table

_encode = msgspec.json.Encoder(order="sorted").encode


class Parsed(msgspec.Struct):
    """A row after its mapping: a record, or the reason it was rejected; neither for a footer."""

    record: Record | None = None
    rejected: Rejected | None = None
    digest: bytes = b""
    values: Mapping[str, Any] = msgspec.field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Mapped:
    """An opened file: the rule of each canonical column, and its rows, read lazily."""

    rules: Mapping[str, ColumnRule]
    rows: Iterator[tuple[Row, Parsed]]


def read_rows(
    folder: Folder,
    entity: Entity,
    table: TableSettings,
    drop: Drop,
    digest: str,
    observed_at: datetime,
) -> Mapped:
    """Open a file and map its rows.

    Raises:
        ConfigError: a mapped column is not in the file.
    """
    data = read_table(drop.path, table)
    place = (drop, data.sheet, digest)
    rules = table.rules() or {
        name: ColumnRule.model_validate({"from": name})
        for name in data.headers
        if name in entity.columns
    }
    _check_headers(folder, entity, table, drop, rules, data.headers)

    def rows() -> Iterator[tuple[Row, Parsed]]:
        for row in data.rows:
            if row.is_footer:
                yield row, Parsed()
            elif row.problem is not None:
                yield row, _reject(row, row.problem)
            else:
                yield (
                    row,
                    _mapped(entity, table, rules, row, place, observed_at),
                )

    return Mapped(rules, rows())


def _mapped(
    entity: Entity,
    table: TableSettings,
    rules: Mapping[str, ColumnRule],
    row: Row,
    place: tuple[Drop, str | None, str],
    observed_at: datetime,
) -> Parsed:
    drop, sheet, digest = place
    notation = table.notation()
    values: dict[str, Any] = {}
    raw: dict[str, str] = {}
    for name, rule in rules.items():
        cell = row.cells.get(rule.source) if rule.source is not None else rule.constant
        if rule.source is not None and cell is not None:
            raw[rule.source] = str(cell)
        try:
            value = canonical(cell, entity.columns[name], notation, rule.values)
            if value is None and rule.default is not None:
                value = canonical(rule.default, entity.columns[name], notation)
            elif value is not None and rule.scale is not None:
                value = format(EXACT.multiply(Decimal(str(value)), rule.scale), "f")
        except CellError as error:
            return _reject(row, f"{rule.source or name}: {error}")
        values[name] = value
    empty = [name for name in entity.required if values.get(name) is None]
    if empty:
        return _reject(row, f"{rules[empty[0]].source or empty[0]}: required: the cell is empty")
    key = ":".join("" if values.get(n) is None else str(values[n]) for n in entity.key)
    if table.mode == "changes" and str(row.cells.get(table.op_column, "")).upper() == "D":
        record = Record(key, None, observed_at, "deleted", drop.updated_at)
    else:
        shown = {"_file": drop.name, "_sheet": sheet, "_row": row.number}
        payload = {**values, **shown, "_sha256": digest, "_raw": raw}
        record = Record(key, _encode(payload), observed_at, "upsert", drop.updated_at)
    content = hashlib.sha256(_encode(values)).digest()
    return Parsed(record=record, digest=content, values=values)


def _reject(row: Row, problem: str) -> Parsed:
    # The place and the reason, never the content: exports carry salaries and birthdays.
    return Parsed(rejected=Rejected(None, f"{row.place}: {problem}", row.place.encode()))


def _check_headers(
    folder: Folder,
    entity: Entity,
    table: TableSettings,
    drop: Drop,
    rules: Mapping[str, ColumnRule],
    headers: Sequence[str],
) -> None:
    missing: list[str | None]
    missing = [rule.source for rule in rules.values() if rule.source not in {None, *headers}]
    if not table.columns:
        sums = () if table.control is None else table.control.amounts
        missing = [name for name in (*entity.required, *sums) if name not in rules]
    if not missing:
        return
    parts = []
    for name in missing:
        near = get_close_matches(str(name), headers, n=1)
        parts.append(f"{name!r}" + (f" (did you mean {near[0]!r}?)" if near else ""))
    raise ConfigError(
        f"{drop.name} has no column {', '.join(parts)}. "
        f"It has: {', '.join(headers)}. Mend sources.files.{folder.connection}.tables."
        f"{entity.name}.columns."
    )
