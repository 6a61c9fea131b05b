"""When readers get the new marts: after every model, and only if no error-level check failed."""

from collections.abc import Sequence

import dagster as dg

from orchestration.settings import settings
from orchestration.transform import WAREHOUSE_POOL
from pipeledger.pipeline import noted_build, publish_and_note


def serving_asset(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The serving file, downstream of every mart."""

    @dg.asset(
        key=["serving", "current"],
        deps=list(marts),
        group_name="serving",
        kinds={"duckdb"},
        pool=WAREHOUSE_POOL,
        description="The published marts: one read-only DuckDB file behind a link.",
    )
    def serving_copy() -> dg.MaterializeResult[None]:
        config = settings()
        done = publish_and_note(config, noted_build(config))
        return dg.MaterializeResult(
            metadata={
                "build": done.build_id,
                "marts": len(done.rows),
                "rows": sum(done.rows.values()),
                "file": dg.MetadataValue.path(str(done.current)),
            }
        )

    return serving_copy
