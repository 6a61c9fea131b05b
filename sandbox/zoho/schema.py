"""The modules of an organisation and their standard fields, by type.

A subform, a multi-select lookup and a picture are fields too; queries refuse them.
"""

from typing import Any
from zlib import crc32

COMMON = {
    "id": "bigint",
    "Owner": "ownerlookup",
    "Created_By": "ownerlookup",
    "Modified_By": "ownerlookup",
    "Created_Time": "datetime",
    "Modified_Time": "datetime",
    "Last_Activity_Time": "datetime",
    "Description": "textarea",
    "Record_Image": "profileimage",
    "Tag": "text",
}
_PERSON = {
    "First_Name": "text",
    "Last_Name": "text",
    "Full_Name": "text",
    "Email": "email",
    "Phone": "phone",
    "Lead_Source": "picklist",
}
_DOCUMENT = {
    "Subject": "text",
    "Account_Name": "lookup",
    "Contact_Name": "lookup",
    "Deal_Name": "lookup",
    "Currency": "picklist",
    "Exchange_Rate": "double",
    "Sub_Total": "formula",
    "Discount": "currency",
    "Tax": "currency",
    "Adjustment": "currency",
    "Grand_Total": "formula",
    "Status": "picklist",
}
LINES = {
    "Quotes": "Quoted_Items",
    "Sales_Orders": "Ordered_Items",
    "Invoices": "Invoiced_Items",
    "Purchase_Orders": "Purchase_Items",
}
LINE_FIELDS = (
    "id", "Product_Name", "Quantity", "List_Price", "Total", "Discount", "Tax", "Net_Total",
    "Description", "Sequence_Number", "Line_Tax", "Parent_Id",
)  # fmt: skip
FIELDS: dict[str, dict[str, str]] = {
    "Deals": {
        "Deal_Name": "text",
        "Amount": "currency",
        "Currency": "picklist",
        "Exchange_Rate": "double",
        "Stage": "picklist",
        "Pipeline": "picklist",
        "Probability": "integer",
        "Expected_Revenue": "currency",
        "Closing_Date": "date",
        "Type": "picklist",
        "Lead_Source": "picklist",
        "Next_Step": "text",
        "Reason_For_Loss__s": "picklist",
        "Account_Name": "lookup",
        "Contact_Name": "lookup",
        "Campaign_Source": "lookup",
        "Stage_Modified_Time": "datetime",
        "Lead_Conversion_Time": "integer",
    },
    "Accounts": {
        "Account_Name": "text",
        "Website": "website",
        "Phone": "phone",
        "Industry": "picklist",
        "Annual_Revenue": "currency",
        "Employees": "integer",
        "Parent_Account": "lookup",
        "Billing_Country": "text",
        "Billing_City": "text",
        "Account_Type": "picklist",
    },
    "Contacts": {**_PERSON, "Account_Name": "lookup", "Title": "text", "Mobile": "phone"},
    "Leads": {
        **_PERSON,
        "Company": "text",
        "Website": "website",
        "Lead_Status": "picklist",
        "Converted__s": "boolean",
        "Converted_Date_Time": "datetime",
        "Converted_Account": "lookup",
        "Converted_Contact": "lookup",
        "Converted_Deal": "lookup",
    },
    "Tasks": {
        "Subject": "text",
        "Status": "picklist",
        "Priority": "picklist",
        "Due_Date": "date",
        "Closed_Time": "datetime",
        "What_Id": "lookup",
        "Who_Id": "lookup",
        "Recurring_Activity": "ALARM",
    },
    "Events": {
        "Event_Title": "text",
        "Start_DateTime": "datetime",
        "End_DateTime": "datetime",
        "Participants": "multi_module_lookup",
        "What_Id": "lookup",
        "Who_Id": "lookup",
        "Venue": "text",
    },
    "Calls": {
        "Subject": "text",
        "Call_Type": "picklist",
        "Call_Start_Time": "datetime",
        "Call_Duration": "text",
        "Call_Duration_in_seconds": "integer",
        "Outgoing_Call_Status": "picklist",
        "What_Id": "lookup",
        "Who_Id": "lookup",
    },
    "Products": {
        "Product_Name": "text",
        "Product_Code": "text",
        "Product_Active": "boolean",
        "Unit_Price": "currency",
        "Product_Category": "picklist",
        "Qty_in_Stock": "double",
        "Qty_in_Demand": "double",
        "Qty_Ordered": "double",
    },
    "Campaigns": {"Campaign_Name": "text", "Type": "picklist", "Status": "picklist"},
    "Cases": {
        "Subject": "text",
        "Case_Number": "autonumber",
        "Status": "picklist",
        "Priority": "picklist",
        "Account_Name": "lookup",
        "Related_To": "lookup",
        "Deal_Name": "lookup",
    },
    "Quotes": {**_DOCUMENT, "Quote_Stage": "picklist", "Valid_Till": "date"},
    "Sales_Orders": {
        **_DOCUMENT,
        "SO_Number": "autonumber",
        "Quote_Name": "lookup",
        "Due_Date": "date",
    },
    "Invoices": {
        **_DOCUMENT,
        "Invoice_Number": "autonumber",
        "Purchase_Order": "text",
        "Invoice_Date": "date",
        "Due_Date": "date",
        "Sales_Order": "lookup",
    },
    "Purchase_Orders": {**_DOCUMENT, "PO_Number": "text", "Vendor_Name": "lookup"},
}
REFUSED_IN_QUERIES = frozenset(
    {"subform", "multiselectlookup", "multi_module_lookup", "profileimage", "ALARM"}
)


def fields_of(module: str, own: dict[str, str]) -> dict[str, str]:
    """All fields of a module with their types; ``own`` are an administrator's."""
    fields = {**COMMON, **FIELDS.get(module, {"Name": "text"}), **own}
    if module in LINES:
        fields[LINES[module]] = "subform"
    return fields


def described(module: str, name: str, kind: str, *, is_own: bool, values: list[Any]) -> Any:
    """A field as settings/fields shows it."""
    return {
        "api_name": name,
        "field_label": name.replace("_", " "),
        "data_type": kind,
        "custom_field": is_own,
        "visible": True,
        "read_only": kind == "formula",
        "id": f"5725767{crc32(f'{module}.{name}'.encode()):012d}",
        "pick_list_values": values,
        "formula": {"return_type": "currency"} if kind == "formula" else {},
    }
