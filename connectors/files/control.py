"""Control totals: how many rows and how much money a file says that it holds.

A file that was cut off between two rows is a valid file. Whoever wrote it knows its rows and
sums; where these are told, in a file beside it or in its last row, they must tie out, or nothing
of the file lands.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

from connectors.base.errors import ProtocolError
from connectors.files.cells import CellError, Notation, decimal_text
from connectors.files.entities import Entity
from connectors.files.settings import CONTROL_SUFFIX, ColumnRule, ControlSettings

ROWS = "rows"
MAX_SIDECAR = 64 * 1024
_SHOWN = ("gross_amount", "net_amount", "amount", "applied_amount")
EXACT = Context(prec=100)


@dataclass(slots=True)
class Tally:
    """What was read of one file: its rows, good and bad, and the sums of the good ones.

    ``sums`` holds decimals by (canonical column, currency code); a row without a currency
    counts under "".
    """

    rows: int = 0
    sums: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def add(self, values: Mapping[str, Any], columns: Sequence[str]) -> None:
        """Count a good row's amounts."""
        currency = str(values.get("currency_code") or "")
        for column in columns:
            if values.get(column) is not None:
                before = self.sums.get((column, currency), Decimal())
                self.sums[column, currency] = EXACT.add(before, Decimal(values[column]))

    def total(self, column: str, currency: str | None = None) -> Decimal:
        """A column's sum, in one currency or over all of them."""
        total = Decimal()
        for (name, code), amount in self.sums.items():
            if name == column and currency in {None, code}:
                total = EXACT.add(total, amount)
        return total

    def told(self) -> str:
        """Rows and sums by currency, for the sync report."""
        sums = [
            f"{name} {f'{amount:f} {code}'.strip()}"
            for (name, code), amount in sorted(self.sums.items())
        ]
        return ", ".join([f"{self.rows} row(s)", *sums])


def summed_columns(
    rules: Mapping[str, ColumnRule],
    entity: Entity,
    control: ControlSettings | None,
    stated: Mapping[str, Decimal],
) -> list[str]:
    """The columns whose sums are told: those under control, else the entity's first amount."""
    named = [] if control is None else list(control.amounts)
    named += [key.partition(".")[0] for key in stated]
    held = [name for name in dict.fromkeys(named) if name in rules]
    held = [name for name in held if entity.columns[name] == "decimal"]
    return held or [column for column in _SHOWN if column in rules][:1]


def stated_beside(path: Path, name: str, notation: Notation) -> dict[str, Decimal]:
    """What the file beside a drop states: ``rows``, a column, or a column in a currency.

    One ``name = value`` (or ``name;value``) a line, in the table's own notation:
    ``rows = 2``, ``gross_amount = 1130.50``, ``gross_amount.EUR = 1130.50``.

    Raises:
        ProtocolError: it is missing, too long, or a line cannot be read.
    """
    label = name + CONTROL_SUFFIX
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SIDECAR + 1)
    except FileNotFoundError as error:
        raise ProtocolError(
            f"{name} waits for its control totals: there is no {label} beside it"
        ) from error
    if len(text) > MAX_SIDECAR:
        raise ProtocolError(f"{label} is longer than {MAX_SIDECAR >> 10} KB: no control totals")
    stated: dict[str, Decimal] = {}
    for number, line in enumerate(text.decode("utf-8-sig", "replace").splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, mark, value = line.partition("=") if "=" in line else line.partition(";")
        try:
            amount = Decimal(decimal_text(value.strip(), notation))
        except CellError as error:
            raise ProtocolError(f"{label}:{number}: {error}") from error
        if not mark or key.strip() in stated:
            raise ProtocolError(f"{label}:{number}: give each name once, as name = value")
        stated[key.strip()] = amount
    if not stated:
        raise ProtocolError(f"{label} states nothing; give rows, or the sum of a column")
    return stated


def stated_in_row(
    cells: Mapping[str, Any] | None,
    name: str,
    control: ControlSettings,
    rules: Mapping[str, ColumnRule],
    notation: Notation,
) -> dict[str, Decimal]:
    """What the row that ends the table states, in the columns under control.

    Raises:
        ProtocolError: the row is missing (the file was cut off), or a cell is no number.
    """
    if cells is None:
        raise ProtocolError(f"{name} lacks the row that ends it with its totals: cut off?")
    stated: dict[str, Decimal] = {}
    for column in control.amounts:
        rule = rules[column]
        cell = cells.get(str(rule.source))
        try:
            stated[column] = EXACT.multiply(
                Decimal(decimal_text(cell, notation)), rule.scale or Decimal(1)
            )
        except CellError as error:
            raise ProtocolError(f"{name}: {rule.source} of its last row: {error}") from error
    return stated


def tie_out(
    tally: Tally,
    stated: Mapping[str, Decimal],
    name: str,
    columns: Sequence[str],
    control: ControlSettings,
) -> None:
    """Hold what was read to what was stated.

    Raises:
        ProtocolError: they differ; names each difference.
    """
    wrong = []
    for key, amount in stated.items():
        column, _, currency = key.partition(".")
        if key == ROWS:
            read = Decimal(tally.rows)
        elif column in columns:
            read = tally.total(column, currency or None)
        else:
            wrong.append(f"{key} is stated, which is neither rows nor a mapped amount")
            continue
        if read != amount:
            difference = EXACT.subtract(read, amount)
            wrong.append(f"{key} is {read:f}, stated {amount:f} (difference {difference:f})")
    known = {key.partition(".")[0] for key in stated}
    wrong += [f"{column} is not stated" for column in control.amounts if column not in known]
    if wrong:
        raise ProtocolError(
            f"{name} does not tie out with its control totals, nothing of it landed: "
            + "; ".join(wrong)
        )
