"""What dbt is spared while a command runs changes no answer, and is its own again afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from dbt.clients.jinja import get_rendered
from dbt.context import macros
from dbt_common.clients import jinja
from dbt_common.events import base_types, event_manager_client
from hypothesis import given
from hypothesis import strategies as st

from pipeledger.dbt_lean import lean
from pipeledger.dbt_runs import BuildError

PLACES = st.dictionaries(st.sampled_from("abcdef"), st.integers())
"""Macros of one package by name; a number stands for each."""


@given(PLACES, PLACES, PLACES, st.dictionaries(st.sampled_from("abxy"), PLACES))
def test_a_macro_is_the_one_that_dbt_would_have_found(
    root: dict[str, int],
    local: dict[str, int],
    internal: dict[str, int],
    packages: dict[str, dict[str, int]],
) -> None:
    """A project's own macro stands before a package's, and that before dbt's."""
    places: Any = (root, local, internal, packages)
    theirs = macros.MacroNamespace(*places)
    with lean():
        ours = macros.MacroNamespace(*places)

    assert dict(theirs) == dict(ours)
    assert len(theirs) == len(ours)
    assert ours.get("nothing of the name") is None
    assert theirs.get_from_package(None, "a") == ours.get_from_package(None, "a")


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
            macros.MacroNamespace,
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
