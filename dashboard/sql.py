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
    cases = (("when $digits = 0 then", 0), ("when $digits = 3 then", 3), ("else", 2))
    # A cast for each: the common type of three roundings has no decimal places.
    said = " ".join(
        f"{case} cast(round({amount}, {digits}) as decimal(18, 4))" for case, digits in cases
    )
    return f"case {said} end"
