"""Every error ends in one clear text and its exit code; a defect keeps its traceback."""

import errno
import os
import subprocess
import sys
from asyncio import CancelledError
from pathlib import Path

import duckdb
import pytest
import typer
from typer.testing import CliRunner

from connectors.base.errors import AccessDenied, ConfigError, PipeledgerError
from pipeledger.build import DiskFullError
from pipeledger.cli import app
from pipeledger.dbt_runs import BuildError
from pipeledger.guard import explain, guarded
from pipeledger.locks import LockHeldError, exclusive
from pipeledger.manifest import ManifestError
from pipeledger.project import ROOT

FILES = (
    '[sources.files.plan]\nfolder = "inbox"\nsettle_seconds = 0\n'
    '[sources.files.plan.tables.users]\npath = "users.csv"\n'
)


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """Settings of a company with one small file; returns the settings file."""
    return place(tmp_path)


def place(folder: Path) -> Path:
    (folder / "inbox").mkdir()
    (folder / "inbox" / "users.csv").write_text("user_id,email\n1,ann@example.com\n")
    path = folder / "pipeledger.toml"
    path.write_text(FILES)
    return path


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (ConfigError("no such key"), 2, "no such key"),
        (LockHeldError("in use by process 7"), 4, "process 7"),
        (AccessDenied("403"), 1, "403"),
        (PermissionError(errno.EACCES, "Permission denied", "/data/x"), 2, "/data/x"),
        (OSError(errno.EROFS, "Read-only file system", "/data/x"), 2, "/data/x"),
        (NotADirectoryError(errno.ENOTDIR, "Not a directory", "/data/x"), 2, "/data/x"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, "disk full"),
        (duckdb.IOException("Could not write: No space left on device"), 1, "disk full"),
        (duckdb.IOException("Conflicting lock is held in /x (PID 9)"), 4, "PID 9"),
        (duckdb.IOException('Cannot open file "/x": Permission denied'), 2, "/x"),
        (OSError("Generic error: Permission denied (os error 13)"), 2, "able to write"),
        (KeyboardInterrupt(), 130, "cancelled"),
        (CancelledError(), 130, "cancelled"),
        (ValueError("a defect of ours"), 1, ""),
    ],
)
def test_each_kind_of_error_has_its_code(error: BaseException, code: int, words: str) -> None:
    """I7: schedulers act on the code, people on the words."""
    text, found = explain(error)

    assert code == found
    assert words in text
    assert bool(words) == bool(text)


def test_a_defect_shows_no_traceback_but_says_how_to_get_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A page of Python frightens; the hint gets us the report that we need."""
    with pytest.raises(typer.Exit) as ended, guarded(debug=False):
        raise ValueError("a defect of ours")

    told = capsys.readouterr().err
    assert 1 == ended.value.exit_code
    assert "ValueError: a defect of ours" in told
    assert "--debug" in told
    assert "Traceback" not in told


def test_debug_shows_the_traceback_with_secrets_masked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """X-04: the traceback is what gets pasted into the report."""
    with pytest.raises(typer.Exit), guarded(debug=True):
        raise ValueError("refused: Authorization=canary-4711 and Bearer canary4711canary")

    told = capsys.readouterr().err
    assert "Traceback" in told
    assert "canary" not in told


def test_a_second_sync_of_a_connection_ends_with_4(company: Path) -> None:
    """K-13: the cursor has one writer."""
    state = company.parent / "data" / "state"

    with exclusive(state / "plan" / "sync.lock", "connection plan"):
        ended = CliRunner().invoke(app, ["sync", "--config", str(company)])

    assert 4 == ended.exit_code
    assert f"in use by process {os.getpid()}" in ended.stderr


def test_the_lock_of_a_killed_holder_is_free_at_once(tmp_path: Path) -> None:
    """K-14: no hand work after a crash; the kernel takes the lock back."""
    program = (
        "import sys, time; from pathlib import Path; from pipeledger.locks import exclusive\n"
        "with exclusive(Path(sys.argv[1]), 'it'):\n    print('held', flush=True); time.sleep(60)"
    )
    lock = tmp_path / "some.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(lock)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    with pytest.raises(LockHeldError, match=f"process {holder.pid}"), exclusive(lock, "it"):
        pass

    holder.kill()
    holder.wait()
    holder.stdout.close()

    with exclusive(lock, "it"):
        assert str(os.getpid()) == lock.read_text()


def test_a_read_only_folder_ends_with_2_and_names_the_path(company: Path) -> None:
    """K-18: the commonest fault of a first scheduled run, under another user."""
    data = company.parent / "data"
    data.mkdir(mode=0o555)
    # Without these two capabilities (24 is PR_CAPBSET_DROP) root is held to file modes too.
    plain_user = (
        "import ctypes, os, sys; libc = ctypes.CDLL(None)\n"
        "os.geteuid() or [libc.prctl(24, capability, 0, 0, 0) for capability in (1, 2)]\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'pipeledger', *sys.argv[1:]])"
    )

    ended = subprocess.run(
        [sys.executable, "-c", plain_user, "sync", "--config", str(company)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 2 == ended.returncode, ended.stderr
    assert str(data) in ended.stderr
    assert "ermission denied" in ended.stderr
    assert 1 == len(ended.stderr.strip().splitlines())


def test_every_error_of_ours_is_a_pipeledger_error() -> None:
    """Whatever is raised on purpose must reach the user as text."""
    for kind in (LockHeldError, BuildError, ManifestError, DiskFullError, ConfigError):
        assert issubclass(kind, PipeledgerError)
