"""The command line: verbs, exit codes and shapes that schedulers rely on."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import pipeledger.build
from pipeledger.cli import app
from pipeledger.locks import exclusive
from pipeledger.project import ROOT

VERBS = ("sync", "build", "check", "publish", "run", "status", "doctor", "trace", "init", "demo")
FILES = (
    "[sources.files.plan]\nfolder = 'inbox'\nsettle_seconds = 0\n"
    "[sources.files.plan.tables.users]\npath = 'users.csv'\n"
)


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    """Settings of one folder with one person in it."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "users.csv").write_text("user_id,email\n1,ana@plan.example\n")
    path = tmp_path / "pipeledger.toml"
    path.write_text(FILES)
    return path


def call(*words: str) -> Result:
    return CliRunner().invoke(app, list(words), env={"COLUMNS": "120"})


def test_help_lists_the_verbs() -> None:
    """The first thing that somebody types."""
    shown = call("--help")

    assert 0 == shown.exit_code
    assert [] == [verb for verb in (*VERBS, "config") if f" {verb} " not in shown.output]


def test_help_loads_no_heavy_library() -> None:
    """A command line that takes seconds to say how it is used is not used."""
    heavy = ("duckdb", "dbt", "deltalake", "pyarrow", "httpx", "dagster", "pandas")
    script = f"import sys, pipeledger.cli; print([m for m in {heavy!r} if m in sys.modules])"

    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "[]" == found.stdout.strip()


@pytest.mark.parametrize("verb", ["sync", "build", "publish", "run", "status", "doctor"])
def test_without_settings_every_verb_says_how_to_get_them(tmp_path: Path, verb: str) -> None:
    """Exit 2: usage or settings."""
    found = call(verb, "--config", str(tmp_path / "none.toml"))

    assert 2 == found.exit_code
    assert "pipeledger init" in found.output


def test_bad_settings_are_exit_2_and_nothing_is_made(tmp_path: Path) -> None:
    """Nothing is connected and no folder appears."""
    path = tmp_path / "pipeledger.toml"
    path.write_text("[company]\nreporting_currency = 'eur'\n")

    found = call("run", "--config", str(path))

    assert 2 == found.exit_code
    assert "did you mean EUR?" in found.output
    assert [path] == list(tmp_path.iterdir())


def test_a_connection_that_is_not_there_is_exit_2(settings_file: Path) -> None:
    """With the names that there are."""
    found = call("sync", "paln", "--config", str(settings_file))

    assert 2 == found.exit_code
    assert "there are: plan" in found.output


@pytest.mark.parametrize("verb", ["build", "publish"])
def test_a_warehouse_in_use_is_exit_4_and_names_the_process(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    """An hourly job that meets its predecessor must be told apart from a broken one."""
    # The same lock, without its wait.
    monkeypatch.setattr(pipeledger.build, "exclusive", lambda path, what, _: exclusive(path, what))
    lock = settings_file.parent / "data" / "state" / "warehouse.lock"

    with exclusive(lock, "the warehouse"):
        found = call(verb, "--config", str(settings_file))

    assert 4 == found.exit_code
    assert f"in use by process {os.getpid()}" in found.output


@pytest.mark.parametrize(
    ("number", "code"), [("EACCES", 2), ("EROFS", 2), ("EPERM", 2), ("ENOSPC", 1)]
)
def test_a_folder_that_cannot_be_written_is_named(
    settings_file: Path, monkeypatch: pytest.MonkeyPatch, number: str, code: int
) -> None:
    """A read-only mount or a full disk is no defect of ours: one line, no traceback."""
    import errno

    def refuse(path: Path, *_: object, **__: object) -> None:
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)), str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)

    found = call("build", "--config", str(settings_file))

    assert code == found.exit_code
    assert str(settings_file.parent) in found.output
    assert "Traceback" not in found.output


def test_sync_as_json_tells_each_stream(settings_file: Path) -> None:
    """What a scheduler reads."""
    found = call("sync", "--json", "--config", str(settings_file))

    (report,) = json.loads(found.stdout)
    assert 0 == found.exit_code
    assert "plan" == report["connection"]
    streams = {stream["stream"]: stream for stream in report["streams"]}
    assert ("complete", 1, 1) == tuple(
        streams["users"][key] for key in ("state", "seen", "appended")
    )


def test_a_stream_that_fails_is_exit_5_and_status_says_so(settings_file: Path) -> None:
    """Partial: the rest landed; what failed is named, now and later."""
    (settings_file.parent / "inbox" / "users.csv").write_text("user,mail\n1,ana@plan.example\n")

    found = call("sync", "--config", str(settings_file))
    status = call("status", "--json", "--config", str(settings_file))

    assert 5 == found.exit_code
    (stream,) = json.loads(status.stdout)["streams"]
    assert stream["state"] != "complete"
    assert "users.csv" in stream["error"]


def test_a_connection_that_was_taken_out_of_the_settings_is_not_waited_for(
    settings_file: Path,
) -> None:
    """It would be stale for ever, and told so to everybody."""
    call("sync", "--config", str(settings_file))
    settings_file.write_text(settings_file.read_text().replace("plan", "other"))

    status = call("status", "--json", "--config", str(settings_file))

    assert 0 == status.exit_code
    assert [] == json.loads(status.stdout)["streams"]


def test_status_before_the_first_run_is_no_error(settings_file: Path) -> None:
    """It says that nothing is there yet."""
    words = call("status", "--config", str(settings_file))
    values = json.loads(call("status", "--json", "--config", str(settings_file)).stdout)

    metrics = call("status", "--metrics", "--config", str(settings_file))

    assert 0 == words.exit_code
    assert "nothing is published yet" in words.output
    assert "pipeledger_quarantined_records 0.0" in metrics.stdout
    assert (None, None, []) == (values["published"], values["last_build"], values["streams"])


@pytest.mark.parametrize("text", ["yesterday", "2026-09-31", "2026-09-30T12:00:00"])
def test_an_as_of_that_is_none_is_exit_2(settings_file: Path, text: str) -> None:
    """An instant without an offset would mean another hour on another machine."""
    found = call("build", "--as-of", text, "--config", str(settings_file))

    assert 2 == found.exit_code
    assert f"--as-of {text}" in found.output


def test_init_writes_a_connection_once(tmp_path: Path) -> None:
    """And says which variable holds the secret and what comes next."""
    path = tmp_path / "pipeledger.toml"

    first = call("init", "stripe", "--name", "billing", "--config", str(path))
    second = call("init", "stripe", "--name", "billing", "--config", str(path))

    assert (0, 2) == (first.exit_code, second.exit_code)
    assert "[sources.stripe.billing]" in path.read_text()
    assert "PIPELEDGER__SOURCES__STRIPE__BILLING__API_KEY" in path.read_text()
    assert "pipeledger doctor billing" in first.output
