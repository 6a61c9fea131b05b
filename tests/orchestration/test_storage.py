"""Dagster's records in PostgreSQL, as deploy/dagster.yaml keeps them."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from pipeledger.project import ROOT
from tests.programs import program

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture
def port() -> Iterator[int]:
    """The port of a PostgreSQL on loopback with an empty database and role `dagster`."""
    initdb = program("lib/postgresql/*/bin/initdb")
    # Not below pytest's folder: only root may enter that, and the server refuses root.
    folder = Path(tempfile.mkdtemp(prefix="pipeledger-dagster-"))
    other: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
        other |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = int(probe.getsockname()[1])
    words = ["-D", str(folder / "cluster"), "-U", "dagster", "-A", "trust", "-N", "-E", "UTF8"]
    subprocess.run([initdb, *words], check=True, env={"LC_ALL": "C.UTF-8"}, **other)
    options = [
        f"port={number}",
        "listen_addresses=127.0.0.1",
        "unix_socket_directories=",
        "fsync=off",
    ]
    command = [str(initdb.with_name("postgres")), "-D", str(folder / "cluster")]
    server = subprocess.Popen(
        [*command, *(word for one in options for word in ("-c", one))],
        stderr=subprocess.DEVNULL,
        **other,
    )
    try:
        _make_database(number, initdb.with_name("createdb"), server)
        yield number
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _make_database(port: int, createdb: Path, server: "subprocess.Popen[Any]") -> None:
    where = ["-h", "127.0.0.1", "-p", str(port), "-U", "dagster", "dagster"]
    while subprocess.run([createdb, *where], check=False, stderr=subprocess.DEVNULL).returncode:
        assert server.poll() is None
        time.sleep(0.05)


@dg.op
def one_step() -> None:
    """A step that does nothing."""


@dg.job
def small() -> None:
    one_step()


def test_runs_and_limits_are_kept_in_postgresql(
    port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shipped file, with the port of the test's own server."""
    text = (ROOT / "deploy" / "dagster.yaml").read_text()
    (tmp_path / "dagster.yaml").write_text(text.replace("port: 5432", f"port: {port}"))
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_HOST", "127.0.0.1")
    monkeypatch.setenv("DAGSTER_POSTGRES_PASSWORD", "trusted")

    with dg.DagsterInstance.get() as instance:
        run = small.execute_in_process(instance=instance)
    with dg.DagsterInstance.get() as again:
        kept = again.get_run_by_id(run.run_id)
        assert "PostgresRunStorage" == type(again.run_storage).__name__
        assert 1 == again.get_concurrency_config().pool_config.default_pool_limit
    assert kept is not None
    assert dg.DagsterRunStatus.SUCCESS == kept.status
