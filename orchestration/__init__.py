"""All that Dagster runs. Thin: each asset calls a verb of ``pipeledger``."""
