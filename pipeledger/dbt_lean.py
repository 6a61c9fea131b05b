"""What dbt does again for every node is done once, while a command runs (decision 0081).

Nothing here changes what dbt renders, asks or answers. Names of dbt's own that it does not
promise are put back when the command is over; look at them when dbt is raised.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from inspect import getattr_static
from typing import Any


@contextmanager
def lean(*, tells: bool = False) -> Iterator[None]:
    """Run dbt's commands without what they repeat for each of a thousand nodes.

    Args:
        tells: somebody reads dbt's events, as Dagster does; else they are dropped.
    """
    told = () if tells else (_events,)
    with ExitStack() as stack:
        for spared in (_templates, _date_words, _contexts, _graph, _plugins, *told):
            stack.enter_context(spared())
        yield


@contextmanager
def _put(owner: Any, name: str, value: Any) -> Iterator[None]:
    """Another value under a name, for the length of the block."""
    before = getattr_static(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _events() -> Iterator[None]:
    """Let dbt's events fall: a dozen for each node, a fifth of its time, and no log to go into."""
    from dbt.artifacts.schemas.results import BaseResult
    from dbt.contracts.graph.nodes import NodeInfoMixin
    from dbt_common.behavior_flags import BehaviorFlagRendered
    from dbt_common.events import base_types, event_manager, event_manager_client

    class Deaf(event_manager.EventManager):
        def fire_event(self, *_: Any, **__: Any) -> None:
            pass

    def mute(self: Any, *_: Any, **__: Any) -> None:
        self.pb_msg = getattr(self.PROTO_TYPES_MODULE, type(self).__name__)()

    listening = event_manager_client.get_event_manager()
    event_manager_client.ctx_set_event_manager(Deaf())
    # Of a node and its result, what would be told of them.
    nothing: dict[str, Any] = {}
    try:
        with (
            _put(base_types.BaseEvent, "__init__", mute),
            _put(NodeInfoMixin, "node_info", property(lambda _: nothing)),
            _put(BaseResult, "to_msg_dict", lambda _: nothing),
            # The module that asks, for a warning: it was looked for in the source of every caller.
            _put(BehaviorFlagRendered, "_default_source", staticmethod(lambda: "")),
        ):
            yield
    finally:
        event_manager_client.ctx_set_event_manager(listening)


_compiled: dict[tuple[Any, ...], Any] = {}
"""Jinja's code of each template: a process has some thousand texts, whatever it builds."""


_environments: dict[bool, Any] = {}
"""Jinja's of each kind: native, or of text."""


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

    get_environment = jinja.get_environment

    def known(node: Any = None, capture_macros: bool = False, native: bool = False) -> Any:
        if capture_macros:  # a node's own, which tells of what it does not know
            return get_environment(node, capture_macros, native)
        if native not in _environments:
            _environments[native] = get_environment(native=native)
        return _environments[native]

    with _put(environment, "compile", compiled), _put(jinja, "get_environment", known):
        yield


@contextmanager
def _date_words() -> Iterator[None]:
    """Learn once what days are called: agate asks for every result, and no date is in words."""
    import parsedatetime  # type: ignore[import-untyped] # theirs

    with _put(parsedatetime, "Constants", cache(parsedatetime.Constants)):
        yield


@contextmanager
def _contexts() -> Iterator[None]:
    """Make what a node can name when it names it."""
    from pipeledger.dbt_contexts import LENT

    with ExitStack() as stack:
        for owner, name, value in LENT:
            stack.enter_context(_put(owner, name, value))
        yield


@contextmanager
def _graph() -> Iterator[None]:
    """Ask of the graph no more than is told: that it has no cycle, and each node's type.

    The edges by which a model waits for tests are those of dbt's flag ``use_fast_test_edges``,
    which let the same nodes wait.
    """
    from dbt.compilation import Linker
    from networkx import (  # type: ignore[import-untyped] # theirs
        is_directed_acyclic_graph,
    )

    find_cycles: Callable[..., Any] = Linker.find_cycles

    def named_cycle(self: Any) -> Any:
        return None if is_directed_acyclic_graph(self.graph) else find_cycles(self)

    def summary(self: Any, manifest: Any) -> dict[int, dict[str, Any]]:
        places = {name: place for place, name in enumerate(self.graph)}
        told: dict[int, dict[str, Any]] = {}
        for name, place in places.items():
            told[place] = {"name": name, "type": manifest.expect(name).resource_type}
            after = [places[one] for one in self.graph.successors(name)]
            if after:
                told[place]["succ"] = after
        return told

    with (
        _put(Linker, "find_cycles", named_cycle),
        _put(Linker, "get_graph_summary", summary),
        _put(Linker, "add_test_edges", Linker.add_test_edges_2),
    ):
        yield


@cache
def _plugin_modules() -> Any:
    from dbt.plugins.manager import PluginManager

    found: Callable[[], Any] = PluginManager.get_prefixed_modules
    return found()


@contextmanager
def _plugins() -> Iterator[None]:
    """Look once for installed modules that call themselves plugins of dbt."""
    from dbt.plugins.manager import PluginManager

    modules = _plugin_modules()
    with _put(PluginManager, "get_prefixed_modules", staticmethod(lambda: modules)):
        yield
