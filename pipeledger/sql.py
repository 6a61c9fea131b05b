"""SQL that is written by hand, where DuckDB takes no parameter."""


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
