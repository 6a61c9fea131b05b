"""Exchange rates from end to end: every fixing of ten years, twice, and what invoices see."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from connectors.fx import CONNECTOR, FxSettings
from connectors.fx.calendar import is_target_day
from pipeledger.landing import Landing
from pipeledger.sync import SyncReport, sync_connection
from sandbox.fx import FxServer, FxState

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("fx"), pytest.mark.timeout(300)]

FIRST = date(2016, 10, 14)
LAST = date(2026, 10, 14)


def fixed() -> FxState:
    """Ten years of four currencies; each rate is told from every other by its digits."""
    bank = FxState()
    day = FIRST
    number = 0
    while day <= LAST:
        if is_target_day(day):
            number += 1
            bank.days[day] = {
                "USD": f"1.{number:05}",
                "JPY": f"1{number % 90 + 10}.{number:04}",
                "GBP": f"0.{number + 50_000:05}0",
                "PLN": f"4.{number:04}",
            }
        day += timedelta(days=1)
    return bank


async def sync(server: FxServer, folder: Path) -> SyncReport:
    asked = {"base_url": server.url, "currencies": list(server.state.columns)}
    return await sync_connection(
        CONNECTOR,
        FxSettings.model_validate(asked),
        "ecb",
        Landing(folder / "landing"),
        clock=lambda: server.state.now,
        state_dir=folder / "state",
    )


def landed(folder: Path) -> dict[tuple[date, str], Decimal]:
    """Newest rate by day and currency."""
    pin = Landing(folder / "landing").pin()["fx", "rates"]
    files = ", ".join(f"'{name}'" for name in pin.files)
    with duckdb.connect(":memory:") as db:
        rows = db.execute(
            'select body."date", body.quote, body.rate from (select json_transform(payload, '
            """'{"date":"DATE","quote":"VARCHAR","rate":"DECIMAL(24,8)"}') as body """
            f"from read_parquet([{files}]) qualify row_number() over (partition by record_id "
            "order by observed_at desc, sync_id desc, position desc) = 1)"
        ).fetchall()
    return {(day, currency): rate for day, currency, rate in rows}


def held(bank: FxState) -> dict[tuple[date, str], Decimal]:
    """What the bank has published."""
    return {
        (day, currency): Decimal(rate)
        for day, rates in bank.published().items()
        for currency, rate in rates.items()
    }


async def test_landed_rates_are_the_banks_own_twice(tmp_path: Path) -> None:
    """Ten thousand fixings; a new day, two corrections, and a third sync that adds nothing."""
    bank = fixed()
    with FxServer(bank) as server:
        first = await sync(server, tmp_path)
        assert held(bank) == landed(tmp_path)
        bank.fixes(date(2026, 10, 15), USD="1.5", JPY="170.01", GBP="0.9", PLN="4.4")
        bank.corrects(date(2026, 10, 14), USD="1.99")
        bank.corrects(date(2017, 1, 2), PLN="4.9")
        bank.advance(bank.now + timedelta(days=8))
        second = await sync(server, tmp_path)
        third = await sync(server, tmp_path)
        assert [] == server.errors

    assert first.is_complete
    assert second.is_complete
    assert 10_000 < len(held(bank))
    assert held(bank) == landed(tmp_path)
    assert 6 == sum(one.appended for one in second.streams)
    assert 0 == sum(one.appended for one in third.streams)
