"""How a folder of files is described in pipeledger.toml.

[sources.files.plan]
folder = "inbox"

[sources.files.plan.tables.quotas]
path = "quotas*.csv"

[sources.files.plan.tables.deals]
path = "deals.csv"
encoding = "cp1252"
delimiter = ";"
decimal = ","
thousands = "."
date_formats = ["%d.%m.%Y"]
columns.deal_id = "Nummer"
columns.amount = "Betrag"
columns.currency_code = { constant = "EUR" }
columns.status = { from = "Status", values = { gewonnen = "won", offen = "open" } }
"""

import codecs
import difflib
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from connectors.files.cells import Notation
from connectors.files.entities import ENTITIES
from connectors.files.eras import is_era_format, problem_of

CONTROL_SUFFIX = ".ctl"
"""A file's control totals lie beside it under its own name and this."""


class ColumnRule(BaseModel):
    """Where a canonical column comes from: a header, a constant, or a default."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: str | None = Field(default=None, alias="from")
    """The header of the file's column."""
    constant: str | None = None
    """One value for every row, for what the file does not carry (its currency, say)."""
    default: str | None = None
    """Used where the cell is empty."""
    values: dict[str, str] | None = None
    """The file's words and their canonical ones; a word outside the map rejects its row."""

    scale: Decimal | None = Field(default=None, gt=0)
    """What one unit of the cells is worth: 1000 where a plan is in thousands (千円)."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.source is None) == (self.constant is None):
            msg = "give either `from` (a header of the file) or `constant`"
            raise ValueError(msg)
        if self.scale is not None and self.source is None:
            msg = "`scale` is for cells of the file; write the constant out"
            raise ValueError(msg)
        return self


_UNMAPPED = ColumnRule(constant="")


class ControlSettings(BaseModel):
    """Totals that a file must tie out with, or nothing of it lands."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    source: Literal["sidecar", "footer"] = Field(alias="from")
    """sidecar: a file beside it (``deals.csv.ctl``) with lines ``rows = 2`` or
    ``amount = 1130.50``; footer: the row that ``footer`` finds at the end of the table."""
    amounts: tuple[str, ...] = ()
    """Canonical columns whose sums must be stated."""


class TableSettings(BaseModel):
    """One entity read from the files that match a pattern."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    """Pattern below the folder, such as ``deals_*.csv``."""
    mode: Literal["snapshot", "append", "changes"] = "snapshot"
    """snapshot: the newest files hold all rows, the rest is deleted; append: never deleted;
    changes: the column ``op`` says I, U or D."""
    op_column: str = "op"
    sheet: str | int = 0
    """Sheet of a workbook, by name or by position from 0."""
    header_row: int = Field(default=1, ge=1)
    """The line that holds the headers, counted from 1."""
    footer: str | None = None
    """A row whose first cell begins so ends the table ("Total")."""
    encoding: str = "utf-8-sig"
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    quote: str = Field(default='"', min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'", "’"] = ""
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    instant_formats: tuple[str, ...] = ()
    time_zone: str = "UTC"
    """Zone of instants that carry none."""
    money_from_float: bool = False
    """Accept money that a Parquet file holds as floating point."""
    max_bad_share: float = Field(default=0.01, ge=0, le=1)
    """Above this share of rejected rows nothing of the file lands."""
    allow_empty: bool = False
    """Let an empty snapshot delete everything."""
    control: ControlSettings | None = None
    columns: dict[str, ColumnRule | str] = Field(default_factory=dict)
    """Canonical column -> header, or a rule; without it headers are canonical names."""

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, name: str) -> str:
        try:
            found = codecs.lookup(name).name
        except LookupError as error:
            msg = f"unknown encoding {name!r}"
            raise ValueError(msg) from error
        # Japanese Excel writes code page 932; Python's shift_jis fails on its extra characters.
        return "cp932" if found == "shift_jis" else name

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            msg = f"unknown time zone {name!r}"
            raise ValueError(msg) from error
        return name

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        if self.thousands == self.decimal:
            msg = "decimal and thousands marks must differ"
            raise ValueError(msg)
        return self

    @field_validator("date_formats")
    @classmethod
    def _known_eras(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        problems = [problem_of(one) for one in patterns if is_era_format(one)]
        if found := [problem for problem in problems if problem]:
            raise ValueError("; ".join(found))
        return patterns

    @model_validator(mode="after")
    def _has_totals(self) -> Self:
        if self.control is None or self.control.source == "sidecar":
            return self
        if self.footer is None or not self.control.amounts:
            msg = 'control from "footer" needs `footer`, and the columns it sums in `amounts`'
            raise ValueError(msg)
        return self

    def rules(self) -> dict[str, ColumnRule]:
        """The mapping with every plain header spelt out as a rule."""
        return {
            name: rule
            if isinstance(rule, ColumnRule)
            else ColumnRule.model_validate({"from": rule})
            for name, rule in self.columns.items()
        }

    def notation(self) -> Notation:
        """How this table writes numbers and times."""
        return Notation(
            self.decimal,
            self.thousands,
            self.date_formats,
            self.instant_formats,
            self.time_zone,
            self.money_from_float,
        )


class FilesSettings(BaseModel):
    """A folder and the tables read from it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path
    """Relative to the settings file."""
    settle_seconds: float = Field(default=5.0, ge=0, le=3600)
    """A file must have been left alone this long before it is read."""
    tables: dict[str, TableSettings]

    @field_validator("tables")
    @classmethod
    def _known_names(cls, tables: dict[str, TableSettings]) -> dict[str, TableSettings]:
        problems = []
        for name, table in tables.items():
            if name not in ENTITIES:
                problems.append(f"unknown table {name!r}{_did_you_mean(name, ENTITIES)}")
                continue
            known = ENTITIES[name].columns
            problems += [
                f"table {name!r} has no column {column!r}{_did_you_mean(column, known)}"
                for column in table.columns
                if column not in known
            ]
            if table.columns:
                problems += [
                    f"table {name!r} needs the column {column!r}: map it to a header"
                    for column in ENTITIES[name].required
                    if column not in table.columns
                ]
            sums = () if table.control is None else table.control.amounts
            scaled = [column for column, rule in table.rules().items() if rule.scale is not None]
            problems += [
                f"table {name!r}: {column!r} is no amount, it has neither sum nor scale"
                for column in (*sums, *scaled)
                if known.get(column) != "decimal"
            ]
            problems += [
                f"table {name!r}: the column {column!r} is under control but not mapped to a header"
                for column in sums
                if table.columns and (table.rules().get(column) or _UNMAPPED).source is None
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return tables


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest known word, or nothing."""
    near = difflib.get_close_matches(word, list(known), n=1)
    return f", did you mean {near[0]!r}?" if near else ""
