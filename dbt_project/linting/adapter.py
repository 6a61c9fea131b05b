"""What sqlfluff sees in the place of dbt's adapter.

Dispatched macros are rendered as their first argument: valid SQL of the right shape, which
is all that a linter needs.
"""

import gc
from collections.abc import Callable

# sqlfluff loads this file in each of its processes, which make trees of a hundred thousand nodes
# and looked for garbage among them for a seventh of their time.
gc.set_threshold(100_000, 20, 20)


def dispatch(name: str, package: str | None = None) -> Callable[..., str]:
    """A macro that returns its first argument, or a type for the macros that name one."""
    del package

    def rendered(*arguments: object, **_: object) -> str:
        if arguments:
            return str(arguments[0])
        if name == "union_all_by_name":
            return "union all by name"
        return "timestamptz" if name.endswith("_type") else "null"

    return rendered
