"""A range read again: what is missing lands, and nothing else is any different."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base.errors import BudgetSpent, ConfigError
from pipeledger.landing import Landing
from pipeledger.locks import LockHeldError, exclusive
from pipeledger.sync import Range, SyncReport, backfill_connection
from tests.sync.vendor import CONNECTION, T0, Settings, Vendor, current, sync

WITHIN = Range(T0 + timedelta(seconds=5), T0 + timedelta(seconds=9))
LATER = T0 + timedelta(hours=1)


async def backfill(vendor: Vendor, folder: Path, **options: Any) -> SyncReport:
    return await backfill_connection(
        vendor.connector(),
        Settings(),
        CONNECTION,
        Landing(folder / "landing"),
        within=WITHIN,
        clock=lambda: LATER,
        state_dir=folder / "state",
        **options,
    )


async def rewritten(folder: Path) -> Vendor:
    """Synced; then the vendor changed everything without moving a clock past our cursor."""
    vendor = Vendor()
    for number in range(1, 13):
        vendor.put("deals", f"d{number:02}", number)
    await sync(vendor, folder)
    for row in vendor.tables["deals"].values():
        row.value += 100
    return vendor


def cursors(folder: Path) -> list[Any]:
    return Landing(folder / "landing").checkpoints()


async def test_what_changed_in_the_range_lands_and_what_lies_outside_stays(tmp_path: Path) -> None:
    """From the first instant on, up to and without the last."""
    vendor = await rewritten(tmp_path)

    report = await backfill(vendor, tmp_path, streams=["deals"])

    found = current(tmp_path, "deals")
    assert {"d05", "d06", "d07", "d08"} == {key for key, value in found.items() if value > 100}
    assert report.is_complete
    assert (12, 8) == (report.streams[0].seen, report.streams[0].appended)  # and their links
    assert "8 records changed outside" in str(report.streams[0].note)


async def test_the_live_cursor_never_moves_nor_does_anything_look_fresh(tmp_path: Path) -> None:
    """Moved back, the next sync reads for hours; moved on, it leaves a hole."""
    vendor = await rewritten(tmp_path)
    before = cursors(tmp_path)

    await backfill(vendor, tmp_path)

    assert before == cursors(tmp_path)
    vendor.cursors_asked.clear()
    await sync(vendor, tmp_path, at=LATER, streams=["deals"])
    assert [{"tick": 12}] == vendor.cursors_asked


async def test_a_second_backfill_adds_nothing(tmp_path: Path) -> None:
    vendor = await rewritten(tmp_path)
    await backfill(vendor, tmp_path)

    again = await backfill(vendor, tmp_path)

    assert 0 == sum(one.appended for one in again.streams)


async def test_what_the_list_lacks_is_not_taken_for_deleted(tmp_path: Path) -> None:
    """A range shows a part; deletes are the sync's to find, behind its guard."""
    vendor = Vendor()
    for number in range(5):
        vendor.put("stages", f"s{number}", number)
    await sync(vendor, tmp_path)
    vendor.vanish("stages", "s3")

    await backfill(vendor, tmp_path)

    assert 5 == len(current(tmp_path, "stages"))


async def test_what_came_before_a_fault_stays_and_the_report_says_it(tmp_path: Path) -> None:
    vendor = await rewritten(tmp_path)

    def stops(stream: str, page: int) -> None:
        if stream == "deals" and page == 1:
            raise BudgetSpent("no calls are left today", resets_at=LATER)

    vendor.before_page = stops
    report = await backfill(vendor, tmp_path, streams=["deals"])

    assert ("partial", "no calls are left today") == (
        report.streams[0].state,
        report.streams[0].error,
    )
    assert 4 == sum(value > 100 for value in current(tmp_path, "deals").values())


async def test_a_source_that_was_never_synced_is_refused(tmp_path: Path) -> None:
    """Versions without a checkpoint would look like a lost state to the first sync."""
    with pytest.raises(ConfigError, match="run `pipeledger sync crm` first"):
        await backfill(Vendor(), tmp_path)


async def test_a_backfill_takes_the_lock_of_a_sync(tmp_path: Path) -> None:
    vendor = await rewritten(tmp_path)
    lock = exclusive(tmp_path / "state" / CONNECTION / "sync.lock", "the connection")

    with lock, pytest.raises(LockHeldError, match="in use by process"):
        await backfill(vendor, tmp_path)
