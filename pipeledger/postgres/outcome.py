"""What became of a build in PostgreSQL."""

from dataclasses import dataclass, field

from pipeledger.guard import FAILED, LOCKED, OK


@dataclass(slots=True)
class Outcome:
    """Marts that were written and that stood already; ``error`` says why the last build stays."""

    build_id: str
    rewritten: list[str] = field(default_factory=list)
    equal: int = 0
    notes: list[str] = field(default_factory=list)
    error: str | None = None
    is_locked: bool = False

    @property
    def exit_code(self) -> int:
        """4 if another publisher holds the schema, 1 for any other failure."""
        if self.error is None:
            return OK
        return LOCKED if self.is_locked else FAILED
