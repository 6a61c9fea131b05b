"""A sync leaves a folder that reads fast: small files are merged when they are many."""

from datetime import timedelta
from pathlib import Path

import pytest
from deltalake import DeltaTable

from pipeledger.landing import store
from tests.sync.vendor import T0, Vendor, current, sync


def files(folder: Path, stream: str) -> int:
    return len(DeltaTable(str(folder / "landing" / "invented" / stream)).file_uris())


async def test_the_files_of_a_stream_that_grows_are_merged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read every hour, a stream has nine thousand files after a year."""
    monkeypatch.setattr(store, "COMPACT_ABOVE", 3)
    vendor = Vendor()
    counts = []
    for hour in range(6):
        vendor.put("deals", f"d{hour}", hour)

        await sync(vendor, tmp_path, at=T0 + timedelta(hours=hour))

        counts.append(files(tmp_path, "deals"))
    assert [1, 2, 3, 1, 2, 3] == counts
    assert {f"d{hour}": hour for hour in range(6)} == current(tmp_path, "deals")
