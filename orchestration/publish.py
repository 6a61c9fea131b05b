"""When readers get the new marts: after every model, and only if no error-level check failed."""

from collections.abc import Sequence

import dagster as dg

from connectors.base.redact import redact
from orchestration.settings import LOCK_WAIT_SECONDS, settings
from orchestration.transform import WAREHOUSE_POOL
from pipeledger.pipeline import noted_build, publish_and_note
from pipeledger.publish import Publication, SupersededError
from pipeledger.settings import Settings


def serving_asset(marts: Sequence[dg.AssetKey]) -> dg.AssetsDefinition:
    """The serving file, downstream of every mart."""

    @dg.asset(
        key=["serving", "current"],
        deps=list(marts),
        group_name="serving",
        kinds={"duckdb"},
        pool=WAREHOUSE_POOL,
        description="The published marts: one read-only DuckDB file behind a link, and the same "
        "build in PostgreSQL where one is configured.",
    )
    def serving_copy() -> dg.MaterializeResult[None]:
        config = settings()
        try:
            done = _published(config)
        except SupersededError:
            # A command line has built meanwhile, and has noted what that came to.
            done = _published(config)
        second = done.postgres
        if second is not None and second.error is not None:
            raise dg.Failure(
                f"the serving file has build {done.build_id}, PostgreSQL keeps its last one: "
                f"{redact(second.error)}"
            )
        return dg.MaterializeResult(
            metadata={
                "build": done.build_id,
                "marts": len(done.rows),
                "rows": sum(done.rows.values()),
                **({} if second is None else {"written_in_postgres": len(second.rewritten)}),
                "file": dg.MetadataValue.path(str(done.current)),
            }
        )

    return serving_copy


def _published(config: Settings) -> Publication:
    return publish_and_note(config, noted_build(config), lock_wait_seconds=LOCK_WAIT_SECONDS)
