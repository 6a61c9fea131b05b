"""run.py's own promise: what a linter finds fails the run, whatever the tests say."""

from pathlib import Path

import pytest

import run


@pytest.mark.parametrize(
    ("linters", "code", "said"),
    [
        (("echo fine", "echo good"), 0, "fine\ngood\n"),
        (("echo fine", "echo line 3; exit 3"), 3, "fine\nline 3\n"),
        (("echo line 3; exit 3", "echo good"), 3, "line 3\ngood\n"),
        (("kill -9 $$", "echo good"), -9, "good\n"),
    ],
)
def test_a_linter_that_fails_or_is_killed_is_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    linters: tuple[str, str],
    code: int,
    said: str,
) -> None:
    """They run beside the tests, and are asked when those are done."""
    for name, body in zip(("first", "second"), linters, strict=True):
        (tmp_path / name).write_text(f"#!/bin/sh\n{body}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(run, "BIN", tmp_path)
    monkeypatch.setattr(run, "SLOW_LINTERS", (("first",), ("second",)))

    with run.slow_lint(tmp_path) as told:
        assert code == told()

    assert said == capsys.readouterr().out
