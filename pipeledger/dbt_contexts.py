"""What a node can name is made when it names it (decision 0081).

dbt makes six hundred macros and eighty words for each of a node's two or three contexts; a node
names some twenty of them.
"""

from collections import ChainMap
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from dbt.clients.jinja import _HAS_RENDER_CHARS_PAT, MacroGenerator
from dbt.context.base import Var
from dbt.context.macros import MacroNamespace, MacroNamespaceBuilder
from dbt.context.manifest import ManifestContext
from dbt.include.global_project import PROJECT_NAME
from dbt_common.clients.jinja import MacroFuzzTemplate, NativeSandboxTemplate


class Lent(dict[str, Any]):
    """A dictionary of known names whose values are made when they are asked for.

    To whoever reads it whole, or copies it, it is the dictionary of all of them.
    """

    def __init__(self, names: Collection[str], make: Callable[[str], Any]) -> None:
        super().__init__()
        self.names = names
        self.make = make

    def __missing__(self, name: str) -> Any:
        if name not in self.names:
            raise KeyError(name)
        value = self[name] = self.make(name)
        return value

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.names), **dict.fromkeys(dict.keys(self))})

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __bool__(self) -> bool:
        return bool(self.names) or bool(dict.__len__(self))

    # A dictionary's own know of nothing but what is made; these ask for each name.
    get = Mapping.get  # type: ignore[assignment] # of any mapping
    keys = Mapping.keys  # type: ignore[assignment] # a view of any mapping
    items = Mapping.items  # type: ignore[assignment] # a view of any mapping
    values = Mapping.values  # type: ignore[assignment] # a view of any mapping


class Bound(MacroGenerator):
    """A macro and the node that calls it, without dbt's four constructors."""

    def __init__(self, macro: Any, context: Any, node: Any, stack: Any) -> None:
        self.macro = macro
        self.context = context
        self.node = node
        self.stack = stack


class Namespace(Lent, MacroNamespace):
    """Every macro that a node can call by its name alone, and every package by its own."""

    def __init__(self, here: Lent, root: Lent, builtin: Lent, packages: dict[str, Any]) -> None:
        MacroNamespace.__init__(self, root, here, builtin, {**packages})
        found = ChainMap[str, Any](here, root, packages, {PROJECT_NAME: builtin}, builtin)
        Lent.__init__(self, found, found.__getitem__)


def build_namespace(
    self: MacroNamespaceBuilder, by_package: dict[str, dict[str, Any]], context: dict[str, Any]
) -> Namespace:
    """The macros of each package, bound to the builder's node when they are named."""

    def lent(macros: dict[str, Any]) -> Lent:
        return Lent(macros, lambda name: Bound(macros[name], context, self.node, self.thread_ctx))

    builtin: dict[str, Any] = {}
    for package in reversed(self.internal_package_names_order):
        builtin.update(by_package.get(package, {}))
    packages = {
        package: lent(macros)
        for package, macros in by_package.items()
        if package not in self.internal_package_names
    }
    here, root = (
        packages.get(name) or lent({}) for name in (self.search_package, self.root_package)
    )
    return Namespace(here, root, lent(builtin), packages)


_namespace_of: Any = ManifestContext._build_namespace  # noqa: SLF001 - put back afterwards
_context_of: Any = ManifestContext.to_dict


def namespace_of(self: ManifestContext) -> Any:
    """The namespace as dbt builds it, for a context that lends what it holds."""
    self._ctx = Lent((), dict[str, Any]().__getitem__)
    return _namespace_of(self)


def context_of(self: Any) -> Any:
    """All that a node can name: dbt's words, and the macros before them."""
    if not (isinstance(self.namespace, Namespace) and isinstance(self._ctx, Lent)):
        return _context_of(self)
    members, namespace, context = self._context_members_, self.namespace, self._ctx

    def made(name: str) -> Any:
        member = members[name]
        return member.__get__(self) if hasattr(member, "__get__") else member

    builtins = Lent(members, made)
    context.update(context=context, builtins=builtins)
    context.names = ChainMap(namespace, members)
    context.make = lambda name: (namespace if name in namespace else builtins)[name]
    # dbt's `var` does so when it is made, and who dispatches a macro looks at what was loaded.
    self.config.load_dependencies()
    return context


_get_rendered_var = Var.get_rendered_var


def rendered_var(self: Var, name: str) -> Any:
    """A variable without Jinja in it is itself; dbt copies the context to find that."""
    raw = self._merged[name]
    if isinstance(raw, str) and not _HAS_RENDER_CHARS_PAT.search(raw):
        return raw
    return _get_rendered_var(self, name)


LENT = (
    # A native template would copy the context; dbt's others look into it.
    (NativeSandboxTemplate, "new_context", MacroFuzzTemplate.new_context),
    (MacroNamespaceBuilder, "build_namespace", build_namespace),
    (ManifestContext, "_build_namespace", namespace_of),
    (ManifestContext, "to_dict", context_of),
    (Var, "get_rendered_var", rendered_var),
)
"""Whose method is put in place by which, while a command runs."""
