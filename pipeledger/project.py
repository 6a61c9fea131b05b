"""Where the project's own files lie, and the environment that dbt runs in."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder with dbt_project.yml and profiles.yml."""


def dbt_files(*ends: str) -> list[str]:
    """The files of the dbt project whose names end so, and its own settings; sorted paths."""
    found = [str(ROOT / "dbt_project.yml")]
    # os.walk: pathlib costs ten times as much for these eight hundred, in every build.
    for folder, _, names in os.walk(ROOT / "dbt_project"):
        found += [f"{folder}{os.sep}{name}" for name in names if name.endswith(ends)]
    return sorted(found)
