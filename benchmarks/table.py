"""What a benchmark hands over, and how it is printed."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measured number beside the one to hold.

    ``bound`` says whether ``target`` is a floor (a rate) or a ceiling (seconds, MB);
    ``target`` None is measured for information.
    """

    name: str
    value: float
    unit: str
    target: float | None = None
    bound: Literal["at least", "at most"] = "at most"

    @property
    def is_held(self) -> bool:
        """Does the number hold? True where there is no target."""
        if self.target is None:
            return True
        return self.value >= self.target if self.bound == "at least" else self.value <= self.target

    @property
    def ratio(self) -> float | None:
        """How well it holds: above 1 is better than asked; None without a target."""
        if self.target is None or not self.target or not self.value:
            return None
        return self.value / self.target if self.bound == "at least" else self.target / self.value


def show(measured: Iterable[Measurement], console: Console) -> Iterator[Measurement]:
    """Print each measurement as it comes, then all as a table; yield them again."""
    rows = []
    for one in measured:
        console.print(f"  {one.name}: {one.value:,.2f} {one.unit}", highlight=False)
        rows.append(one)
        yield one
    table = Table(title="pipeledger benchmarks")
    for heading, justify in (
        ("measured", "left"),
        ("value", "right"),
        ("to hold", "right"),
        ("ratio", "right"),
        ("held", "left"),
    ):
        table.add_column(heading, justify="left" if justify == "left" else "right")
    for one in rows:
        target = "" if one.target is None else f"{one.bound} {one.target:,.10g} {one.unit}"
        ratio = "" if one.ratio is None else f"{one.ratio:.2f}"
        held = "" if one.target is None else ("yes" if one.is_held else "NO")
        table.add_row(one.name, f"{one.value:,.2f} {one.unit}", target, ratio, held)
    console.print(table)
