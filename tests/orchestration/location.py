"""The code location, as `dagster dev` would load it."""

import importlib
import sys
from types import ModuleType


def definitions() -> ModuleType:
    """The code location, loaded afresh: it reads the settings once."""
    for name in [name for name in sys.modules if name.startswith("orchestration")]:
        del sys.modules[name]
    return importlib.import_module("orchestration.definitions")
