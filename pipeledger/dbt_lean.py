"""What dbt does again for every node is done once, while a command runs (decision 0081).

Nothing here changes what dbt renders, asks or answers. Names of dbt's own that it does not
promise are put back when the command is over; look at them when dbt is raised.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from typing import Any


@contextmanager
def lean() -> Iterator[None]:
    """Run dbt's commands without what they repeat for each of a thousand nodes."""
    with ExitStack() as stack:
        for spared in (_events, _templates, _date_words, _macros):
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
    """Look a macro up in one place, not in five for each of six hundred names of each node."""
    from dbt.context import macros

    class Flat(macros.MacroNamespace):
        def __init__(self, *places: Any, **named: Any) -> None:
            super().__init__(*places, **named)
            self._flat: dict[str, Any] = {}
            for place in reversed([*self._search_order()]):
                self._flat.update(place)

        def __getitem__(self, key: str) -> Any:
            return self._flat[key]

        def __iter__(self) -> Iterator[str]:
            return iter(self._flat)

        def __len__(self) -> int:
            return len(self._flat)

    with _put(macros, "MacroNamespace", Flat):
        yield
