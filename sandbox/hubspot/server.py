"""HubSpot's API over a `HubspotState`, refusing what HubSpot refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.exchange import Reply, Request, Router, reply_json
from sandbox.http import SandboxServer, http_date
from sandbox.hubspot.access import Gate, Grant, Limits, refusal
from sandbox.hubspot.answers import (
    VERSION,
    InvalidRequestError,
    NotAllowedError,
    by_id,
    limited,
    missing_scope,
    names,
    no_associations,
    not_found,
    record,
)
from sandbox.hubspot.record import Entry
from sandbox.hubspot.schema import (
    BY_TYPE_ID,
    CURRENCY_SCOPE,
    OBJECT_SCOPES,
    OBJECT_TYPES,
    OWNERS_SCOPE,
    SCHEMA_SCOPES,
)
from sandbox.hubspot.search import InvalidSearchError, search
from sandbox.hubspot.state import HubspotState

MAX_TARGET = 8_000
LIST_MAX, HISTORY_MAX = 100, 50
OWNERS_MAX = 500
RATES_MAX = 100
ASSOCIATION_INPUTS_MAX = 1_000


class HubspotServer(SandboxServer):
    """One account on loopback.

    ``inline_associations`` caps what list and batch answers show of one record's
    associations, ``association_page`` what one answer of the association endpoint shows;
    both are small here so that following their paging is needed in earnest.
    """

    def __init__(
        self,
        state: HubspotState | None = None,
        *,
        limits: Limits | None = None,
        latency_seconds: float = 0.0,
        inline_associations: int = 100,
        association_page: int = 500,
    ) -> None:
        self.state = state or HubspotState()
        self.gate = Gate(limits or Limits())
        self.inline_associations = inline_associations
        self.association_page = association_page
        self._router = self._routes()
        super().__init__(self._handle, latency_seconds=latency_seconds)

    def _routes(self) -> Router:
        objects = f"/crm/objects/{VERSION}/{{object_type}}"
        currencies = f"/settings/currencies/{VERSION}"
        return (
            Router(lambda _: refusal(404, "OBJECT_NOT_FOUND", "resource not found"))
            .get(objects, self._list)
            .post(f"{objects}/batch/read", self._batch_read)
            .post(f"{objects}/search", self._search)
            .post(
                f"/crm/associations/{VERSION}/{{from_type}}/{{to_type}}/batch/read",
                self._associations,
            )
            .get(f"/crm/owners/{VERSION}", self._owners)
            .get(f"/crm/pipelines/{VERSION}/{{object_type}}", self._pipelines)
            .get(f"/crm/properties/{VERSION}/{{object_type}}", self._properties)
            .get(f"{currencies}/exchange-rates", self._rates)
            .get(f"{currencies}/exchange-rates/current", self._current_rates)
            .get(f"{currencies}/company-currency", self._company_currency)
            .get(f"/account-info/{VERSION}/details", self._details)
            .post("/oauth/v2/private-apps/get/access-token-info", self._token_info)
        )

    # Before and after every call.

    def _handle(self, request: Request) -> Reply:
        reply = self._decide(request)
        reply.headers = {"Date": http_date(self.state.now), **reply.headers}
        return reply

    def _decide(self, request: Request) -> Reply:
        if request.path == f"/oauth/{VERSION}/token" and request.method == "POST":
            return self.gate.exchange(request.form(), self.state.portal_id)
        if request.path == f"/oauth/{VERSION}/token/introspect" and request.method == "POST":
            return self._introspect(request)
        if len(request.target) > MAX_TARGET:
            return Reply(414, b"<html>414 URI Too Long</html>", content_type="text/html")
        grant = self.gate.admit(request)
        if isinstance(grant, Reply):
            return grant
        self._grant = grant
        try:
            reply = self._router(request)
        except NotAllowedError as missing:
            reply = missing_scope(missing.scope)
        except (InvalidRequestError, InvalidSearchError, KeyError, TypeError, ValueError) as error:
            reply = refusal(400, "VALIDATION_ERROR", f"Invalid input: {error}")
        reply.headers = {**self.gate.rate_headers(request, grant), **reply.headers}
        return reply

    def _need(self, scope: str) -> None:
        if scope not in self._grant.scopes:
            raise NotAllowedError(scope)

    def _kind(self, request: Request, name: str = "object_type") -> str:
        kind = request.values[name]
        kind = BY_TYPE_ID.get(kind, kind)
        if kind not in OBJECT_TYPES:
            raise InvalidRequestError(f"Unable to infer object type from: {kind}")
        return kind

    # Records.

    def _list(self, request: Request) -> Reply:
        kind = self._kind(request)
        self._need(OBJECT_SCOPES[kind])
        with_history = names(request, "propertiesWithHistory")
        limit = limited(request, HISTORY_MAX if with_history else LIST_MAX)
        archived = request.param("archived", "false") == "true"
        after = int(request.param("after", "0") or 0)
        entries = self.state.page(kind, archived=archived, after=after, limit=limit + 1)
        targets = names(request, "associations")
        for target in targets:
            self._need(OBJECT_SCOPES[target])
        results = [
            self._show(kind, entry, names(request, "properties"), with_history, targets)
            for entry in entries[:limit]
        ]
        answer: dict[str, Any] = {"results": results}
        if len(entries) > limit:
            last = entries[limit - 1].id
            link = f"{self.url}/crm/objects/{VERSION}/{kind}?after={last}"
            answer["paging"] = {"next": {"after": last, "link": link}}
        return reply_json(answer)

    def _batch_read(self, request: Request) -> Reply:
        kind = self._kind(request)
        self._need(OBJECT_SCOPES[kind])
        body = request.json()
        with_history = body.get("propertiesWithHistory", [])
        ids = list(dict.fromkeys(str(one["id"]) for one in body["inputs"]))
        most = HISTORY_MAX if with_history else LIST_MAX
        if len(body["inputs"]) > most:
            raise InvalidRequestError(f"a batch may hold {most} ids, this one holds {len(ids)}")
        archived = request.param("archived", "false") == "true"
        found, missing = [], []
        for one in ids:
            entry = self.state.entry(kind, one)
            if entry is None or (entry.archived_at is not None) != archived:
                missing.append(one)
            else:
                found.append(self._show(kind, entry, body.get("properties", []), with_history, ()))
        found.reverse()  # HubSpot promises no order
        answer: dict[str, Any] = {"status": "COMPLETE", "results": found, **self._stamps()}
        if missing:
            answer |= {"numErrors": 1, "errors": [not_found(missing)]}
        return reply_json(answer, 207 if missing else 200)

    def _show(
        self,
        kind: str,
        entry: Entry,
        properties: Iterable[str],
        with_history: Iterable[str],
        targets: Iterable[str],
    ) -> dict[str, Any]:
        return record(
            self.state,
            self.url,
            kind,
            entry,
            properties=properties,
            with_history=with_history,
            targets=targets,
            most_inline=self.inline_associations,
        )

    def _stamps(self) -> dict[str, str]:
        now = self.state.now.isoformat().replace("+00:00", "Z")
        return {"startedAt": now, "completedAt": now}

    def _search(self, request: Request) -> Reply:
        kind = self._kind(request)
        self._need(OBJECT_SCOPES[kind])
        reach = self.gate.limits.search_total
        return reply_json(search(kind, self.state.searchable(kind), request.json(), reach=reach))

    def _associations(self, request: Request) -> Reply:
        from_kind, to_kind = self._kind(request, "from_type"), self._kind(request, "to_type")
        self._need(OBJECT_SCOPES[from_kind])
        self._need(OBJECT_SCOPES[to_kind])
        inputs = request.json()["inputs"]
        if len(inputs) > ASSOCIATION_INPUTS_MAX:
            raise InvalidRequestError(f"a batch may hold {ASSOCIATION_INPUTS_MAX} ids")
        results, errors = [], []
        for one in inputs:
            entry = self.state.entry(from_kind, str(one["id"]))
            held = entry.associations.get(to_kind) if entry and not entry.archived_at else None
            if not held:
                errors.append(no_associations(from_kind, str(one["id"])))
                continue
            results.append(self._association_page(str(one["id"]), held, one.get("after")))
        answer: dict[str, Any] = {"status": "COMPLETE", "results": results, **self._stamps()}
        if errors:
            answer |= {"numErrors": len(errors), "errors": errors}
        return reply_json(answer, 207 if errors else 200)

    def _association_page(
        self, record_id: str, held: Mapping[str, list[dict[str, Any]]], after: str | None
    ) -> dict[str, Any]:
        ids = sorted(held, key=int)
        rest = [one for one in ids if after is None or int(one) > int(after)]
        page = rest[: self.association_page]
        answer: dict[str, Any] = {
            "from": {"id": record_id},
            # The specification says text; live answers were seen with numbers.
            "to": [{"toObjectId": int(one), "associationTypes": held[one]} for one in page],
        }
        if len(rest) > len(page):
            answer["paging"] = {"next": {"after": page[-1]}}
        return answer

    # What surrounds the records.

    def _owners(self, request: Request) -> Reply:
        self._need(OWNERS_SCOPE)
        archived = request.param("archived", "false") == "true"
        rows = [one for one in self.state.owners if bool(one["archived"]) == archived]
        return by_id(request, rows, OWNERS_MAX)

    def _pipelines(self, request: Request) -> Reply:
        kind = self._kind(request)
        self._need(OBJECT_SCOPES[kind])
        return reply_json({"results": self.state.pipelines.get(kind, [])})

    def _properties(self, request: Request) -> Reply:
        kind = self._kind(request)
        self._need(SCHEMA_SCOPES[kind])
        archived = request.param("archived", "false") == "true"
        rows = [one for one in self.state.definitions(kind) if one["archived"] == archived]
        return reply_json({"results": rows})

    def _rates(self, request: Request) -> Reply:
        self._need(CURRENCY_SCOPE)
        return by_id(request, self.state.exchange_rates, RATES_MAX)

    def _current_rates(self, request: Request) -> Reply:
        self._need(CURRENCY_SCOPE)
        newest: dict[str, dict[str, Any]] = {}
        for rate in sorted(self.state.exchange_rates, key=lambda one: str(one["effectiveAt"])):
            newest[rate["fromCurrencyCode"]] = rate
        return by_id(request, list(newest.values()), RATES_MAX)

    def _company_currency(self, request: Request) -> Reply:
        del request
        self._need(CURRENCY_SCOPE)
        stamp = "2023-10-02T07:00:00.000Z"
        return reply_json(
            {
                "id": "1",
                "currencyCode": self.state.home_currency,
                "createdAt": stamp,
                "updatedAt": stamp,
            }
        )

    def _details(self, request: Request) -> Reply:
        del request
        return reply_json(
            {
                "portalId": self.state.portal_id,
                "portalName": "Sandbox",
                "accountType": "STANDARD",
                "timeZone": self.state.time_zone,
                "companyCurrency": self.state.home_currency,
                "additionalCurrencies": sorted(
                    {str(one["fromCurrencyCode"]) for one in self.state.exchange_rates}
                ),
                "utcOffset": "+02:00",
                "utcOffsetMilliseconds": 7_200_000,
                "uiDomain": "app-eu1.hubspot.com",
                "dataHostingLocation": "eu1",
            }
        )

    def _token_info(self, request: Request) -> Reply:
        grant = self.gate.tokens.get(request.json()["tokenKey"])
        if grant is None or grant.is_oauth:
            return refusal(400, "INVALID_PRIVATE_APP_TOKEN", "not a private app token")
        return reply_json(
            {
                "userId": 9001,
                "hubId": self.state.portal_id,
                "appId": 4242,
                "scopes": sorted(grant.scopes),
            }
        )

    def _introspect(self, request: Request) -> Reply:
        form = request.form()
        app = self.gate.apps.get(form.get("client_id", ""))
        if app is None or app.client_secret != form.get("client_secret"):
            return refusal(401, "BAD_CLIENT_ID", "missing or unknown client id or secret")
        grant = self.gate.tokens.get(form.get("token", ""))
        if grant is None or not grant.is_oauth or grant.is_expired:
            return reply_json({"active": False})
        return reply_json(
            {"active": True, "hub_id": self.state.portal_id, "scopes": sorted(grant.scopes)}
        )

    _grant = Grant()
