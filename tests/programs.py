"""The programs beside Python that some tests drive; `run.py test` installs them."""

import os
from pathlib import Path

import pytest


def program(pattern: str) -> Path:
    """The newest file under /usr that `pattern` names, such as `lib/postgresql/*/bin/initdb`.

    A machine without it skips the test; CI, which can install it, fails.
    """
    found = sorted(Path("/usr").glob(pattern))
    if found:
        return found[-1]
    message = f"/usr/{pattern} is not installed: `python3 run.py test` as root installs it"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
