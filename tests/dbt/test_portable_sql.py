"""What DuckDB alone can say stands behind dispatched names (docs/decisions/0071)."""

import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest
import sqlglot
from sqlglot import ErrorLevel, exp
from sqlglot.dialects import Spark

from pipeledger.project import ROOT
from tests.dbt.empty import EmptyCompany

DBT = ROOT / "dbt_project"
SPARK_HAS = frozenset({"date_part"})
"""Functions that sqlglot passes on as they are, and that Spark knows by the same name."""
_UNSUPPORTED = re.compile(r"Unsupported (\w+) function")
_MACRO = re.compile(r"{%-?\s*macro\s+(\w+)\(.*?{%-?\s*endmacro", re.DOTALL)
_COMMENT = re.compile(r"--[^\n]*|{#.*?#}", re.DOTALL)


def untranslated(sql: str) -> set[str]:
    """The functions of DuckDB's SQL that have no translation for Spark.

    Raises:
        AssertionError: something else than a function has none.
    """
    tree = sqlglot.parse_one(sql, read="duckdb")
    generator = Spark().generator(unsupported_level=ErrorLevel.IGNORE)
    generator.generate(tree)
    found = {one.name.lower() for one in tree.find_all(exp.Anonymous)} - SPARK_HAS
    for message in generator.unsupported_messages:
        function = _UNSUPPORTED.fullmatch(message)
        assert function is not None, message
        found.add(function[1].lower())
    return found


def calls(text: str, functions: set[str]) -> set[str]:
    """Those of the functions that a text of SQL calls, comments left out."""
    called = re.findall(r"\b(\w+)\s*\(", _COMMENT.sub("", text).lower())
    return functions & set(called)


def undispatched(text: str) -> Iterator[tuple[str, str]]:
    """Name and text of the macros that render for every engine."""
    for macro in _MACRO.finditer(text):
        if not macro[1].startswith(("duckdb__", "default__")):
            yield macro[1], macro[0]


@cache
def sources() -> Mapping[str, str]:
    """The text of every model, by its name."""
    return {path.stem: path.read_text(encoding="utf-8") for path in (DBT / "models").rglob("*.sql")}


@pytest.fixture(scope="module")
def strangers(empty_company: EmptyCompany) -> dict[str, set[str]]:
    """What each model's compiled SQL calls that has no translation."""
    compiled = empty_company.folder / "dbt" / "compiled" / "pipeledger" / "dbt_project" / "models"
    return {
        path.stem: untranslated(path.read_text(encoding="utf-8"))
        for path in compiled.rglob("*.sql")
        if path.stem in sources() and path.parent.suffix != ".yml"
    }


@pytest.mark.slow
@pytest.mark.xdist_group("empty")
def test_no_model_calls_what_duckdb_alone_has(strangers: dict[str, set[str]]) -> None:
    """The move to Spark is a translation, and no hunt through five hundred models."""
    assert set(sources()) == set(strangers)
    everywhere = set().union(*strangers.values())

    found = {
        name: called for name, text in sources().items() if (called := calls(text, everywhere))
    }
    found |= {
        name: called
        for path in sorted((DBT / "macros").glob("*.sql"))
        for name, text in undispatched(path.read_text(encoding="utf-8"))
        if (called := calls(text, everywhere))
    }

    # Mend it with a dispatched macro of one name: see dbt_project/macros/dialect.sql.
    assert {} == found
    assert {"json_transform", "timezone", "try"} <= everywhere


def test_the_border_is_where_the_decision_says() -> None:
    """Spellings are translated; what has no word in Spark is found, in a model and in a macro."""
    spelt = (
        "select arg_max(a, (b, c)), list_filter(d, lambda one: one > 1)[1], e::date from t "
        "qualify row_number() over (order by b) = 1"
    )
    own = "select list_sum(a), epoch_us(b), try(c + 1) from t"
    macro = "{% macro shared(x) -%} list_sum({{ x }}) {%- endmacro %}"

    found = untranslated(own)

    assert set() == untranslated(spelt)
    assert {"list_sum", "epoch_us", "try"} == found
    assert {"epoch_us"} == calls("select -- list_sum(a)\n epoch_us (b), {# try(c) #} 1", found)
    assert [("shared", {"list_sum"})] == [
        (name, calls(text, found)) for name, text in undispatched(macro)
    ]
    assert [] == list(undispatched(macro.replace("shared", "duckdb__shared")))


def test_every_name_has_a_macro_for_duckdb_and_for_the_others() -> None:
    """A dispatched name without a body for an engine fails when it is called there."""
    text = "".join(
        path.read_text(encoding="utf-8") for path in sorted((DBT / "macros").glob("*.sql"))
    )
    bodies = set(re.findall(r"macro (\w+__\w+)\(", text))

    names = set(re.findall(r"adapter\.dispatch\('(\w+)', 'pipeledger'\)", text))

    assert len(names) > 20
    for engine in ("duckdb", "spark"):
        missing = {one for one in names if not {f"{engine}__{one}", f"default__{one}"} & bodies}
        assert set() == missing, engine
