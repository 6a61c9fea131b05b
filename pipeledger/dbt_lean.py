"""What dbt does again for every node is done once, while a command runs (decision 0081).

Nothing here changes what dbt renders, asks or answers. Names of dbt's own that it does not
promise are put back when the command is over; look at them when dbt is raised.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any


@contextmanager
def lean(*, tells: bool = False) -> Iterator[None]:
    """Run dbt's commands without what they repeat for each of a thousand nodes.

    Args:
        tells: somebody reads dbt's events, as Dagster does; else they are dropped.
    """
    with ExitStack() as stack:
        for spared in (_templates, _date_words, _macros, *(() if tells else (_events,))):
            stack.enter_context(spared())
        yield


@contextmanager
def _put(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Another value under a name, for the length of the block."""
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _events() -> Iterator[None]:
    """Let dbt's events fall: a dozen for each node, a fifth of its time, and no log to go into."""
    from dbt_common.events import base_types, event_manager, event_manager_client

    class Deaf(event_manager.EventManager):
        def fire_event(self, *_: Any, **__: Any) -> None:
            pass

    listening = event_manager_client.get_event_manager()
    event_manager_client.ctx_set_event_manager(Deaf())
    try:
        with _put(base_types, "ParseDict", lambda _, message: message):
            yield
    finally:
        event_manager_client.ctx_set_event_manager(listening)


_compiled: dict[tuple[Any, ...], Any] = {}
"""Jinja's code of each template: a process has some thousand texts, whatever it builds."""


@contextmanager
def _templates() -> Iterator[None]:
    """Compile each text of Jinja once, not for every test that says the same words."""
    from dbt_common.clients import jinja

    environment = jinja.MacroFuzzEnvironment
    compile_text: Callable[..., Any] = environment.compile

    def compiled(self: Any, source: Any, *named: Any, **options: Any) -> Any:
        if named or options or not isinstance(source, str):
            return compile_text(self, source, *named, **options)
        # What is read from a text depends on the kind of environment and on nothing in it: dbt
        # gives each of a kind the same extensions.
        key = (type(self), source)
        if key not in _compiled:
            _compiled[key] = compile_text(self, source)
        return _compiled[key]

    with _put(environment, "compile", compiled):
        yield


@contextmanager
def _date_words() -> Iterator[None]:
    """Learn once what days are called: agate asks for every result, and no date is in words."""
    import parsedatetime  # type: ignore[import-untyped] # theirs

    with _put(parsedatetime, "Constants", cache(parsedatetime.Constants)):
        yield


@contextmanager
def _macros() -> Iterator[None]:
    """Bind six hundred macros to each node in one stroke, and look each up in one place.

    dbt lays every macro of every context into its places one by one, walks five places for each
    name, and copies all of them name by name.
    """
    from dbt.clients.jinja import MacroGenerator
    from dbt.context import macros

    class Bound(MacroGenerator):
        def __init__(self, macro: Any, context: Any, node: Any, stack: Any) -> None:
            self.macro = macro
            self.context = context
            self.node = node
            self.stack = stack

    class Flat(dict[str, Any], macros.MacroNamespace):
        def __init__(self, *places: Any) -> None:
            macros.MacroNamespace.__init__(self, *places)
            for place in reversed([*self._search_order()]):
                self.update(place)

    def laid(self: Any, by_package: dict[str, dict[str, Any]], context: dict[str, Any]) -> Any:
        places = {
            package: {
                name: Bound(macro, context, self.node, self.thread_ctx)
                for name, macro in known.items()
            }
            for package, known in by_package.items()
        }
        builtin: dict[str, Any] = {}
        for package in reversed(self.internal_package_names_order):
            builtin.update(places.pop(package, {}))
        here, root = (places.get(name, {}) for name in (self.search_package, self.root_package))
        return Flat(root, here, builtin, places)

    with _put(macros.MacroNamespaceBuilder, "build_namespace", laid):
        yield
