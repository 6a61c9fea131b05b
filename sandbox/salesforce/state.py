"""An org's records by object, and what happens to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

CLIENT_ID = "3MVG9-client-of-the-sandbox"
CLIENT_SECRET = "dead-secret-of-the-sandbox"  # noqa: S105 - opens the sandbox alone
Row = dict[str, Any]

_SYSTEM = {
    "Id": "id", "IsDeleted": "boolean", "CreatedDate": "datetime", "SystemModstamp": "datetime",
}  # fmt: skip
SCHEMA: dict[str, dict[str, str]] = {
    "Opportunity": {
        "Name": "string", "StageName": "picklist", "Amount": "currency", "Probability": "percent",
        "CloseDate": "date", "IsClosed": "boolean", "IsWon": "boolean", "OwnerId": "reference",
        "AccountId": "reference", "ContactId": "reference", "RecordTypeId": "reference",
        "CurrencyIsoCode": "picklist", "LeadSource": "picklist", "ForecastCategoryName": "picklist",
        "Loss_Reason__c": "string", "Margin__c": "double", "LastStageChangeDate": "datetime",
        "MasterRecordId": "reference",
        "BillingAddress": "address", "Api_Token__c": "string",
    },
    "Account": {
        "Name": "string", "Website": "url", "Industry": "picklist", "BillingCountryCode": "string",
        "OwnerId": "reference", "ParentId": "reference", "MasterRecordId": "reference",
    },
    "Contact": {
        "FirstName": "string", "LastName": "string", "Name": "string", "Email": "email",
        "Title": "string", "AccountId": "reference", "OwnerId": "reference",
        "MasterRecordId": "reference",
    },
    "Lead": {
        "FirstName": "string", "LastName": "string", "Company": "string", "Email": "email",
        "Status": "picklist", "LeadSource": "picklist", "OwnerId": "reference",
        "IsConverted": "boolean", "ConvertedDate": "date", "ConvertedOpportunityId": "reference",
        "ConvertedAccountId": "reference", "ConvertedContactId": "reference",
        "MasterRecordId": "reference",
    },
    "OpportunityHistory": {
        "OpportunityId": "reference", "StageName": "picklist", "Amount": "currency",
        "CloseDate": "date", "Probability": "percent", "CreatedById": "reference",
        "CurrencyIsoCode": "picklist", "ForecastCategory": "picklist",
    },
    "OpportunityFieldHistory": {
        "OpportunityId": "reference", "Field": "picklist", "OldValue": "anyType",
        "NewValue": "anyType", "DataType": "picklist", "CreatedById": "reference",
    },
    "OpportunityLineItem": {
        "OpportunityId": "reference", "Product2Id": "reference", "Name": "string",
        "Quantity": "double", "UnitPrice": "currency", "TotalPrice": "currency",
        "Discount": "percent", "ServiceDate": "date", "CurrencyIsoCode": "picklist",
    },
    "OpportunityContactRole": {
        "OpportunityId": "reference", "ContactId": "reference", "Role": "picklist",
        "IsPrimary": "boolean",
    },
    "OpportunitySplit": {
        "OpportunityId": "reference", "SplitOwnerId": "reference", "SplitTypeId": "reference",
        "SplitPercentage": "percent", "SplitAmount": "currency",
    },
    "OpportunitySplitType": {
        "MasterLabel": "string", "DeveloperName": "string", "SplitField": "picklist",
        "IsTotalValidated": "boolean", "IsActive": "boolean",
    },
    "OpportunityTeamMember": {
        "OpportunityId": "reference", "UserId": "reference", "TeamMemberRole": "picklist",
    },
    "PricebookEntry": {
        "Pricebook2Id": "reference", "Product2Id": "reference", "UnitPrice": "currency",
        "IsActive": "boolean", "CurrencyIsoCode": "picklist",
    },
    "ForecastingItem": {
        "OwnerId": "reference", "PeriodId": "reference", "ForecastingTypeId": "reference",
        "ForecastAmount": "currency", "ForecastCategoryName": "picklist",
    },
    "Quote": {
        "QuoteNumber": "string", "Name": "string", "OpportunityId": "reference",
        "AccountId": "reference", "Status": "picklist", "TotalPrice": "currency", "Tax": "currency",
        "GrandTotal": "currency", "ExpirationDate": "date", "OwnerId": "reference",
        "CurrencyIsoCode": "picklist",
    },
    "QuoteLineItem": {
        "QuoteId": "reference", "Product2Id": "reference", "Quantity": "double",
        "UnitPrice": "currency", "TotalPrice": "currency", "Discount": "percent",
        "CurrencyIsoCode": "picklist",
    },
    "Task": {
        "Subject": "string", "Status": "picklist", "IsClosed": "boolean", "TaskSubtype": "picklist",
        "Type": "picklist", "ActivityDate": "date", "CompletedDateTime": "datetime",
        "CallDurationInSeconds": "int", "WhoId": "reference", "WhatId": "reference",
        "OwnerId": "reference", "Description": "textarea",
    },
    "Event": {
        "Subject": "string", "StartDateTime": "datetime", "EndDateTime": "datetime",
        "WhoId": "reference", "WhatId": "reference", "OwnerId": "reference",
        "Description": "textarea",
    },
    "Case": {
        "CaseNumber": "string", "Status": "picklist", "IsClosed": "boolean",
        "Priority": "picklist", "AccountId": "reference", "ContactId": "reference",
        "ClosedDate": "datetime", "Subject": "string", "Description": "textarea",
        "MasterRecordId": "reference",
    },
    "Product2": {"Name": "string", "ProductCode": "string", "IsActive": "boolean"},
    "User": {
        "Username": "string", "Name": "string", "Email": "email", "IsActive": "boolean",
        "UserRoleId": "reference", "ManagerId": "reference", "SenderSignature": "textarea",
    },
    "OpportunityStage": {
        "MasterLabel": "string", "ApiName": "string", "SortOrder": "int", "IsActive": "boolean",
        "IsClosed": "boolean", "IsWon": "boolean", "DefaultProbability": "percent",
        "ForecastCategoryName": "picklist",
    },
    "RecordType": {"Name": "string", "SobjectType": "picklist", "IsActive": "boolean"},
    "Organization": {
        "Name": "string", "DefaultCurrencyIsoCode": "picklist", "FiscalYearStartMonth": "int",
        "IsSandbox": "boolean",
    },
    "CurrencyType": {
        "IsoCode": "picklist", "ConversionRate": "double", "IsCorporate": "boolean",
        "IsActive": "boolean", "DecimalPlaces": "int",
    },
    "DatedConversionRate": {
        "IsoCode": "picklist", "ConversionRate": "double", "StartDate": "date",
        "NextStartDate": "date",
    },
    "ForecastingQuota": {
        "QuotaOwnerId": "reference", "PeriodId": "reference", "StartDate": "date",
        "QuotaAmount": "currency", "IsAmount": "boolean", "CurrencyIsoCode": "picklist",
        "ForecastingTypeId": "reference", "QuotaQuantity": "double",
    },
    "ForecastingSubmission": {
        "ForecastOwnerId": "reference", "ForecastingTypeId": "reference", "PeriodId": "reference",
        "PeriodStartDate": "date", "SubmissionDateTime": "datetime", "Note": "textarea",
        "IsLatest": "boolean", "Territory2Id": "reference", "CurrencyIsoCode": "picklist",
    },
    "ForecastingSubmissionItem": {
        "ForecastingSubmissionId": "reference", "ForecastingItemCategory": "picklist",
        "Amount": "currency", "Quantity": "double", "CurrencyIsoCode": "picklist",
    },
    "Period": {"Type": "picklist", "StartDate": "date", "EndDate": "date"},
}  # fmt: skip
PREFIXES = {
    "Opportunity": "006", "Account": "001", "Contact": "003", "Lead": "00Q", "User": "005",
    "OpportunityHistory": "008", "Quote": "0Q0", "Task": "00T", "Event": "00U", "Product2": "01t",
    "Case": "500",
}  # fmt: skip
FORMULAS = frozenset({"Margin__c"})


def stamp(at: datetime) -> str:
    """A moment as REST shows it: whole seconds, an offset without a colon."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


@dataclass
class SalesforceState:
    """One org; ``now`` moves only by ``advance``."""

    now: datetime = datetime(2026, 10, 15, 6, 0, tzinfo=UTC)
    schema: dict[str, dict[str, str]] = field(
        default_factory=lambda: {name: {**_SYSTEM, **own} for name, own in SCHEMA.items()}
    )
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)
    purged: list[tuple[str, str, datetime]] = field(default_factory=list)
    """(object, id, when) of what left even the recycle bin."""
    refused: set[str] = field(default_factory=set)
    """Objects that the user may not read."""
    daily_limit: int = 100_000
    used: int = 0
    last_number: int = 0

    def __post_init__(self) -> None:
        self.rows = {name: {} for name in self.schema}
        self.add("Organization", Name="Nordlicht", DefaultCurrencyIsoCode="EUR", IsSandbox=False)
        self.add("OpportunityStage", MasterLabel="Qualify", SortOrder=1, IsActive=True,
                 IsClosed=False, IsWon=False, DefaultProbability=10.0)  # fmt: skip
        self.add("User", Username="ann@example.com", Name="Ann", Email="ann@example.com",
                 IsActive=True)  # fmt: skip

    def advance(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)

    def new_id(self, name: str) -> str:
        """An id of 18 characters, ascending."""
        self.last_number += 1
        prefix = PREFIXES.get(name, "0ZZ")
        return f"{prefix}{self.last_number:012d}AAA"

    def add(self, name: str, *, at: datetime | None = None, **fields: Any) -> str:
        """Make a record; its id."""
        record_id = fields.pop("Id", None) or self.new_id(name)
        made = stamp(at or self.now)
        defaults: Row = {
            key: False if kind == "boolean" else None for key, kind in self.schema[name].items()
        }
        system = {"Id": record_id, "CreatedDate": made, "SystemModstamp": made}
        self.rows[name][record_id] = {**defaults, **system, **fields}
        return str(record_id)

    def change(self, name: str, record_id: str, **fields: Any) -> None:
        """Edit a record."""
        self.rows[name][record_id] |= {**fields, "SystemModstamp": stamp(self.now)}

    def compute(self, name: str, record_id: str, **fields: Any) -> None:
        """A formula gives another value: no clock moves."""
        self.rows[name][record_id] |= fields

    def delete(self, name: str, record_id: str) -> None:
        """Into the recycle bin."""
        self.change(name, record_id, IsDeleted=True)

    def merge(self, name: str, loser: str, winner: str) -> None:
        """Merge one record into another."""
        self.change(name, loser, IsDeleted=True, MasterRecordId=winner)
        self.change(name, winner)

    def purge(self, name: str, record_id: str) -> None:
        """Out of the recycle bin, too."""
        del self.rows[name][record_id]
        self.purged.append((name, record_id, self.now))

    def load(self, tables: Mapping[str, Mapping[str, Row]]) -> None:
        """Take over a company's records (`sandbox.company.salesforce`)."""
        self.rows["OpportunityStage"].clear()
        for name, held in tables.items():
            blank: Row = {
                key: False if kind == "boolean" else None for key, kind in self.schema[name].items()
            }
            self.rows[name].update({one: {**blank, **row} for one, row in held.items()})
