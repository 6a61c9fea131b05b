"""Whatever happens to deals, every bridge of the pipeline closes to the cent, on every scope.

dbt builds the models once over an empty warehouse; each example then fills the inputs with
random histories (moves, merges, deletions, re-opens, currencies, owners, late entries) and runs
the very SQL that dbt compiled.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dbt.empty import EmptyCompany, Models

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]

CALENDAR = ("marts/dim_fiscal_period", "marts/dim_date", "intermediate/int_pipeline_windows")
CHAIN = (
    "intermediate/int_pipeline_versions",
    "intermediate/int_pipeline_balances",
    "marts/fct_pipeline_movement",
    "marts/mart_pipeline_movement",
)
"""Models rebuilt for each example, each after those it reads."""
DAILY = "marts/fct_deal_daily"
AS_OF = datetime(2026, 10, 15, 6, tzinfo=UTC)
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
QUARTERS = (
    ("FY2027-Q1", date(2026, 2, 1), date(2026, 4, 30)),
    ("FY2027-Q2", date(2026, 5, 1), date(2026, 7, 31)),
    ("FY2027-Q3", date(2026, 8, 1), date(2026, 10, 31)),
    ("FY2027-Q4", date(2026, 11, 1), date(2027, 1, 31)),
)
CLOSE_DATES = (None, date(2026, 4, 10), date(2026, 5, 20), date(2026, 7, 31), date(2026, 8, 1),
               date(2026, 10, 20), date(2026, 12, 24))  # fmt: skip


@dataclass(frozen=True)
class Edit:
    """A change of one field, so many hours after the one before, seen so many hours later."""

    field: str
    value: object
    hours: int
    seen_after: int


def edit(field: str, values: st.SearchStrategy[object]) -> st.SearchStrategy[Edit]:
    return st.builds(
        Edit,
        field=st.just(field),
        value=values,
        hours=st.integers(1, 1_500),
        seen_after=st.sampled_from([0, 1, 30, 2_000]),
    )


edits = st.one_of(
    edit("status", st.sampled_from(["open", "won", "lost", "won"])),
    edit("amount_amt", st.none() | st.integers(0, 90_000).map(lambda n: Decimal(n) / 100)),
    edit("expected_close_date", st.sampled_from(CLOSE_DATES)),
    edit("owner_user_key", st.sampled_from(["ana", "ben", "cleo"])),
    edit("pipeline_key", st.sampled_from(["new", "renewal"])),
    edit("source_channel", st.sampled_from(["web", "event", None])),
    edit("currency_code", st.sampled_from(["EUR", "USD", "JPY"])),
    edit("is_deleted", st.booleans()),
    edit("is_merged_away", st.booleans()),
    edit("forecast_category", st.sampled_from(["commit", "omitted"])),
)
histories = st.lists(st.lists(edits, max_size=9), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def warehouse(
    empty_company: EmptyCompany, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[duckdb.DuckDBPyConnection, dict[str, str]]]:
    """A copy of the empty warehouse and the compiled SQL of each model of the chain."""
    names = (*CALENDAR, *CHAIN, DAILY)
    with empty_company.models(tmp_path_factory.mktemp("pipeline"), names) as models:
        prepare(models)
        yield models.db, models.sql


def prepare(models: Models) -> None:
    """Calendar, people, teams and rates, which all examples share."""
    connection = models.db
    for key, start, end in QUARTERS:
        insert(connection, "config.fiscal_periods", grain="quarter", period_key=key,
               start_date=start, end_date=end)  # fmt: skip
    for month in range(2, 14):
        start = date(2026 + (month - 1) // 12, (month - 1) % 12 + 1, 1)
        following = date(2026 + month // 12, month % 12 + 1, 1)
        insert(connection, "config.fiscal_periods", grain="month", period_key=f"M{month}",
               start_date=start, end_date=following - timedelta(1))  # fmt: skip
    insert(connection, "config.fiscal_periods", grain="year", period_key="FY2027",
           start_date=date(2026, 2, 1), end_date=date(2027, 1, 31))  # fmt: skip
    for table in ("marts.fct_fx_rate", "intermediate.int_user_scopes"):
        connection.execute(f"DELETE FROM {table}")
    for rate_type, seed in (("spot", 0), ("spot_as_known", 1)):
        connection.execute(
            "INSERT INTO marts.fct_fx_rate (currency_code, rate_type, rate_date, rate_to_rc)"
            f" SELECT code, '{rate_type}', day::date, CASE code WHEN 'EUR' THEN 1 WHEN 'USD'"
            f" THEN 0.8 + (hash(day, {seed}) % 977) / 4000"
            f" ELSE 0.005 + (hash(day, {seed}) % 97) / 90000 END"
            " FROM range(TIMESTAMP '2026-01-01', TIMESTAMP '2026-10-16', INTERVAL 1 DAY)"
            " AS days(day), (VALUES ('EUR'), ('USD'), ('JPY')) AS codes(code)"
        )
    for user, team, joined, left in (
        ("ana", "dach", "1970-01-01", "2026-06-15"),
        ("ana", "japan", "2026-06-15", "9999-12-31"),
        ("ben", "dach", "1970-01-01", "9999-12-31"),
        ("cleo", "japan", "1970-01-01", "9999-12-31"),
    ):
        insert(connection, "intermediate.int_user_scopes", user_key=user, scope_type="team",
               scope_key=team, valid_from=f"{joined} 00:00:00+00",
               valid_to=f"{left} 00:00:00+00")  # fmt: skip
    for name in CALENDAR:
        table = name.replace("/", ".")
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {models.sql[name]}")
    connection.execute(f"CREATE OR REPLACE VIEW marts.fct_deal_daily AS {models.sql[DAILY]}")


def insert(connection: duckdb.DuckDBPyConnection, table: str, **values: object) -> None:
    """Add one row that states only some of the columns."""
    marks = ", ".join("?" for _ in values)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values())
    )


Rows = list[tuple[datetime, datetime, dict[str, object]]]
"""When it was so, when it was first seen, and how the deal stood."""

AT_FIRST: dict[str, object] = {
    "status": "open",
    "amount_amt": Decimal(100),
    "currency_code": "EUR",
    "expected_close_date": date(2026, 5, 20),
    "owner_user_key": "ana",
    "pipeline_key": "new",
    "source_channel": "web",
    "is_deleted": False,
    "is_merged_away": False,
    "forecast_category": "commit",
}


def write(connection: duckdb.DuckDBPyConnection, key: str, rows: Rows) -> None:
    """A deal and its versions."""
    insert(connection, "marts.fct_deal", deal_key=key, measure="bookings", is_excluded=False)
    for number, (valid_from, seen_from, held) in enumerate(rows):
        later = rows[number + 1 :]
        insert(
            connection,
            "marts.fct_deal_version",
            deal_key=key,
            survivor_deal_key=key,
            version_no=number + 1,
            stage_key="s",
            valid_from=valid_from,
            valid_to=later[0][0] if later else None,
            seen_from=seen_from,
            seen_to=min((seen for _, seen, _ in later), default=None),
            **held,
        )


def clear(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("DELETE FROM marts.fct_deal_version")
    connection.execute("DELETE FROM marts.fct_deal")


def compute(connection: duckdb.DuckDBPyConnection, sql: dict[str, str]) -> None:
    """Run the chain over what was written."""
    for name in CHAIN:
        table = name.replace("/", ".")
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS {sql[name]}")


def fill(
    connection: duckdb.DuckDBPyConnection, deals: list[list[Edit]]
) -> dict[tuple[str, str], Decimal]:
    """Write the histories; return what is won today, by quarter and owner at the win."""
    clear(connection)
    won: dict[tuple[str, str], Decimal] = {}
    for place, history in enumerate(deals):
        state = {**AT_FIRST, "amount_amt": Decimal(100 + place), "currency_code": "USD"}
        at = FIRST + timedelta(hours=37 * place)
        rows: Rows = [(at, at, dict(state))]
        for one in history:
            at += timedelta(hours=one.hours)
            if at > AS_OF:
                break
            state[one.field] = one.value
            rows.append((at, min(at + timedelta(hours=one.seen_after), AS_OF), dict(state)))
        write(connection, f"d:{place}", rows)
        win = standing_win(rows)
        if win:
            worth, quarter = booked(connection, *win)
            cell = (quarter, str(win[1]["owner_user_key"]))
            won[cell] = won.get(cell, Decimal(0)) + worth
    return won


def standing_win(rows: Rows) -> tuple[datetime, dict[str, object]] | None:
    """The version with which a deal became won, if it still is and is still there."""
    win: tuple[datetime, dict[str, object]] | None = None
    is_live = False
    for valid_from, _, held in rows:
        is_live = not held["is_deleted"] and not held["is_merged_away"]
        if is_live and held["status"] != "won":
            win = None
        elif is_live and win is None:
            win = (valid_from, held)
    return win if is_live else None


def booked(
    connection: duckdb.DuckDBPyConnection, won_at: datetime, held: dict[str, object]
) -> tuple[Decimal, str]:
    """What a win was worth in euro on its day in Berlin, and its quarter."""
    day = (won_at + timedelta(hours=2 if won_at.date() >= date(2026, 3, 29) else 1)).date()
    (rate,) = connection.execute(
        "SELECT rate_to_rc FROM marts.fct_fx_rate"
        " WHERE currency_code = ? AND rate_date = ? AND rate_type = 'spot'",
        [held["currency_code"], day],
    ).fetchall()[0]
    amount = held["amount_amt"] if isinstance(held["amount_amt"], Decimal) else Decimal(0)
    quarter = next(key for key, start, end in QUARTERS if start <= day <= end)
    return (amount * rate).quantize(Decimal("0.01"), "ROUND_HALF_UP"), quarter


@settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deals=histories)
def test_every_bridge_closes_and_both_ledgers_name_the_same_wins(
    warehouse: tuple[duckdb.DuckDBPyConnection, dict[str, str]], deals: list[list[Edit]]
) -> None:
    """A bridge with a rest, or a win that only one ledger knows, is a number nobody trusts."""
    connection, sql = warehouse
    won = fill(connection, deals)

    compute(connection, sql)

    mart = "marts.mart_pipeline_movement"
    ends, rest = connection.execute(
        f"SELECT count(*), count(*) FILTER (residual_rc <> 0) FROM {mart} WHERE reason = 'end'"
    ).fetchall()[0]
    assert 0 < ends
    assert 0 == rest, connection.execute(
        f"SELECT * FROM {mart} WHERE residual_rc <> 0 LIMIT 3"
    ).fetchall()
    assert (
        []
        == connection.execute(
            "SELECT basis, scope_type, scope_key, period_key, window_type FROM"
            f" {mart} WHERE reason = 'won' AND movement_view = 'path' GROUP BY ALL"
            " HAVING coalesce(sum(amount_rc) FILTER (ledger = 'pipeline'), 0)"
            " <> -coalesce(sum(amount_rc) FILTER (ledger = 'bookings'), 0)"
        ).fetchall()
    )
    told = connection.execute(
        f"SELECT period_key, scope_key, won_rc FROM {mart} WHERE scope_type = 'owner'"
        " AND basis = 'restated' AND period_grain = 'quarter' AND movement_view = 'path'"
        " AND ledger = 'bookings' AND reason = 'end' AND won_rc <> 0"
        " AND (window_type = 'after' OR (window_type = 'period' AND is_running))"
    ).fetchall()
    assert {cell: worth for cell, worth in won.items() if worth} == {
        (period, owner): worth for period, owner, worth in told
    }
    for scope in ("owner", "team", "pipeline", "source_channel"):
        assert (
            []
            == connection.execute(
                f"SELECT basis, period_key, window_type, ledger, movement_view, reason FROM {mart}"
                " WHERE row_type <> 'movement' GROUP BY ALL HAVING sum(amount_rc) FILTER ("
                f"scope_type = '{scope}') <> sum(amount_rc) FILTER (scope_type = 'company')"
            ).fetchall()
        ), scope
    assert (
        []
        == connection.execute(
            "SELECT pipeline_movement_key FROM marts.fct_pipeline_movement GROUP BY ALL"
            " HAVING count(*) > 1"
        ).fetchall()
    )


@settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deals=histories)
def test_a_deal_has_one_row_a_day_and_the_days_agree_with_the_bridge(
    warehouse: tuple[duckdb.DuckDBPyConnection, dict[str, str]], deals: list[list[Edit]]
) -> None:
    """Two rows for one day count a deal twice; two answers for one day are none."""
    connection, sql = warehouse
    fill(connection, deals)

    compute(connection, sql)

    days, rows = connection.execute(
        "SELECT count(DISTINCT (deal_key, basis, date)), count(*) FROM marts.fct_deal_daily"
    ).fetchall()[0]
    assert 0 < days == rows
    open_then = connection.execute(
        "SELECT d.basis, d.period_key, p.first_date - 1 = d.date, sum(d.amount_rc)"
        " FROM marts.fct_deal_daily AS d JOIN intermediate.int_pipeline_windows AS p"
        " ON p.window_type = 'period' AND p.period_key = d.period_key"
        " AND d.date IN (p.first_date - 1, p.last_date)"
        " WHERE status = 'open' AND NOT is_deleted AND NOT is_merged_away"
        " AND forecast_category <> 'omitted' GROUP BY ALL HAVING sum(d.amount_rc) <> 0"
    ).fetchall()
    bridged = connection.execute(
        "SELECT basis, period_key, reason = 'start', amount_rc FROM marts.mart_pipeline_movement"
        " WHERE scope_type = 'company' AND window_type = 'period' AND period_grain = 'quarter'"
        " AND ledger = 'pipeline' AND movement_view = 'path' AND reason IN ('start', 'end')"
        " AND amount_rc <> 0"
    ).fetchall()
    assert sorted(bridged) == sorted(open_then)


def test_rates_loaded_anew_restate_the_bridge_and_leave_the_one_that_was_known(
    warehouse: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
) -> None:
    """Both bridges close before and after, and what was reported as known is reported again."""
    connection, sql = warehouse
    moves = [
        *(Edit("amount_amt", Decimal(90), 700, 0), Edit("owner_user_key", "ben", 700, 30)),
        *(Edit("status", "won", 1_000, 0), Edit("amount_amt", Decimal(95), 300, 0)),
    ]
    fill(connection, [moves, moves[:2], []])
    told = "SELECT * FROM {} WHERE basis = ? ORDER BY ALL"
    tables = ("marts.mart_pipeline_movement", "marts.fct_pipeline_movement", "marts.fct_deal_daily")

    def by_basis(basis: str) -> list[list[tuple[object, ...]]]:
        return [connection.execute(told.format(table), [basis]).fetchall() for table in tables]

    compute(connection, sql)
    known, restated = by_basis("as_known"), by_basis("restated")
    connection.execute("BEGIN")
    connection.execute(
        "UPDATE marts.fct_fx_rate SET rate_to_rc = rate_to_rc * 1.25"
        " WHERE rate_type = 'spot' AND currency_code = 'USD'"
    )
    compute(connection, sql)
    known_after, restated_after = by_basis("as_known"), by_basis("restated")
    rest = connection.execute(
        "SELECT count(*) FROM marts.mart_pipeline_movement WHERE residual_rc <> 0"
    ).fetchall()
    connection.execute("ROLLBACK")

    assert all(known)
    assert known == known_after
    assert all(before != after for before, after in zip(restated, restated_after, strict=True))
    assert [(0,)] == rest


def test_the_worked_waterfall_of_the_page(
    warehouse: tuple[duckdb.DuckDBPyConnection, dict[str, str]],
) -> None:
    """docs/marts/pipeline_movement.md tells this quarter, number by number."""
    connection, sql = warehouse
    clear(connection)
    histories: dict[str, list[tuple[str, dict[str, object]]]] = {
        "alpha": [
            ("2026-04-01", {}),
            ("2026-06-10", {"amount_amt": Decimal(120)}),
            ("2026-06-20", {"status": "won"}),
        ],
        "beta": [
            ("2026-04-01", {"amount_amt": Decimal(200), "expected_close_date": date(2026, 7, 31)}),
            ("2026-07-25", {"expected_close_date": date(2026, 10, 20)}),
        ],
        "gamma": [
            ("2026-04-01", {"amount_amt": Decimal(50)}),
            ("2026-06-01", {"expected_close_date": date(2026, 10, 20)}),
            ("2026-07-05", {"expected_close_date": date(2026, 7, 31)}),
        ],
        "delta": [
            ("2026-06-01", {"amount_amt": Decimal(40)}),
            ("2026-07-01", {"status": "lost"}),
        ],
        "undated": [("2026-04-01", {"amount_amt": Decimal(70), "expected_close_date": None})],
    }
    for key, changes in histories.items():
        state, rows = dict(AT_FIRST), []
        for day, change in changes:
            at = datetime.fromisoformat(f"{day} 10:00:00+00:00")
            state |= change
            rows.append((at, at + timedelta(hours=1), dict(state)))
        write(connection, key, rows)

    compute(connection, sql)

    def told(view: str, ledger: str, columns: str = "amount_rc") -> dict[str, tuple[object, ...]]:
        found = connection.execute(
            f"SELECT reason, {columns} FROM marts.mart_pipeline_movement WHERE basis = 'restated'"
            " AND scope_type = 'company' AND period_key = 'FY2027-Q2' AND window_type = 'period'"
            " AND movement_view = ? AND ledger = ?",
            [view, ledger],
        ).fetchall()
        return {reason: tuple(values) for reason, *values in found}

    path = {"start": 350, "created": 40, "increased": 20, "pulled_in": 50, "won": -120,
            "lost": -40, "pushed_out": -250, "end": 50}  # fmt: skip
    net = {"start": 350, "won": -100, "pushed_out": -200, "end": 50}
    assert {reason: (Decimal(worth),) for reason, worth in path.items()} == told("path", "pipeline")
    assert {reason: (Decimal(worth),) for reason, worth in net.items()} == told("net", "pipeline")
    assert {"start": (0,), "won": (120,), "end": (120,)} == told("path", "bookings")
    beside = told("path", "pipeline", "slip_rc, transient_rc, due_rc, slipped_rc, no_close_date_rc")
    assert (Decimal(-200), Decimal(0)) == beside["pushed_out"][:2]
    assert Decimal(40) == beside["created"][1]
    assert (Decimal(350), Decimal(250), Decimal(70)) == beside["end"][2:]
