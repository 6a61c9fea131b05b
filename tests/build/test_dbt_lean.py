"""What dbt is spared while a command runs changes no answer, and is its own again afterwards."""

import json
from collections.abc import Callable, Mapping
from inspect import getattr_static
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.adapters.factory import load_plugin
from dbt.artifacts.resources.types import NodeType
from dbt.artifacts.schemas.results import BaseResult
from dbt.clients.jinja import MacroGenerator, MacroStack, get_rendered
from dbt.compilation import Linker
from dbt.context import macros
from dbt.context.base import Var, contextmember, contextproperty
from dbt.context.manifest import ManifestContext
from dbt.contracts.graph.nodes import NodeInfoMixin
from dbt.plugins.manager import PluginManager
from dbt_common.behavior_flags import BehaviorFlagRendered
from dbt_common.clients import jinja
from dbt_common.events import base_types, event_manager_client
from dbt_common.exceptions import CompilationError
from hypothesis import given
from hypothesis import strategies as st

from pipeledger.dbt_contexts import LENT
from pipeledger.dbt_lean import lean
from pipeledger.dbt_runs import BuildError

NAMES = st.lists(st.sampled_from("abcd"), unique=True, min_size=1)


@given(
    st.dictionaries(st.sampled_from(["shop", "utils", "dbt", "dbt_duckdb"]), NAMES),
    st.sampled_from(["shop", "utils", "dbt"]),
    st.sampled_from(["shop", "utils"]),
    st.sampled_from([["dbt_duckdb", "dbt"], ["dbt"], []]),
)
def test_a_macro_is_the_one_that_dbt_would_have_found(
    packages: dict[str, list[str]], node_package: str, root: str, builtin: list[str]
) -> None:
    """A project's own stands before a package's, that before dbt's; each is bound to the node."""
    known: Any = {
        package: {name: SimpleNamespace(name=name, package_name=package) for name in names}
        for package, names in packages.items()
    }
    node, stack, context = object(), MacroStack(), {"target": "prod"}  # type: ignore[no-untyped-call] # theirs

    def bound() -> Any:
        builder = macros.MacroNamespaceBuilder(root, node_package, stack, builtin, node)
        return builder.build_namespace(known, context)

    def shown(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {name: shown(one) for name, one in value.items()}
        assert isinstance(value, MacroGenerator)
        assert node is value.node
        assert stack is value.stack
        assert context is value.context
        macro: Any = value.macro
        return macro.package_name, macro.name

    theirs = bound()
    with lean():
        ours = bound()

    assert shown(theirs) == shown(ours)
    assert len(theirs) == len(ours)
    assert ours.get("nothing of the name") is None
    for package in (None, "dbt", *theirs.packages):
        for name in "ab":
            found = theirs.get_from_package(package, name), ours.get_from_package(package, name)
            assert found == (None, None) or shown(found[0]) == shown(found[1])


def _context(made: list[str]) -> Any:
    """What a node of the shop can name: dbt's words, one of the shop's, and three macros."""
    load_plugin("duckdb")

    class Shop(ManifestContext):
        @contextproperty()
        def stock(self) -> str:
            made.append("stock")
            return "a word"

        @contextproperty()
        def never_named(self) -> str:
            made.append("never_named")
            return ""

        @contextmember()
        @staticmethod
        def price(of: str) -> str:
            return f"the price of {of}"

    known = {
        "shop": {"tojson": "{% macro tojson() %}the shop's{% endmacro %}"},
        "dbt": {"till": "{% macro till() %}{{ stock }} in {{ price('tea') }}{% endmacro %}"},
        "utils": {"bell": "{% macro bell() %}{{ till() }}!{% endmacro %}"},
    }
    macros_of: Any = {
        package: {
            name: SimpleNamespace(name=name, package_name=package, macro_sql=sql, unique_id=name)
            for name, sql in texts.items()
        }
        for package, texts in known.items()
    }
    config: Any = SimpleNamespace(
        project_name="shop",
        credentials=SimpleNamespace(type="duckdb"),
        cli_vars={},
        to_target_dict=dict,
        load_dependencies=lambda: made.append("packages"),
    )
    manifest: Any = SimpleNamespace(get_macros_by_package=lambda: macros_of)
    return Shop(config, manifest, "shop").to_dict()  # type: ignore[no-untyped-call] # theirs


@pytest.mark.parametrize("is_native", [False, True])
def test_a_node_can_name_what_dbt_would_have_made_for_it(*, is_native: bool) -> None:
    """Read whole it is the same; named one by one, each is made once and nothing else is."""
    text = "{{ stock }}, {{ utils.bell() }}, {{ tojson() }}, {{ builtins.tojson([1]) }}, {{ x }}"
    theirs = _context([])
    expected = get_rendered(text, theirs, native=is_native)
    made: list[str] = []
    with lean():
        ours = _context(made)
        assert ["packages"] == made
        assert {"stock", "till", "utils", "context"} <= {name for name in theirs if name in ours}
        assert "x" not in ours
        assert ours.get("x", 1) == 1
        with pytest.raises(KeyError, match="x"):
            ours["x"]
        assert ["packages"] == made
        assert expected == get_rendered(text, ours, native=is_native)
        assert ["packages", "stock"] == made
        ours["stock"] = "another word"
        assert expected.replace("a word", "another word") == get_rendered(text, ours)

        whole, builtins = dict(ours), dict(ours["builtins"])

    assert "a word, a word in the price of tea!, the shop's, [1], " == expected
    assert {*theirs} == {*whole} == {*ours.keys()}
    assert len(theirs) == len(ours)
    assert {*theirs["builtins"]} == {*builtins}
    assert {name: type(value) for name, value in theirs["builtins"].items()} == {
        name: type(value) for name, value in builtins.items()
    }
    assert whole["context"] is ours
    assert whole["dbt"]["till"] is whole["till"]


def test_a_variable_is_rendered_where_it_is_written_in_jinja() -> None:
    """Everything else is what was said."""
    values: Any = {"plain": "EUR", "number": 3, "text": "{{ 1 + 1 }} of {{ name }}"}
    var = Var({"name": "tea"}, values)
    theirs = [var(name) for name in values]
    with lean():
        assert theirs == [var(name) for name in values] == ["EUR", 3, "2 of tea"]


def test_a_text_that_was_compiled_before_is_rendered_with_what_it_is_given_now() -> None:
    """Hundreds of tests say the same words of other tables."""
    with lean():
        rendered = [
            get_rendered(f"select {{{{ column }}}} from {table}", {"column": column})
            for table in ("t", "u")
            for column in ("a", "b")
        ]

    assert [f"select {column} from {table}" for table in "tu" for column in "ab"] == rendered


@pytest.mark.parametrize("text", ["{{ amount }}", "{{ shop.no_such.thing(1) }}"])
def test_a_text_is_rendered_as_the_kind_that_is_asked_for(text: str) -> None:
    """A value is no text, and a parser collects what it does not know where a node would fail."""

    def rendered() -> list[Any]:
        found = []
        for native in (False, True):
            for captured in (False, True):
                try:
                    found.append(get_rendered(text, {"amount": 3}, None, captured, native))
                except CompilationError as error:
                    found.append(error)
        return [(type(one).__name__, str(one)) for one in found]

    theirs = rendered()
    with lean():
        ours = [rendered(), rendered()]

    assert [theirs, theirs] == ours
    assert 1 < len({*theirs})


def _linked(*edges: tuple[str, str]) -> tuple[Linker, Any]:
    """A graph of models, and the manifest that has them."""
    linker = Linker()
    for before, after in edges:
        linker.dependency(after, before)  # type: ignore[no-untyped-call] # theirs

    def expect(name: str) -> Any:
        kind = NodeType.Test if name.startswith("test.") else NodeType.Model
        told = {"resource_type": kind.value, "name": name}
        return SimpleNamespace(resource_type=kind, to_dict=lambda **_: told)

    return linker, SimpleNamespace(expect=expect)


def test_the_graph_is_told_as_dbt_tells_it() -> None:
    """Its summary lies beside the compiled models for whoever looks why a build waits."""
    linker, manifest = _linked(("deals", "funnel"), ("deals", "test.deals"), ("funnel", "quota"))
    theirs = json.dumps(linker.get_graph_summary(manifest))
    with lean():
        ours = json.dumps(linker.get_graph_summary(manifest))

    assert '"type": "test"' in theirs
    assert theirs == ours


@pytest.mark.parametrize("edges", [(("a", "b"), ("b", "c")), (("a", "b"), ("b", "c"), ("c", "b"))])
def test_a_cycle_is_named_as_dbt_names_it(edges: tuple[tuple[str, str], ...]) -> None:
    """Whoever wrote two models that wait for each other is told which."""
    linker, _ = _linked(*edges)
    theirs = linker.find_cycles()  # type: ignore[no-untyped-call] # theirs
    with lean():
        ours = linker.find_cycles()  # type: ignore[no-untyped-call] # theirs

    assert ("b --> c" if len(edges) > 2 else None) == theirs == ours


def test_dbt_is_its_own_again_after_a_command_that_failed() -> None:
    """The process goes on, and whoever runs dbt in it next gets dbt."""
    import parsedatetime  # type: ignore[import-untyped] # theirs

    def parts() -> tuple[Any, ...]:
        compiled = jinja.MacroFuzzEnvironment.compile
        named = (
            vars(base_types.BaseEvent)["__init__"],
            *(vars(NodeInfoMixin)["node_info"], vars(BaseResult)["to_msg_dict"]),
            parsedatetime.Constants,
            compiled,
            jinja.get_environment,
            *(getattr(owner, name) for owner, name, _ in LENT),
            getattr_static(BehaviorFlagRendered, "_default_source"),
            getattr_static(PluginManager, "get_prefixed_modules"),
            *(vars(Linker)[name] for name in ("find_cycles", "get_graph_summary")),
            vars(Linker)["add_test_edges"],
        )
        return (*named, event_manager_client.get_event_manager())

    before = parts()
    within: list[Any] = []
    with pytest.raises(BuildError):
        _fail(lambda: within.extend(parts()))

    assert before == parts()
    assert not [one for one, other in zip(before, within, strict=True) if one is other]


def _fail(look: Callable[[], None]) -> None:
    with lean():
        look()
        raise BuildError("model fct_deal failed")
