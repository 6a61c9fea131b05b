"""Pieces of the queries: words that DuckDB and PostgreSQL both know."""


def of_people(column: str) -> str:
    """The condition that a user is the chosen seller, or in the chosen team today."""
    return (
        f"($user is null or {column} = $user) and ($team is null or {column} in "
        "(select user_key from dim_user where is_current and team_key = $team))"
    )


OWNED = f"{of_people('d.owner_user_key')} and ($pipeline is null or d.pipeline_key = $pipeline)"
"""The deals ``d`` of the chosen seller, team and pipeline, by today's owner."""


def scoped(scope_type: str, scope_key: str) -> str:
    """The condition that a row is of the chosen scope itself."""
    return f"({scope_type} = $scope_type and {scope_key} = $scope_key)"


def owned(alias: str) -> str:
    """OWNED for another name of the table."""
    return OWNED.replace("d.", f"{alias}.")


def rounded(amount: str) -> str:
    """An amount in the reporting currency, rounded to its minor unit as the marts do."""
    return (
        f"cast(case when $digits = 0 then round({amount}, 0) when $digits = 3 "
        f"then round({amount}, 3) else round({amount}, 2) end as decimal(18, 4))"
    )
