#!/usr/bin/env python3
"""Set up and run pipeledger with nothing but CPython 3.11+, pip and git.

Usage: python3 run.py <command>     (the Makefile calls the same commands)

    setup      private uv, .venv from requirements.lock, compiled bytecode
    demo       sync, build, check and publish a fictional company on real connectors
    test       lint, types, unit tests, dbt unit tests, end-to-end tests
    quick      the edit-test loop: unit tests without the slow ones
    lint       ruff, mypy, sqlfluff, codespell
    docs       the static dbt site in target/, with examples out of the demo
    bench      the benchmarks, as a table
    screenshots  pictures of every page of the dashboard, in target/screenshots/
    lock       resolve pyproject.toml into requirements.lock and requirements-types.lock
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
TOOLS = ROOT / ".tools"
LOCK = ROOT / "requirements.lock"
TYPES_LOCK = ROOT / "requirements-types.lock"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
STAMP = VENV / ".pipeledger-stamp"
# Tests of one group share what is dear to make (a published company), so one worker runs them;
# tests/conftest.py says which are begun first, and xdist is not to know better.
PYTEST = ("-n", "2", "--dist", "loadgroup", "--no-loadscope-reorder", "-q")

# These take most of a minute on both cores.
SLOW_LINTERS = (
    # On a machine that is thrown away nothing would read what mypy keeps for its next run.
    ("python", "-m", "mypy", *(("--cache-dir", os.devnull) if os.environ.get("CI") else ())),
    ("sqlfluff", "lint", "--disable-progress-bar", "--processes", "2", "dbt_project/models"),
)
PLENTY = 12 * 2**30
"""Bytes of free memory above which the tests write into memory: they take three gigabytes of it."""

# What the tests drive beside Python: Debian's package, and where under /usr it puts its program.
TEST_PROGRAMS = {
    "postgresql": "lib/postgresql/*/bin/initdb",
    "libodbc2": "lib/*/libodbc.so.2",
    "odbc-postgresql": "lib/*/odbc/psqlodbcw.so",
    "default-jre-headless": "bin/java",
    "libpostgresql-jdbc-java": "share/java/postgresql.jar",
    "chromium": "bin/chromium",
    "libreoffice-calc-nogui": "lib/libreoffice/program/libsclo.so",
    "fonts-ipaexfont-gothic": "share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf",
}


def call(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command in the project's folder; leave with its exit code if it fails."""
    code = subprocess.call([str(part) for part in command], cwd=ROOT, env=env)
    if code:
        sys.exit(code)


def environment() -> dict[str, str]:
    """The caller's environment with this project's tools first and telemetry off."""
    return {
        **os.environ,
        "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}",
        "VIRTUAL_ENV": str(VENV),
        "DO_NOT_TRACK": "1",
        "DAGSTER_DISABLE_TELEMETRY": "1",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "GX_ANALYTICS_ENABLED": "false",
        "PYTHONPATH": "",
        # Compiled once, not by each of the processes that a command or a test starts.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def tool(*command: str | Path) -> None:
    """Run a program of the virtual environment."""
    call(BIN / command[0], *command[1:], env=environment())


def fingerprint() -> str:
    """What the installed environment depends on: locks, project table, interpreter, place."""
    parts = (path.read_bytes() for path in (LOCK, TYPES_LOCK, ROOT / "pyproject.toml"))
    seed = f"{sys.version}|{ROOT}".encode()
    return hashlib.sha256(seed + b"".join(parts)).hexdigest()


def install_uv() -> Path:
    """Bring the locked uv into .tools/ with pip, hashes checked; return its path."""
    block = re.search(r"^uv==.*?(?=^[a-z0-9])", LOCK.read_text() + "\nz", re.MULTILINE | re.DOTALL)
    if block is None:
        sys.exit("run.py: requirements.lock pins no uv; run `python3 run.py lock` where uv exists")
    folder = TOOLS / ("uv-" + hashlib.sha256(block.group().encode()).hexdigest()[:12])
    uv = folder / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    if not uv.exists():
        print("set-up: installing uv into .tools/", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        with tempfile.TemporaryDirectory() as scratch:
            pins = Path(scratch) / "uv.txt"
            pins.write_text(block.group())
            call(
                *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
                *("--disable-pip-version-check", "--no-warn-script-location"),
                *("--require-hashes", "--target", folder, "-r", pins),
                env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
            )
    return uv


def types_folder() -> Path:
    """Where mypy lies: beside .venv, because dbt-core wants an older pathspec than it."""
    return TOOLS / ("types-" + fingerprint()[:12])


def setup() -> None:
    """Make .venv as the lock says; a second call finds the stamp and returns."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the reader may well have started an older one
        sys.exit(f"run.py: Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted and types_folder().exists():
        return
    started = time.monotonic()
    uv = install_uv()
    print("set-up: making .venv from requirements.lock", flush=True)
    env = {**environment(), "UV_LINK_MODE": os.environ.get("UV_LINK_MODE", "hardlink")}
    call(uv, "venv", "--quiet", "--clear", "--python", sys.executable, VENV, env=env)
    call(uv, "pip", "sync", "--quiet", "--require-hashes", LOCK, env=env)
    # A fifth of what is installed are the libraries' own tests, an eighth the drawing of charts,
    # which nobody imports. What does not compile is a template, or for another Python.
    unused = r"[/\\](tests|matplotlib|fontTools|graph_objs)[/\\]"
    words = ("-m", "compileall", "-qq", "-j", "0", "-x", unused, str(VENV))
    subprocess.call([str(BIN / "python"), *words], env=env)
    call(
        *(uv, "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."),
        env=env,
    )
    for stale in TOOLS.glob("types-*"):
        shutil.rmtree(stale)
    call(
        *(uv, "pip", "install", "--quiet", "--no-deps", "--require-hashes"),
        *("--target", types_folder(), "-r", TYPES_LOCK),
        env=env,
    )
    STAMP.write_text(wanted)
    print(f"set-up: done in {time.monotonic() - started:.0f} s", flush=True)


def lock() -> None:
    """Resolve pyproject.toml into requirements.lock: exact versions, hashes, no URLs."""
    uv = install_uv() if LOCK.exists() else Path(shutil.which("uv") or "uv")
    for path, wanted in (
        (LOCK, ("pyproject.toml", "--group", "dev")),
        (TYPES_LOCK, ("--group", "types")),
    ):
        call(
            *(uv, "pip", "compile", *wanted, "--quiet"),
            *("--generate-hashes", "--no-emit-index-url", "--no-header", "--no-annotate"),
            *("--universal", "--no-strip-extras", "--python-version", "3.11", "-o", path),
        )


def missing_programs() -> list[str]:
    """The Debian packages of TEST_PROGRAMS that this machine lacks."""
    return [
        package for package, pattern in TEST_PROGRAMS.items() if not any(Path("/usr").glob(pattern))
    ]


def install_programs() -> subprocess.Popen[bytes] | None:
    """Begin to install what the tests drive beside Python; None where nothing can or need be.

    Only root on a Debian-like system can; elsewhere the tests that need a program skip with a
    loud line, and in CI they fail.
    """
    wanted = missing_programs()
    if not wanted:
        return None
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        print(f"set-up: WITHOUT {', '.join(wanted)}: the tests that need them skip", flush=True)
        return None
    print(f"set-up: installing {', '.join(wanted)} for the tests", flush=True)
    install = f"apt-get install -y -q --no-install-recommends {' '.join(wanted)}"
    return subprocess.Popen(
        ["/bin/sh", "-c", f"apt-get update -q && {install}"],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )


def lint() -> None:
    """Every static check, cheapest first."""
    quick_lint()
    with tempfile.TemporaryDirectory() as scratch, slow_lint(Path(scratch)) as told:
        code = told()
    sys.exit(code)


def quick_lint() -> None:
    """The checks that take a second."""
    tool("ruff", "check", ".")
    tool("ruff", "format", "--check", ".")
    tool("codespell")


@contextmanager
def slow_lint(scratch: Path) -> Iterator[Callable[[], int]]:
    """Types and SQL, side by side in what other work leaves of the cores.

    Yields what waits for them, prints what they found and returns the first exit code that is
    not 0 (of one that was killed it is below).
    """
    patience = ("nice", "-n", "19") if shutil.which("nice") else ()
    env = {**environment(), "PYTHONPATH": str(types_folder())}
    running: list[tuple[subprocess.Popen[bytes], Path]] = []

    def told() -> int:
        codes = [program.wait() for program, _ in running]
        for _, text in running:
            print(text.read_text(encoding="utf-8"), end="", flush=True)
        return next((code for code in codes if code), 0)

    try:
        for number, (name, *words) in enumerate(SLOW_LINTERS):
            text = scratch / f"{number}.txt"
            with text.open("wb") as out:
                command = [*patience, str(BIN / name), *words]
                program = subprocess.Popen(
                    command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT
                )
            running.append((program, text))
        yield told
    finally:
        for program, _ in running:
            program.terminate()


def memory_folder() -> str | None:
    """A folder in memory where there is plenty; the tests commit to disk thousands of times."""
    folder, told = Path("/dev/shm"), Path("/proc/meminfo")  # noqa: S108 - the system's own
    if not (folder.is_dir() and os.access(folder, os.W_OK) and told.exists()):
        return None
    found = re.search(r"^MemAvailable: +(\d+) kB", told.read_text(), re.MULTILINE)
    free = min(shutil.disk_usage(folder).free, int(found[1]) * 1024 if found else 0)
    return str(folder) if free > PLENTY else None


def test() -> None:
    """All that CI runs; ends with how many tests passed and failed, alone on a line."""
    programs = install_programs()
    quick_lint()
    place = memory_folder()
    with (
        tempfile.TemporaryDirectory(dir=place, ignore_cleanup_errors=True) as scratch,
        slow_lint(Path(scratch)) as linted,
    ):
        if programs is not None and programs.wait():
            print(f"set-up: WITHOUT {', '.join(missing_programs())}: apt-get failed", flush=True)
        report = Path(scratch) / "tests.xml"
        command = ["python", "-m", "pytest", *PYTEST, "--durations=15", f"--junitxml={report}"]
        command += [f"--basetemp={scratch}/tests"] if place else []
        code = subprocess.call([str(BIN / command[0]), *command[1:]], cwd=ROOT, env=environment())
        code = linted() or code
        found = re.search(
            r'<testsuite [^>]*errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"',
            report.read_text() if report.exists() else "",
        )
    if found is not None:
        errors, failures, skipped, tests = map(int, found.groups())
        bad = errors + failures
        print(f"{tests - bad - skipped} passed, {bad} failed, {skipped} skipped", flush=True)
    sys.exit(code)


def quick() -> None:
    """Unit tests only: the loop for an ordinary edit."""
    tool("python", "-m", "pytest", *PYTEST, "-m", "not slow and not e2e", *sys.argv[2:])


def demo() -> None:
    """The whole road over the sandbox vendors."""
    tool("pipeledger", "demo", *sys.argv[2:])


def docs() -> None:
    """The static dbt site; its examples are the fictional company's."""
    published = ROOT / "demo" / "data" / "serving" / "current.duckdb"
    if not published.exists():
        tool("pipeledger", "demo")
    tool("pipeledger", "docs", "--examples", published)


def bench() -> None:
    """The benchmarks; arguments choose some of them."""
    tool("python", "-m", "benchmarks", *sys.argv[2:])


def screenshots() -> None:
    """Pictures of every page of the dashboard, over the fictional company."""
    if not (ROOT / "demo" / "data" / "serving" / "current.duckdb").exists():
        tool("pipeledger", "demo")
    tool("python", "-m", "dashboard.screenshots", *sys.argv[2:])


COMMANDS: dict[str, tuple[Callable[[], None], Sequence[Callable[[], None]]]] = {
    "setup": (setup, ()),
    "demo": (demo, (setup,)),
    "test": (test, (setup,)),
    "quick": (quick, (setup,)),
    "lint": (lint, (setup,)),
    "docs": (docs, (setup,)),
    "bench": (bench, (setup,)),
    "screenshots": (screenshots, (setup,)),
    "lock": (lock, ()),
}


def main() -> None:
    """Run one command after what it needs."""
    name = sys.argv[1] if len(sys.argv) > 1 else "help"
    if name not in COMMANDS:
        print(__doc__)
        sys.exit(0 if name in {"help", "-h", "--help"} else 2)
    command, needs = COMMANDS[name]
    for need in needs:
        need()
    command()


if __name__ == "__main__":
    main()
