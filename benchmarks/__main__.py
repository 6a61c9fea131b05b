"""Run the benchmarks and print one table: ``python -m benchmarks [name ...] [--full]``.

A benchmark is a module of this package with a function ``measure(full: bool)`` that yields
``Measurement``; without ``--full`` it takes its small sizes (a minute or two in all).
Exit 1 if a number to hold does not hold.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Callable, Iterator

from rich.console import Console

import benchmarks
from benchmarks.table import Measurement, show

Measure = Callable[[bool], Iterator[Measurement]]


def collect() -> dict[str, Measure]:
    """Every module of this package that measures something, by name."""
    found: dict[str, Measure] = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if module.name.startswith("_"):
            continue
        measure = getattr(importlib.import_module(f"benchmarks.{module.name}"), "measure", None)
        if measure is not None:
            found[module.name] = measure
    return found


def main() -> int:
    """Measure what was asked for, all of it by default."""
    known = collect()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help=f"some of: {', '.join(known)}; all by default")
    parser.add_argument("--full", action="store_true", help="the large sizes too")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(known))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    console = Console(width=int(os.environ.get("COLUMNS", "110")))
    chosen = asked.names or list(known)
    measured = (one for name in chosen for one in known[name](asked.full))
    shown = list(show(measured, console))
    return 0 if all(one.is_held for one in shown) else 1


if __name__ == "__main__":
    sys.exit(main())
