"""Sync: what lands, what the checkpoint says, and what a fault costs."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.base.errors import (
    AccessDenied,
    BudgetSpent,
    ConfigError,
    CursorExpired,
    VendorError,
)
from connectors.base.stream import Rejected
from pipeledger.landing import Landing
from pipeledger.landing.writer import Writer
from pipeledger.locks import LockHeldError, exclusive
from pipeledger.sync import StreamReport, cancel_on_signals
from tests.sync.vendor import CONNECTION, T0, Vendor, current, plan, query, sync


def full_vendor(deals: int = 30) -> Vendor:
    vendor = Vendor()
    for number in range(deals):
        vendor.put("deals", f"d{number}", number)
    for number in range(25):
        vendor.put("contacts", f"c{number}", number)
    for number in range(5):
        vendor.put("stages", f"s{number}", number)
    return vendor


def states(report: object) -> dict[str, str]:
    return {one.stream: one.state for one in report.streams}  # type: ignore[attr-defined] # SyncReport


async def test_every_record_of_every_stream_lands_and_children_with_them(tmp_path: Path) -> None:
    """I1 and I2: each source record is present once."""
    vendor = full_vendor()

    report = await sync(vendor, tmp_path)

    assert report.is_complete
    for stream, table in (("deals", "deals"), ("contacts", "contacts"), ("stages", "stages")):
        assert vendor.live(table) == current(tmp_path, stream)
    assert vendor.live("deals") == current(tmp_path, "deal_links")


async def test_a_second_sync_of_an_unchanged_source_adds_nothing(tmp_path: Path) -> None:
    """The overlap is read again each time; it must not look like news."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)

    again = await sync(vendor, tmp_path, at=T0 + timedelta(hours=1))

    assert 0 == sum(one.appended for one in again.streams)
    assert 0 == sum(one.appended for one in (await sync(vendor, tmp_path, full=True)).streams)


async def test_the_next_sync_goes_on_from_the_last_durable_cursor(tmp_path: Path) -> None:
    """A first load of days must not begin anew."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    vendor.cursors_asked.clear()

    await sync(vendor, tmp_path, streams=["deals"])

    assert [{"tick": 30}] == vendor.cursors_asked


async def test_one_failing_stream_does_not_stop_the_others(tmp_path: Path) -> None:
    """H-13: a missing scope for contacts is no reason to have old deals."""
    vendor = full_vendor()

    def refuse(stream: str, _page: int) -> None:
        if stream == "contacts":
            raise AccessDenied("403 from GET /contacts: the scope contacts.read is missing")

    vendor.before_page = refuse
    report = await sync(vendor, tmp_path)

    wanted = {"deals": "complete", "deal_links": "complete", "stages": "complete"}
    assert {**wanted, "contacts": "failed"} == states(report)
    (failed,) = [one for one in report.streams if one.state == "failed"]
    assert "contacts.read" in str(failed.error)
    assert vendor.live("deals") == current(tmp_path, "deals")


async def test_a_refused_credential_stops_the_streams_that_have_not_begun(tmp_path: Path) -> None:
    """Thirty streams that knock with a revoked key lock the account."""
    vendor = full_vendor()
    asked: list[str] = []

    def refuse(stream: str, _page: int) -> None:
        asked.append(stream)
        raise AccessDenied("401: the key is revoked", whole_source=True)

    vendor.before_page = refuse
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeledger.sync.connection.STREAMS_AT_ONCE", 1)
        report = await sync(vendor, tmp_path)

    assert 1 == len(asked)
    assert {"failed"} == set(states(report).values())


async def test_a_defect_in_a_reader_costs_its_stream_only(tmp_path: Path) -> None:
    """A KeyError in one mapping is a bug, not a reason to have no data at all."""
    vendor = full_vendor()

    def trip(stream: str, page: int) -> None:
        if (stream, page) == ("deals", 2):
            raise KeyError("amount")

    vendor.before_page = trip
    report = await sync(vendor, tmp_path)

    assert "failed" == states(report)["deals"]
    assert "complete" == states(report)["contacts"]
    assert 20 == len(current(tmp_path, "deals"))  # the whole pages before it have landed


async def test_a_spent_budget_ends_partial_and_goes_on_where_it_stood(tmp_path: Path) -> None:
    """H-14: the day's quota is used up; tomorrow reads the rest, not everything."""
    vendor = full_vendor()

    def spent(stream: str, page: int) -> None:
        if (stream, page) == ("deals", 2):
            raise BudgetSpent("250,000 calls a day are used up", resets_at=T0 + timedelta(days=1))

    vendor.before_page = spent
    report = await sync(vendor, tmp_path)
    vendor.before_page = lambda _stream, _page: None
    vendor.cursors_asked.clear()
    await sync(vendor, tmp_path, streams=["deals"], at=T0 + timedelta(days=1))

    assert "partial" == states(report)["deals"]
    assert [{"tick": 20}] == vendor.cursors_asked
    assert vendor.live("deals") == current(tmp_path, "deals")


async def test_a_cursor_that_the_vendor_forgot_leads_to_a_full_read(tmp_path: Path) -> None:
    """D-03: an expired sync token must not end the stream for ever."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    vendor.put("deals", "d3", 300)
    vendor.cursors_asked.clear()

    def expired(stream: str, _page: int) -> None:
        if stream == "deals" and vendor.cursors_asked[-1] is not None:
            raise CursorExpired("410 Gone")

    vendor.before_page = expired
    report = await sync(vendor, tmp_path, streams=["deals"])

    assert "complete" == states(report)["deals"]
    assert vendor.live("deals") == current(tmp_path, "deals")
    assert None in vendor.cursors_asked


async def test_what_a_complete_snapshot_no_longer_shows_is_deleted(tmp_path: Path) -> None:
    """A stage that was removed may not count deals any more."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    vendor.vanish("stages", "s4")

    report = await sync(vendor, tmp_path)

    assert vendor.live("stages") == current(tmp_path, "stages")
    assert 1 == sum(one.deleted for one in report.streams)


async def test_what_a_reader_has_to_tell_stands_in_the_report(tmp_path: Path) -> None:
    """A module that the vendor lacks is no fault, and yet nobody should wonder."""
    vendor = full_vendor()
    vendor.note = "the vendor has no module Stages"

    report = await sync(vendor, tmp_path)

    assert report.is_complete
    notes = {one.stream: one.note for one in report.streams if one.note}
    assert {"stages": "the vendor has no module Stages"} == notes


async def test_a_reader_learns_which_records_a_listing_ought_to_show(tmp_path: Path) -> None:
    """Converted records leave some vendors' lists without being deleted."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    vendor.tables["stages"]["s3"].change = "converted"
    await sync(vendor, tmp_path)

    await sync(vendor, tmp_path)

    assert [[], ["s0", "s1", "s2", "s3", "s4"], ["s0", "s1", "s2", "s4"]] == vendor.expected


async def test_a_broken_snapshot_deletes_nothing(tmp_path: Path) -> None:
    """Half a listing is not a clean-up."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    vendor.vanish("stages", "s4")

    def fail(stream: str, _page: int) -> None:
        if stream == "stages":
            raise VendorError("503 after 5 tries", status=503)

    vendor.before_page = fail
    await sync(vendor, tmp_path)

    assert 5 == len(current(tmp_path, "stages"))


async def test_silent_deletes_are_found_by_the_periodic_listing(tmp_path: Path) -> None:
    """D-07: most vendors send no event for a delete."""
    vendor = full_vendor(deals=200)
    await sync(vendor, tmp_path)
    vendor.vanish("deals", "d7")

    early = await sync(vendor, tmp_path, at=T0 + timedelta(days=6))
    late = await sync(vendor, tmp_path, at=T0 + timedelta(days=8))
    again = await sync(vendor, tmp_path, at=T0 + timedelta(days=9))

    assert [0, 1, 0] == [sum(o.deleted for o in r.streams) for r in (early, late, again)]
    assert vendor.live("deals") == current(tmp_path, "deals")


@pytest.mark.parametrize(("hidden", "is_refused"), [(40, False), (41, True), (200, True)])
async def test_a_listing_that_lacks_a_fifth_deletes_nothing_unless_allowed(
    tmp_path: Path, hidden: int, is_refused: bool
) -> None:
    """D-07: a permission taken away looks like a mass delete, and would wipe the pipeline."""
    vendor = full_vendor(deals=200)
    await sync(vendor, tmp_path)
    vendor.hidden = {f"d{number}" for number in range(hidden)}
    later = T0 + timedelta(days=8)

    report = await sync(vendor, tmp_path, at=later)

    assert ("failed" if is_refused else "complete") == states(report)["deals"]
    assert 200 - (0 if is_refused else hidden) == len(current(tmp_path, "deals"))
    if is_refused:
        assert "--allow-deletes" in str(report.streams[0].error)
        await sync(vendor, tmp_path, at=later, allow_deletes=True)
        assert 200 - hidden == len(current(tmp_path, "deals"))


async def test_a_restored_record_with_its_old_clock_is_alive_again(tmp_path: Path) -> None:
    """D-08: a recycle bin gives the record back as it was, clock included."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    before = vendor.tables["deals"]["d3"]
    vendor.delete("deals", "d3")
    await sync(vendor, tmp_path)
    assert "d3" not in current(tmp_path, "deals")

    vendor.tables["deals"]["d3"] = before
    await sync(vendor, tmp_path, full=True)
    by_window = await sync(vendor, tmp_path)

    assert vendor.live("deals") == current(tmp_path, "deals")
    assert by_window.is_complete


async def test_flapping_over_syncs_keeps_every_move(tmp_path: Path) -> None:
    """A to B to A is three versions, and their order is the order of the syncs."""
    vendor = full_vendor()
    for value in (1, 2, 1):
        vendor.put("deals", "d0", value)
        await sync(vendor, tmp_path)  # at one frozen instant

    rows = query(
        tmp_path,
        "deals",
        "select (payload ->> '$.value')::int from v where record_id = 'd0' "
        "order by observed_at, sync_id, position",
    )

    assert [(1,), (2,), (1,)] == rows


async def test_a_clock_that_ran_back_does_not_hide_the_newer_version(tmp_path: Path) -> None:
    """T-04: our machine was ten minutes ahead yesterday; today's change must win."""
    vendor = full_vendor()
    await sync(vendor, tmp_path, at=T0 + timedelta(minutes=10))
    vendor.put("deals", "d0", 99)

    await sync(vendor, tmp_path, at=T0)
    again = await sync(vendor, tmp_path, at=T0)

    assert 99 == current(tmp_path, "deals")["d0"]
    assert 0 == sum(one.appended for one in again.streams)


async def test_rejected_records_are_set_aside_and_the_others_land(tmp_path: Path) -> None:
    """D-17: one poisoned note holds nothing back."""
    vendor = full_vendor()
    vendor.rejected = [Rejected("d99", "no id", b'{"value": 1}')]

    report = await sync(vendor, tmp_path)

    assert report.is_complete
    assert 1 == report.streams[0].quarantined
    assert ["d99"] == [row["record_id"] for row in Landing(tmp_path / "landing").quarantined()]


async def test_too_many_rejected_records_fail_the_stream_after_landing_the_good(
    tmp_path: Path,
) -> None:
    """A format that changed as a whole is a fault of the stream, not of its records."""
    vendor = full_vendor()
    vendor.rejected = [Rejected(None, "shape", b"[]")] * 21

    report = await sync(vendor, tmp_path)

    assert "failed" == states(report)["deals"]
    assert "21 records went to quarantine" in str(report.streams[0].error)
    assert 10 == len(current(tmp_path, "deals"))


async def test_a_second_sync_of_the_same_connection_is_refused_by_name(tmp_path: Path) -> None:
    """K-13: two writers of one cursor would step over each other."""
    vendor = full_vendor()
    with (
        exclusive(tmp_path / "state" / CONNECTION / "sync.lock", "connection crm"),
        pytest.raises(LockHeldError, match=str(os.getpid())),
    ):
        await sync(vendor, tmp_path)

    assert (await sync(vendor, tmp_path)).is_complete


async def test_sigterm_lands_the_pages_in_hand_and_frees_the_lock(tmp_path: Path) -> None:
    """K-09: a stopped container loses no page and leaves no lock."""
    vendor = full_vendor()

    def stop(stream: str, page: int) -> None:
        if (stream, page) == ("deals", 2):
            os.kill(os.getpid(), signal.SIGTERM)

    vendor.before_page = stop
    with cancel_on_signals():
        task = asyncio.current_task()
        assert task is not None
        with pytest.raises(asyncio.CancelledError):
            await sync(vendor, tmp_path)
        while task.cancelling():
            task.uncancel()
    vendor.before_page = lambda _stream, _page: None
    last = Landing(tmp_path / "landing").last_checkpoint("invented", "deals", CONNECTION)

    assert last is not None
    assert "cancelled" == last.state
    assert last.cursor is not None
    assert (await sync(vendor, tmp_path)).is_complete
    assert vendor.live("deals") == current(tmp_path, "deals")


async def test_progress_is_told_while_a_stream_grows(tmp_path: Path) -> None:
    """A first load of an hour without a sign looks like a hang."""
    seen: list[int] = []

    def tell(report: StreamReport) -> None:
        if report.stream == "deals":
            seen.append(report.seen)

    await sync(full_vendor(), tmp_path, progress=tell)

    assert [10, 20, 30] == sorted(set(seen) - {0})


async def test_data_is_durable_before_the_cursor_that_covers_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3: were the commit to fail, the cursor must not have moved."""
    vendor = full_vendor()
    await sync(vendor, tmp_path)
    for number in range(30, 35):
        vendor.put("deals", f"d{number}", 1)

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "append", full_disk)
        failed = await sync(vendor, tmp_path, streams=["deals"])
    last = Landing(tmp_path / "landing").last_checkpoint("invented", "deals", CONNECTION)

    assert "failed" == states(failed)["deals"]
    assert last is not None
    assert {"tick": 30} == last.cursor
    await sync(vendor, tmp_path)
    assert vendor.live("deals") == current(tmp_path, "deals")


async def test_an_unknown_stream_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    """The answer names the streams that there are."""
    with pytest.raises(ConfigError, match="there are: deals, deal_links, contacts, stages"):
        await sync(full_vendor(), tmp_path, streams=["dials"])


async def test_a_planned_vendor_is_the_same_in_every_process() -> None:
    """The kill tests compare two processes' idea of it."""
    assert plan(7, 3).tables == plan(7, 3).tables
