"""Checkpoints are few commits: an idle sync is two, and what waits for one is never forgotten."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from connectors.base.errors import AccessDenied
from connectors.base.stream import Rejected
from pipeledger.landing import Checkpoint, Landing, StorageFullError
from pipeledger.sync import batch
from pipeledger.sync.checkpoints import Checkpoints
from tests.sync.vendor import CONNECTION, T0, Vendor, sync, vendor_of_thirty

LATER = T0 + timedelta(hours=1)


def commits(folder: Path) -> int:
    return DeltaTable(str(folder / "landing" / "_checkpoints")).version()


def ends(folder: Path) -> dict[str, str]:
    return {one.stream: one.state for one in Landing(folder / "landing").statuses()}


def nothing(_vendor: Vendor, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {}


def a_new_version(vendor: Vendor, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    vendor.put("deals", "d1", 100)
    return {}


def a_rejected_record(vendor: Vendor, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    vendor.rejected = (Rejected("d7", "no JSON", b"{"),)
    return {}


def a_batch_of_what_is_known(_vendor: Vendor, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """All is read again, each stream in several batches."""
    patch.setattr(batch, "BATCH_RECORDS", 5)
    return {"full": True}


def a_listing_of_ids(_vendor: Vendor, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """That of the deals is due after a week."""
    return {"at": T0 + timedelta(days=8)}


async def test_an_idle_sync_is_two_commits_however_many_streams_there_are(tmp_path: Path) -> None:
    """Every commit is a file and a line of the log, and a company syncs each hour."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    before = commits(tmp_path)

    report = await sync(vendor, tmp_path, at=LATER)

    assert before + 2 == commits(tmp_path)
    assert len(report.streams) > 2
    assert {one.stream: "complete" for one in report.streams} == ends(tmp_path)


async def test_an_outage_is_two_commits_an_hour_too(tmp_path: Path) -> None:
    """It lasts for days, and each hour says of each stream that it failed."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    before = commits(tmp_path)

    def refuse(_stream: str, _page: int) -> None:
        raise AccessDenied("token is revoked", whole_source=True)

    vendor.before_page = refuse
    report = await sync(vendor, tmp_path, at=LATER)

    assert before + 2 == commits(tmp_path)
    assert {one.stream: "failed" for one in report.streams} == ends(tmp_path)


@pytest.mark.parametrize(
    ("happens", "waits"),
    [
        (nothing, {"contacts", "deals", "deal_links", "stages"}),
        (a_new_version, {"contacts", "stages"}),
        (a_rejected_record, {"contacts", "stages"}),
        (a_batch_of_what_is_known, set()),
        (a_listing_of_ids, {"contacts", "stages"}),
    ],
)
async def test_only_an_end_that_costs_nothing_to_read_again_waits(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    happens: Callable[[Vendor, pytest.MonkeyPatch], dict[str, Any]],
    waits: set[str],
) -> None:
    """Whatever becomes of the process, no batch, listing or rejected record comes twice."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    kept: set[str] = set()
    keep = Checkpoints.keep

    def noted(self: Checkpoints, *rows: Checkpoint) -> None:
        kept.update(row.stream for row in rows)
        keep(self, *rows)

    monkeypatch.setattr(Checkpoints, "keep", noted)
    options = happens(vendor, monkeypatch)
    await sync(vendor, tmp_path, **{"at": LATER, **options})

    assert waits == kept
    assert {"complete"} == set(ends(tmp_path).values())


async def test_an_end_that_waits_is_stored_with_the_fault_of_another_stream(
    tmp_path: Path,
) -> None:
    """The stream that found nothing was read, and says so."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)

    def stop(stream: str, _page: int) -> None:
        if stream == "contacts":
            raise RuntimeError

    vendor.before_page = stop
    await sync(vendor, tmp_path, at=LATER)

    states = ends(tmp_path)
    assert "failed" == states.pop("contacts")
    assert {"complete"} == set(states.values())


async def test_a_disk_that_is_full_at_the_end_is_told_of_every_stream_that_waited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code says whose fault it is, and the next sync reads them again."""
    vendor = vendor_of_thirty()
    await sync(vendor, tmp_path)
    store = Landing.checkpoint

    def full_at_the_end(self: Landing, *rows: Checkpoint) -> None:
        if any(row.state == "complete" for row in rows):
            raise StorageFullError("disk full: no space is left")
        store(self, *rows)

    with monkeypatch.context() as patched:
        patched.setattr(Landing, "checkpoint", full_at_the_end)
        report = await sync(vendor, tmp_path, at=LATER)

    assert {("failed", True)} == {(one.state, one.is_disk_full) for one in report.streams}
    assert {"disk full: no space is left"} == {one.error for one in report.streams}
    assert (await sync(vendor, tmp_path, at=LATER)).is_complete


def test_what_could_not_be_stored_waits_for_the_next_commit(tmp_path: Path) -> None:
    """Space may be free again a moment later."""
    landing = Landing(tmp_path / "landing")
    landing.prepare()
    row = Checkpoint(
        *("invented", CONNECTION, "deals", "s1", None, "complete"), *(0, 0, 0, 0), T0, T0, 1, None
    )
    checkpoints = Checkpoints(landing)
    checkpoints.keep(row)
    store = landing.checkpoint

    def no_space(*_: Checkpoint) -> None:
        raise StorageFullError("disk full")

    landing.checkpoint = no_space  # type: ignore[method-assign] # a disk that fills up
    with pytest.raises(StorageFullError):
        checkpoints.commit()
    assert {"deals"} == checkpoints.waiting
    landing.checkpoint = store  # type: ignore[method-assign] # and has space again
    checkpoints.commit(replace(row, stream="contacts"))

    assert set() == checkpoints.waiting
    assert {"contacts", "deals"} == {one.stream for one in landing.checkpoints()}
