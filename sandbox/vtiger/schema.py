"""The modules of a fresh installation: their numbers, their fields, their references."""

from typing import Any, TypeAlias

Row: TypeAlias = dict[str, str | None]

PREFIXES = {
    "Leads": 10,
    "Accounts": 11,
    "Contacts": 12,
    "Potentials": 13,
    "Products": 14,
    "Quotes": 4,
    "PurchaseOrder": 5,
    "SalesOrder": 6,
    "Invoice": 7,
    "Calendar": 9,
    "Emails": 16,
    "HelpDesk": 17,
    "Events": 18,
    "Users": 19,
    "Groups": 20,
    "Currency": 21,
    "Services": 26,
}
INVENTORY = frozenset({"Quotes", "PurchaseOrder", "SalesOrder", "Invoice"})
NO_ENTITY = frozenset({"Groups", "Currency"})
WITHOUT_CLOCK = frozenset({"Users", "Groups", "Currency"})
SECRETS = ("user_password", "confirm_password", "accesskey")
REFERENCES = frozenset(
    {
        *("account_id", "contact_id", "related_to", "campaignid", "parent_id", "potential_id"),
        *("product_id", "quote_id", "salesorder_id", "vendor_id", "currency_id", "reports_to_id"),
    }
)
_COMMON = (
    *("assigned_user_id", "createdtime", "modifiedtime", "modifiedby", "source", "starred"),
    *("tags", "description"),
)
_MONEY = (
    *("hdnSubTotal", "hdnGrandTotal", "pre_tax_total", "hdnTaxType", "hdnDiscountAmount"),
    *("hdnDiscountPercent", "txtAdjustment", "hdnS_H_Amount", "currency_id", "conversion_rate"),
)
_LINE = ("productid", "quantity", "listprice", "discount_amount", "discount_percent", "comment")
_DIARY = (
    *("subject", "date_start", "time_start", "due_date", "time_end", "parent_id"),
    *("contact_id", "activitytype"),
)

FIELDS: dict[str, tuple[str, ...]] = {
    "Leads": (
        *("lastname", "firstname", "company", "email", "phone", "leadsource", "leadstatus"),
        *("industry", "website", "annualrevenue", "lead_no"),
        *_COMMON,
    ),
    "Accounts": (
        *("accountname", "website", "industry", "annual_revenue", "account_id", "phone"),
        *("email1", "bill_country", "bill_city", "accounttype", "account_no"),
        *("isconvertedfromlead", *_COMMON),
    ),
    "Contacts": (
        *("lastname", "firstname", "email", "secondaryemail", "phone", "title", "account_id"),
        *("leadsource", "mailingcountry", "contact_no", "isconvertedfromlead", *_COMMON),
    ),
    "Potentials": (
        *("potentialname", "potential_no", "amount", "related_to", "contact_id", "closingdate"),
        *("opportunity_type", "nextstep", "leadsource", "sales_stage", "probability"),
        *("campaignid", "forecast_amount", "isconvertedfromlead", *_COMMON),
    ),
    "Products": (
        *("productname", "productcode", "discontinued", "productcategory", "unit_price"),
        *("qtyinstock", "qtyindemand", "product_no", *_COMMON),
    ),
    "Services": ("servicename", "unit_price", "discontinued", "service_no", *_COMMON),
    "Quotes": (
        *("subject", "quotestage", "validtill", "potential_id", "account_id", "contact_id"),
        *("quote_no", *_MONEY, *_LINE, *_COMMON),
    ),
    "SalesOrder": (
        *("subject", "sostatus", "duedate", "potential_id", "account_id", "contact_id"),
        *("quote_id", "salesorder_no", *_MONEY, *_LINE, *_COMMON),
    ),
    "Invoice": (
        *("subject", "invoicestatus", "invoicedate", "duedate", "potential_id", "account_id"),
        *("contact_id", "salesorder_id", "invoice_no", "received", "balance"),
        *(*_MONEY, *_LINE, *_COMMON),
    ),
    "PurchaseOrder": (
        *("subject", "postatus", "duedate", "vendor_id", "purchaseorder_no", "paid", "balance"),
        *(*_MONEY, *_LINE, *_COMMON),
    ),
    "Events": (*_DIARY, "eventstatus", *_COMMON),
    "Calendar": (*_DIARY, "taskstatus", "taskpriority", *_COMMON),
    "Emails": (
        *("subject", "date_start", "time_start", "from_email", "saved_toid", "ccmail"),
        *("bccmail", "parent_id", "activitytype", "email_flag", "access_count", *_COMMON),
    ),
    "HelpDesk": (
        *("ticket_title", "ticketstatus", "ticketpriorities", "ticketseverities", "parent_id"),
        *("contact_id", "product_id", "ticket_no", *_COMMON),
    ),
    "Users": (
        *("user_name", "first_name", "last_name", "email1", "status", "is_admin", "roleid"),
        *("reports_to_id", "title", "department", "currency_id", "time_zone", "phone_home"),
        *("address_street", *SECRETS),
    ),
    "Groups": ("groupname", "description"),
    "Currency": (
        *("currency_name", "currency_code", "currency_symbol", "conversion_rate"),
        *("currency_status", "defaultid", "deleted"),
    ),
}


def field_description(name: str, label: str, values: list[str] | None) -> dict[str, Any]:
    """One field as ``describe`` tells it; ``values`` of a picklist in order."""
    kind: dict[str, Any] = {"name": "string"}
    if values is not None:
        listed = [{"label": value, "value": value} for value in values]
        kind = {"name": "picklist", "picklistValues": listed, "defaultValue": ""}
    elif name in REFERENCES:
        kind = {"name": "reference", "refersTo": []}
    return {
        "name": name,
        "label": label,
        "mandatory": False,
        "type": kind,
        "isunique": False,
        "nullable": True,
        "editable": True,
        "default": "",
    }
