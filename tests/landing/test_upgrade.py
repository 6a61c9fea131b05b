"""Landing of an older release: refused with the way out, and brought to ours without a loss."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake
from typer.testing import CliRunner

from connectors.base.errors import ConfigError
from connectors.base.stream import Record
from pipeledger.cli import app
from pipeledger.landing import Checkpoint, Landing
from pipeledger.landing.closes import PERIODS, Closes
from pipeledger.landing.tables import CHECKPOINTS, FORMAT, PROPERTY, AppendTable
from pipeledger.landing.upgrade import upgrade

T0 = datetime(2026, 10, 15, 6, tzinfo=UTC)
DONE = Checkpoint(
    "hubspot", "crm", "deals", "s1", {"after": "7"}, "complete", 2, 2, 3, 400, T0, T0, 2
)


def set_format(uri: Path, told: str) -> None:
    DeltaTable(str(uri)).alter.set_table_properties({PROPERTY: told}, raise_if_not_exists=False)


def land(landing: Landing, sync: str, text: str) -> int:
    record = Record("1", text.encode(), T0)
    return landing.append("hubspot", "deals", "crm", [record], sync).appended


@pytest.fixture
def older(tmp_path: Path) -> Landing:
    """As format 1 was: its checkpoints counted neither quarantine nor the vendor's total."""
    landing = Landing(tmp_path / "data" / "landing ü")
    land(landing, "s1", '{"amount": "10"}')
    land(landing, "s2", '{"amount": "20"}')
    root = Path(landing.root)
    set_format(root / "hubspot" / "deals", "1")
    names = [name for name in CHECKPOINTS.names if name not in ("quarantined", "vendor_total")]
    schema = pa.schema([CHECKPOINTS.field(name) for name in names])
    uri = str(root / "_checkpoints")
    (root / "_checkpoints").mkdir()
    DeltaTable.create(uri, schema, configuration={PROPERTY: "1"}, raise_if_key_not_exists=False)
    for row in (replace(DONE, state="running", sequence=1, cursor=None), DONE):
        cells = {name: getattr(row, name) for name in names}
        cells["cursor"] = None if row.cursor is None else '{"after":"7"}'
        write_deltalake(uri, pa.Table.from_pylist([cells], schema), mode="append")
    return landing


def test_an_older_landing_is_refused_until_it_is_upgraded_and_keeps_every_row(
    older: Landing,
) -> None:
    """To move it away and sync again would lose what the vendors no longer show."""
    with pytest.raises(ConfigError, match=r"format 1, this release reads 2.*state upgrade"):
        older.checkpoints()
    with pytest.raises(ConfigError, match="state upgrade"):
        older.versions("hubspot", "deals", "crm", "1")
    settings = Path(older.root).parent.parent / "pipeledger.toml"
    settings.write_text(f'[paths]\nlanding = "{older.root}"\n', encoding="utf-8")

    told = [
        CliRunner().invoke(app, ["state", "upgrade", "--config", str(settings)]) for _ in range(2)
    ]

    assert [0, 0] == [one.exit_code for one in told]
    assert "_checkpoints: from format 1 to 2\nhubspot/deals: from format 1 to 2\n" == told[0].output
    assert "landing has format 2; nothing was changed\n" == told[1].output
    upgraded = Landing(older.root)
    assert [replace(DONE, state="running", sequence=1, cursor=None), DONE] == upgraded.checkpoints()
    texts = [one.payload for one in upgraded.versions("hubspot", "deals", "crm", "1")]
    assert ['{"amount": "10"}', '{"amount": "20"}'] == texts
    assert 0 == land(upgraded, "s3", '{"amount": "20"}')
    upgraded.checkpoint(replace(DONE, sync_id="s3", quarantined=4, vendor_total=5))
    last = upgraded.last_checkpoint("hubspot", "deals", "crm")
    assert last is not None
    assert (4, 5) == (last.quarantined, last.vendor_total)


def test_a_death_between_the_two_commits_of_a_table_is_made_good(
    older: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are of the new shape, the table still says the old format."""

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr("deltalake.table.TableAlterer.set_table_properties", die)
        with pytest.raises(KeyboardInterrupt):
            upgrade(older.root)
    half = DeltaTable(f"{older.root}/_checkpoints")
    assert "1" == half.metadata().configuration[PROPERTY]
    assert CHECKPOINTS.names == pa.schema(half.schema().to_arrow()).names

    assert {"_checkpoints": 1, "hubspot/deals": 1} == upgrade(older.root)

    assert 2 == len(Landing(older.root).checkpoints())


def test_figures_of_closed_periods_say_the_way_out_too(tmp_path: Path) -> None:
    """They are nowhere else: "restore a backup" would be the wrong advice."""
    AppendTable(f"{tmp_path}/_closed_periods", PERIODS).append(PERIODS.empty_table())
    set_format(tmp_path / "_closed_periods", "1")

    with pytest.raises(ConfigError, match="state upgrade"):
        Closes(str(tmp_path)).all()


@pytest.mark.parametrize(
    ("told", "way_out"), [(str(FORMAT + 1), "newer release"), ("x", "right folder")]
)
def test_one_table_of_no_known_format_leaves_all_as_they_are(
    older: Landing, told: str, way_out: str
) -> None:
    """A landing half of one format and half of another would be read by no release."""
    set_format(Path(older.root) / "hubspot" / "deals", told)

    with pytest.raises(ConfigError, match=way_out):
        upgrade(older.root)

    with pytest.raises(ConfigError, match="format 1"):
        older.checkpoints()
