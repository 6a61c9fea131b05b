"""Where the project's own files lie, and the environment that dbt runs in."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""The folder with dbt_project.yml and profiles.yml."""
