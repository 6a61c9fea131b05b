"""How right the forecasts were: the closed quarters of a publication, as Markdown tables.

    python -m benchmarks.backtest [serving file]

Without a file the fictional company is made and published in a folder of its own. Nothing here is
computed anew: the tables are read from mart_forecast_accuracy and mart_probability_calibration.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb

SHARES = ("0.00", "0.25", "0.50", "0.75", "0.90")
METHODS = (
    *("commit", "most_likely", "best_case", "pipeline_all", "crm_weighted"),
    *("learned_weighted", "historical_conversion", "submission"),
)
SPOKEN = """
    quarters as (
        select distinct period_key from marts.mart_forecast_accuracy
        where scope_type = 'company' and method = 'historical_conversion'
            and rel_day_bucket = 0.25 and period_grain = 'quarter'
    ),
    said as (
        select a.* from marts.mart_forecast_accuracy as a join quarters using (period_key)
        where period_grain = 'quarter'
    )
"""
"""The quarters of which every method says something from their first weeks on."""


def calibration(db: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    """Said and came by decile, the CRM's probability beside the learned one."""
    yield ("decile", "CRM n", "said", "won", "learned n", "said", "won")
    rows = db.execute(
        "select decile, any_value(n) filter (model = 'crm'), "
        "any_value(mean_p) filter (model = 'crm'), "
        "any_value(observed_rate) filter (model = 'crm'), any_value(n) filter (model = 'learned'), "
        "any_value(mean_p) filter (model = 'learned'), "
        "any_value(observed_rate) filter (model = 'learned') "
        "from marts.mart_probability_calibration group by decile order by decile"
    ).fetchall()
    for decile, *values in rows:
        yield (f"{(decile - 1) / 10:.1f} to {decile / 10:.1f}", *values)


def scores(db: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    """Brier score and log loss of the two probabilities."""
    yield ("probability", "n", "Brier", "log loss")
    yield from db.execute(
        "select model, sum(n), sum(n * brier) / sum(n), sum(n * log_loss) / sum(n) "
        "from marts.mart_probability_calibration group by model order by model"
    ).fetchall()


def errors(db: duckdb.DuckDBPyConnection, figure: str) -> Iterator[Sequence[Any]]:
    """The company's error by method and share of the quarter, over the quarters together."""
    yield ("method", "quarters", *SHARES)
    for method in METHODS:
        found = dict(
            db.execute(
                f"with {SPOKEN} select cast(rel_day_bucket as varchar), "
                f"cast({figure} as double) / cast(sum(actual_rc) as double) from said "
                "where scope_type = 'company' and method = ? group by all",
                [method],
            ).fetchall()
        )
        quarters = db.execute(
            f"with {SPOKEN} select count(distinct period_key) from said "
            "where scope_type = 'company' and method = ?",
            [method],
        ).fetchone()
        yield (method, *(quarters or ()), *(found.get(share) for share in SHARES))


def coverage(db: duckdb.DuckDBPyConnection) -> Iterator[Sequence[Any]]:
    """How many of the intervals held what came; they promise 0.8."""
    yield (
        "method",
        *(f"{kind}{mark}" for kind in ("company", "team", "user") for mark in (" n", "")),
    )
    for method in METHODS:
        found = {
            kind: (n, share)
            for kind, n, share in db.execute(
                "select scope_type, count(inside_p10_p90), avg(cast(inside_p10_p90 as integer)) "
                "from marts.mart_forecast_accuracy "
                "where period_grain = 'quarter' and method = ? group by scope_type",
                [method],
            ).fetchall()
        }
        cells = (found.get(kind, (0, None)) for kind in ("company", "team", "user"))
        yield (method, *(value for pair in cells for value in pair))


def markdown(rows: Iterator[Sequence[Any]]) -> str:
    """A table: the first row is its heading."""
    lines = [[_text(value) for value in row] for row in rows]
    lines.insert(1, ["---", *["--:"] * (len(lines[0]) - 1)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _text(value: Any) -> str:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)


def show(file: Path) -> str:
    """All tables of a serving file."""
    with duckdb.connect(str(file), read_only=True) as db:
        tables = {
            "Said and won, by decile of the probability": calibration(db),
            "Over all deciles": scores(db),
            "Errors of the company without sign / won (WAPE), by share of the quarter": errors(
                db, "sum(abs(error_rc))"
            ),
            "Errors of the company / won (bias), by share of the quarter": errors(
                db, "sum(error_rc)"
            ),
            "Intervals that held the outcome, of those given": coverage(db),
        }
        return "\n\n".join(f"**{title}**\n\n{markdown(rows)}" for title, rows in tables.items())


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="data/serving/current.duckdb of a run")
    file = parser.parse_args().file
    if file is not None:
        sys.stdout.write(show(file) + "\n")
        return 0
    from pipeledger.demo import run_demo

    with tempfile.TemporaryDirectory() as folder:
        code = run_demo(Path(folder))
        sys.stdout.write(show(Path(folder) / "data" / "serving" / "current.duckdb") + "\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
