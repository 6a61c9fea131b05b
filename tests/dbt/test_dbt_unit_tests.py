"""dbt's unit tests: each worked example and edge case of the definitions."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlparse
from dbt.adapters.duckdb.impl import DuckDBAdapter
from sqlparse.lexer import tokenize
from sqlparse.sql import Statement, Token
from sqlparse.tokens import Comment, Text

from pipeledger.kept import unchanged
from tests.dbt.empty import AS_OF, EmptyCompany, faults

pytestmark = [
    *(pytest.mark.slow, pytest.mark.timeout(900)),
    pytest.mark.xdist_group("empty"),  # one warehouse for all of them
]


def test_an_empty_company_builds(empty_company: EmptyCompany) -> None:
    """First run, nothing landed: marts exist with no rows, and no check fails."""
    assert {} == faults(empty_company.built)


def test_every_definition_is_pinned_by_a_dbt_unit_test(
    empty_company: EmptyCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The inputs' types come from relations: an empty warehouse has them all."""
    assert {} == faults(empty_company.built)
    monkeypatch.setattr(sqlparse, "parse", led_by_with)
    monkeypatch.setattr(DuckDBAdapter, "execute", asked_once(DuckDBAdapter.execute))

    results = empty_company.run("test", "--select", "test_type:unit")

    assert {} == faults(results)
    assert len(results) > 100
    assert {} == misspelt_lane_columns(empty_company.folder)


def asked_once(execute: Callable[..., Any]) -> Callable[..., Any]:
    """An adapter's ``execute`` that asks for the types of a relation once (macro ``types_of``).

    Four hundred tests have two thousand inputs, and no test changes what they stand for.
    """
    known: dict[str, Any] = {}

    def asked(self: Any, sql: str, *words: Any, **options: Any) -> Any:
        if not re.search(r'\(describe "[^(]+\)\s*$', sql):
            return execute(self, sql, *words, **options)
        if sql not in known:
            known[sql] = execute(self, sql, *words, **options)
        return known[sql]

    return asked


def led_by_with(sql: str) -> tuple[Statement]:
    """A statement as its first words, of which dbt looks for WITH, and all the rest as one.

    sqlparse itself reads every word and groups it down to the last bracket; nobody looks at
    that, and it takes longer than the queries.
    """
    words: list[Token] = []
    for kind, word in tokenize(sql):  # type: ignore[no-untyped-call] # theirs
        words.append(Token(kind, word))  # type: ignore[no-untyped-call] # theirs
        is_word = not words[-1].is_whitespace and kind not in Comment
        if is_word and words[-1].normalized not in {"WITH", "RECURSIVE"}:
            break
    rest = sql[sum(len(word.value) for word in words) :]
    return (Statement([*words, Token(Text, rest)]),)  # type: ignore[no-untyped-call] # theirs


def test_only_views_that_speak_of_a_build_are_made_by_every_build(
    empty_company: EmptyCompany,
) -> None:
    """A view that stands is left out of later builds: it must speak of no earlier one.

    Of its instant, or of the deals that it computed.
    """
    manifest = empty_company.dbt.manifest
    all_that_stands = {(node.schema, node.alias) for node in manifest.nodes.values()}

    left = {node.name for node in unchanged(manifest, all_that_stands)}

    models = [one.node for one in empty_company.built if one.node.resource_type == "model"]
    views = {node.name: node for node in models if node.config.materialized == "view"}
    naming = {
        name
        for name, view in views.items()
        if AS_OF in view.compiled_code or "are_deals_kept()" in view.raw_code
    }
    assert {"lane_hubspot__activities", "int_deal_stays"} <= naming
    assert naming == views.keys() - left
    assert "currencies" in left
    assert "fct_deal" not in left


def misspelt_lane_columns(folder: Path) -> dict[str, set[str]]:
    """Columns of each lane that its union does not know, and would drop without a word."""
    manifest = json.loads((folder / "dbt" / "manifest.json").read_text())
    columns: dict[str, set[str]] = {}
    with duckdb.connect(str(folder / "empty.duckdb"), read_only=True) as db:
        for table, column in db.execute(
            "select table_name, column_name from information_schema.columns"
        ).fetchall():
            columns.setdefault(table, set()).add(column)
    unions = {
        (node["name"], parent.rpartition(".")[2])
        for node in manifest["nodes"].values()
        for parent in node.get("depends_on", {}).get("nodes", ())
        if parent.rpartition(".")[2].startswith("lane_") and node["name"].startswith("int_")
    }
    assert unions, "no lane is united: the manifest has another shape than this test reads"
    unknown = {lane: columns[lane] - columns[union] for union, lane in unions}
    return {lane: names for lane, names in unknown.items() if names}
