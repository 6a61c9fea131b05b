"""The empty company, built once for the tests of one worker."""

import pytest

from tests.dbt.empty import EmptyCompany, build_empty_company


@pytest.fixture(scope="session")
def empty_company(tmp_path_factory: pytest.TempPathFactory) -> EmptyCompany:
    """A company of which nothing has landed."""
    return build_empty_company(tmp_path_factory.mktemp("empty"))
