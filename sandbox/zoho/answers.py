"""How the API answers: rows under a key, nothing as 204, refusals by their code."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sandbox.exchange import Reply, Request

PER_PAGE = 200
_encode = msgspec.json.Encoder(decimal_format="number").encode


class RefusedError(Exception):
    """An error of the API, as its body says it."""

    def __init__(
        self, code: str, message: str, status: int = 400, *, wrapped: bool = False, **details: Any
    ) -> None:
        super().__init__(message)
        told = {"code": code, "details": details, "message": message, "status": "error"}
        self.reply = answer({"data": [told]} if wrapped else told, status)


def answer(value: Any, status: int = 200) -> Reply:
    """A value as JSON, digits of amounts as they are."""
    return Reply(status=status, body=_encode(value))


def not_found() -> Mapping[str, Any]:
    """What an unknown address is told."""
    message = "Please check if the URL trying to access is a correct one"
    return {"code": "INVALID_URL_PATTERN", "details": {}, "message": message, "status": "error"}


def some(key: str, rows: Sequence[Any]) -> Reply:
    """Rows under a key; nothing is 204."""
    return answer({key: rows}) if rows else Reply(status=204)


def size_of(text: str | None) -> int:
    """How many rows a page shall have."""
    size = int(text or PER_PAGE)
    if not 1 <= size <= PER_PAGE:
        raise RefusedError("INVALID_DATA", "per_page", param_name="per_page")
    return size


def paged(key: str, request: Request, rows: Sequence[Any]) -> Reply:
    """One page of rows, by its number."""
    size, page = size_of(request.param("per_page")), int(request.param("page", "1") or 1)
    part = rows[(page - 1) * size : page * size]
    if not part:
        return Reply(status=204)
    info = {
        "per_page": size,
        "count": len(part),
        "page": page,
        "more_records": page * size < len(rows),
    }
    return answer({key: part, "info": info})
