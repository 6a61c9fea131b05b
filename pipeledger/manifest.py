"""What dbt knows of the project: read once, for every company and every build (decision 0070).

Data flow:
    dbt_project/ -> dbt parse -> target/manifest/<fingerprint>.pickle -> a company's manifest

dbt reads some eight hundred files for ten seconds, and all of them anew when a variable differs.
What it reads hardly depends on the variables: the SQL is rendered when a node runs. So it is read
with all sources configured, and a company gets what dbt itself would have left of that.
"""

import gc
import hashlib
import json
import os
import pickle
import re
import sys
import tempfile
from argparse import Namespace
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import fields
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from connectors.base.errors import PipeledgerError
from connectors.base.locks import write_durably
from pipeledger.locks import exclusive
from pipeledger.project import ROOT, dbt_files
from pipeledger.sources import CONNECTORS

DATABASE = "pipeledger"
"""What the running warehouse is called in SQL: its file's name without the ending."""
PARSE_SECONDS = 300.0
_READ = (".sql", ".yml", ".csv")
_ENABLED = re.compile(r"\benabled\s*=\s*has_source\('(\w+)'\)")


class ManifestError(PipeledgerError):
    """dbt cannot read the project; the message is dbt's own."""


def is_read(warehouse: Path) -> bool:
    """Whether dbt has read the project as it is now."""
    return _kept(warehouse).exists()


def whole_manifest(warehouse: Path) -> Any:
    """The manifest with every source configured; dbt reads the project if nobody has.

    Each call gives one of its own, which the caller may change.

    Args:
        warehouse: the file in which the relations lie.

    Raises:
        ManifestError: the project cannot be read.
    """
    path = _kept(warehouse)
    if not path.exists():
        with exclusive(path.parent / "read.lock", "the reading of the models", PARSE_SECONDS):
            if not path.exists():
                _read(path)
    from dbt.contracts.graph.manifest import Manifest

    # Half a million objects at once, none of which is garbage.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        manifest = Manifest(**pickle.loads(path.read_bytes()))  # noqa: S301 - our own, beside our code
    finally:
        if was_enabled:
            gc.enable()
    if warehouse.stem != DATABASE:
        _rename(manifest, warehouse.stem)
    return manifest


def company_manifest(warehouse: Path, sources: Collection[str]) -> Any:
    """The manifest as dbt would have read it with just these sources, without unit tests.

    Gone are the models of a source's staging folder, those that say ``enabled=has_source(...)``
    and the tests of both. A model that asks some source only if it is configured waits for those
    that are.

    Args:
        warehouse: the file in which the relations lie.
        sources: the configured sources.
    """
    manifest = whole_manifest(warehouse)
    missing = {name for name in CONNECTORS if name not in sources}
    gone = {name for name, node in manifest.nodes.items() if _source_of(node) in missing}
    gone |= {
        name
        for name, node in manifest.nodes.items()
        if node.resource_type == "test" and gone & {*node.depends_on.nodes}
    }
    for name in gone:
        del manifest.nodes[name]
    for node in manifest.nodes.values():
        if gone & {*node.depends_on_nodes}:
            node.depends_on.nodes = [one for one in node.depends_on_nodes if one not in gone]
    manifest.unit_tests.clear()
    return manifest


def show_manifest(warehouse: Path, manifest: Any) -> Path:
    """Lay the manifest and its metrics beside the warehouse, for those that read them as JSON.

    Writing takes a second: what lies there already is left. Others may read meanwhile, and find
    the file that was there or the new one. Returns the manifest's path.
    """
    from dbt.flags import set_from_args
    from dbt.parser.manifest import write_semantic_manifest
    from dbt_common.utils.encoding import JSONEncoder

    folder = warehouse.parent / "dbt"
    told = hashlib.sha256(f"{_kept(warehouse)}{warehouse}{sorted(manifest.nodes)}".encode())
    note = folder / "manifest.shown"
    if note.exists() and note.read_text(encoding="ascii") == told.hexdigest():
        return folder / "manifest.json"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    note.unlink(missing_ok=True)
    # No command has been given yet from which dbt would know its flags.
    flags = Namespace(project_dir=str(ROOT), profiles_dir=str(ROOT))
    set_from_args(flags, None)
    with tempfile.TemporaryDirectory(prefix=".manifest-", dir=folder) as written:
        # As dbt writes it, but all at once: it lets Python put together half a million pieces.
        artifact = manifest.writable_manifest()
        whole = artifact.to_dict(omit_none=False, context={"artifact": True})
        text = json.dumps(whole, cls=JSONEncoder)
        Path(written, "manifest.json").write_text(text, encoding="utf-8")
        write_semantic_manifest(manifest, written)
        for file in Path(written).iterdir():
            file.replace(folder / file.name)
    note.write_text(told.hexdigest(), encoding="ascii")
    return folder / "manifest.json"


def _source_of(node: Any) -> str | None:
    """The source without which a node is disabled."""
    if node.fqn[1] == "staging" and node.resource_type == "model":
        return str(node.fqn[2])
    found = _ENABLED.search(node.raw_code)
    return found.group(1) if found else None


def _rename(manifest: Any, database: str) -> None:
    """Let the relations lie in a file of another name."""
    relations = [*manifest.nodes.values(), *manifest.sources.values()]
    relations += [one.node_relation for one in manifest.semantic_models.values()]
    for one in relations:
        one.database = database
        if one.relation_name:
            one.relation_name = one.relation_name.replace(f'"{DATABASE}"', f'"{database}"', 1)


def _kept(warehouse: Path) -> Path:
    """The file of this reading: below the project, or by the warehouse if that is read-only."""
    files = [*dbt_files(*_READ), str(ROOT / "profiles.yml")]
    stats = [Path(path).stat() for path in files]
    read = tuple(
        (path, one.st_mtime_ns, one.st_size) for path, one in zip(files, stats, strict=True)
    )
    target = ROOT / "target"
    is_writable = os.access(target if target.exists() else ROOT, os.W_OK)
    folder = target / "manifest" if is_writable else warehouse.parent / "dbt"
    return folder / f"{_fingerprint(read)}.pickle"


@lru_cache(maxsize=1)
def _fingerprint(read: tuple[tuple[str, int, int], ...]) -> str:
    """Of what files of the project say, by whom it is read; their times and sizes tell changes."""
    told = hashlib.sha256(f"{sys.version}{version('dbt-core')}{version('dbt-duckdb')}".encode())
    for path in (Path(name) for name, *_ in read):
        told.update(f"\n{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return told.hexdigest()[:32]


def _read(path: Path) -> None:
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    folder = path.parent
    with _environment(folder / f"{DATABASE}.duckdb"):
        outcome = dbtRunner().invoke(
            [
                *("--quiet", "--no-use-colors", "--no-write-json"),
                *("--log-level", "none", "--log-level-file", "none", "parse"),
                *("--project-dir", str(ROOT), "--profiles-dir", str(ROOT)),
                *("--target-path", str(folder), "--log-path", str(folder)),
            ]
        )
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call] # theirs
    if outcome.exception is not None:
        raise ManifestError(f"dbt parse failed: {outcome.exception}") from outcome.exception
    manifest: Any = outcome.result
    # A manifest pickles itself, and mixes up its parts. Left out are what dbt finds again by
    # itself, its notes of the files and a copy of it all for a word that no macro uses.
    parts = [one.name for one in fields(manifest) if not one.name.startswith("_")]
    kept = {name: getattr(manifest, name) for name in parts if name not in {"files", "flat_graph"}}
    write_durably(path, pickle.dumps(kept, pickle.HIGHEST_PROTOCOL))
    for older in folder.glob("*.pickle"):
        if older != path:
            older.unlink(missing_ok=True)


@contextmanager
def _environment(warehouse: Path) -> Iterator[None]:
    """The file by whose name relations are called; it is neither made nor opened."""
    before = os.environ.get("PIPELEDGER_WAREHOUSE")
    os.environ["PIPELEDGER_WAREHOUSE"] = str(warehouse)
    try:
        yield
    finally:
        os.environ.pop("PIPELEDGER_WAREHOUSE")
        if before is not None:
            os.environ["PIPELEDGER_WAREHOUSE"] = before


if __name__ == "__main__":
    whole_manifest(Path(sys.argv[1]))
