"""What dbt is spared while a command runs changes no answer, and is its own again afterwards."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.clients.jinja import MacroGenerator, MacroStack, get_rendered
from dbt.context import macros
from dbt_common.clients import jinja
from dbt_common.events import base_types, event_manager_client
from hypothesis import given
from hypothesis import strategies as st

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


def test_a_text_that_was_compiled_before_is_rendered_with_what_it_is_given_now() -> None:
    """Hundreds of tests say the same words of other tables."""
    with lean():
        rendered = [
            get_rendered(f"select {{{{ column }}}} from {table}", {"column": column})
            for table in ("t", "u")
            for column in ("a", "b")
        ]

    assert [f"select {column} from {table}" for table in "tu" for column in "ab"] == rendered


def test_dbt_is_its_own_again_after_a_command_that_failed() -> None:
    """The process goes on, and whoever runs dbt in it next gets dbt."""
    import parsedatetime  # type: ignore[import-untyped] # theirs

    def parts() -> tuple[Any, ...]:
        compiled = jinja.MacroFuzzEnvironment.compile
        named = (
            vars(base_types)["ParseDict"],
            macros.MacroNamespaceBuilder.build_namespace,
            parsedatetime.Constants,
            compiled,
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
