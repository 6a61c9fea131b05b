"""An administrator's own modules: read as any other, into one stream.

A record is named ``<module>:<id>`` and bears its module as ``$module``; each module has its
own cursor under its name.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

from connectors.base.stream import Page, ReadRequest, Record
from connectors.zoho.modules import Module
from connectors.zoho.reading import Reader
from connectors.zoho.records import encode, with_field
from connectors.zoho.session import Session


async def read_custom(session: Session, request: ReadRequest) -> AsyncIterator[Page]:
    """Read the configured modules one after the other."""
    cursor = dict(request.cursor or {}) if not request.full else {}
    for name in session.settings.custom_modules:
        prefix = f"{name}:"

        part = replace(
            request,
            cursor=cursor.get(name),
            live_ids=_own(request.live_ids, prefix),
            listed_ids=_own(request.listed_ids, prefix),
        )
        async for page in Reader(session, Module(request.stream.name, name, ""), part).pages():
            if page.cursor is not None:
                cursor[name] = dict(page.cursor)
            shown = page.complete_ids
            if shown is not None:
                others = [one for one in request.live_ids() if not one.startswith(prefix)]
                shown = [*(prefix + one for one in shown), *others]
            yield replace(
                page,
                records=[_named(one, name) for one in page.records],
                cursor=None if page.cursor is None else dict(cursor),
                complete_ids=shown,
            )


def _own(ids: Callable[[], Sequence[str]], prefix: str) -> Callable[[], list[str]]:
    def without_prefix() -> list[str]:
        return [one.removeprefix(prefix) for one in ids() if one.startswith(prefix)]

    return without_prefix


def _named(record: Record, module: str) -> Record:
    payload = record.payload
    if payload is not None:
        payload = with_field(payload, "$module", encode(module))
    return replace(record, record_id=f"{module}:{record.record_id}", payload=payload)
