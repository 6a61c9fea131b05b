"""[[exports]]: each file is whole or as it was, and one that fails stops no other."""

from pathlib import Path

import pytest

from connectors.base.errors import ConfigError
from pipeledger.scheduled_exports import write_exports
from pipeledger.settings import Settings, load_settings
from tests.alerts.publication import DEALS, publish
from tests.cli.object_store import KEY, Store, object_store


def settings_of(folder: Path, exports: str) -> Settings:
    """Settings with exports and nothing else."""
    path = folder / "pipeledger.toml"
    path.write_text(f'clock = "2026-10-15T06:00:00Z"\n{exports}')
    return load_settings(path, {}).settings


def test_each_export_is_written_from_what_is_published(tmp_path: Path) -> None:
    """Into folders that are made, under names that stay the same."""
    publish(tmp_path, DEALS)
    settings = settings_of(
        tmp_path,
        '[[exports]]\nmart = "fct_deal"\nfolder = "out/deals"\nbare = true\n'
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\nformat = "xlsx"\n'
        'where = "deal_key = \'crm:1\'"\nfile = "first.xlsx"\n',
    )

    done = write_exports(settings)

    assert [(len(DEALS), ""), (1, "")] == [(one.rows, one.error) for one in done]
    lines = (tmp_path / "out/deals/fct_deal.csv").read_text(encoding="utf-8-sig")
    assert lines.startswith("deal_key,name")
    assert ["first.xlsx"] == [path.name for path in (tmp_path / "out").glob("*.xlsx")]


def test_an_export_that_fails_leaves_the_old_file_and_the_others_go_on(tmp_path: Path) -> None:
    """Whoever reads the folder sees yesterday's file rather than half of today's."""
    publish(tmp_path, DEALS)
    (tmp_path / "out").mkdir()
    (tmp_path / "out/bad.csv").write_text("of yesterday")
    settings = settings_of(
        tmp_path,
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\nfile = "bad.csv"\nwhere = "nope = 1"\n'
        '[[exports]]\nmart = "fct_deal"\nfolder = "out"\n',
    )

    bad, good = write_exports(settings)

    assert "nope" in bad.error
    assert "of yesterday" == (tmp_path / "out/bad.csv").read_text()
    assert len(DEALS) == good.rows
    assert {"bad.csv", "fct_deal.csv"} == {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize(
    ("exports", "said"),
    [
        ('[[exports]]\nmart = "m"\nfolder = "a"\n' * 2, "written by an export above"),
        ('[[exports]]\nmart = "m"\nfolder = "a"\nfile = "../x.csv"\n', "file"),
    ],
)
def test_exports_that_would_meet_or_leave_their_folder_are_refused(
    tmp_path: Path, exports: str, said: str
) -> None:
    """Before anything runs."""
    with pytest.raises(ConfigError, match=said):
        settings_of(tmp_path, exports)


def bucket_of(store: Store) -> str:
    """The store's address as it stands in the settings."""
    return f"s3://reports/sales?endpoint_override=127.0.0.1%3A{store.port}&scheme=http&region=eu-test-1"


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials as a machine has them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "canary-of-a-secret-key")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("signed")
def test_a_finished_file_goes_into_the_bucket_too(tmp_path: Path) -> None:
    """The same bytes, in place of the older object; a store that refuses leaves that one."""
    publish(tmp_path, DEALS)
    with object_store() as store:
        settings = settings_of(
            tmp_path,
            '[[exports]]\nmart = "fct_deal"\nfolder = "out"\nformat = "parquet"\n'
            f'bucket = "{bucket_of(store)}"\n',
        )
        for _ in range(2):
            assert [""] == [one.error for one in write_exports(settings)]
        content = (tmp_path / "out/fct_deal.parquet").read_bytes()
        assert {"/reports/sales/fct_deal.parquet": content} == store.objects
        store.largest = 10
        (refused,) = write_exports(settings)

    assert "s3://reports/sales did not take it" in refused.error
    assert "EntityTooLarge" in refused.error
    assert {"/reports/sales/fct_deal.parquet": content} == store.objects


def test_a_bucket_that_knows_us_not_is_told_without_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, signed: None
) -> None:
    """With what the store said."""
    assert signed is None
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDOFSOMEBODYELSE")
    publish(tmp_path, DEALS)
    with object_store() as store:
        settings = settings_of(
            tmp_path,
            f'[[exports]]\nmart = "fct_deal"\nfolder = "out"\nbucket = "{bucket_of(store)}"\n',
        )
        (refused,) = write_exports(settings)

    assert "did not take it" in refused.error
    assert "canary" not in refused.error
    assert {} == store.objects


@pytest.mark.parametrize(
    "address", ["https://reports/sales", "s3:///sales", "reports", "s3://key:canary@reports/sales"]
)
def test_an_address_that_is_no_bucket_is_refused(tmp_path: Path, address: str) -> None:
    """And a secret in it is not repeated."""
    with pytest.raises(ConfigError, match=r"exports\.0\.bucket") as caught:
        settings_of(
            tmp_path, f'[[exports]]\nmart = "fct_deal"\nfolder = "out"\nbucket = "{address}"\n'
        )

    assert "canary" not in str(caught.value)
