"""HubSpot's property definitions: what GET properties/{object} answers."""

from typing import Any

from sandbox.company.pipelines import CREATED

_NAMES = {
    "deals": """
        amount:number amount_in_home_currency:number:calculated closed_lost_reason:string
        closedate:datetime createdate:datetime days_to_close:number:calculated
        deal_currency_code:enumeration dealname:string dealstage:enumeration
        dealtype:enumeration description:string hs_analytics_source:enumeration
        hs_closed_amount:number:calculated hs_createdate:datetime
        hs_deal_stage_probability:number hs_is_closed:bool:calculated
        hs_is_closed_won:bool:calculated hs_lastmodifieddate:datetime
        hs_manual_forecast_category:enumeration hs_merged_object_ids:enumeration
        hs_next_step:string hs_object_id:number hubspot_owner_id:enumeration
        pipeline:enumeration po_number:string:custom region__custom:string:custom
        stripe_quote_id:string:custom
    """,
    "contacts": """
        associatedcompanyid:number createdate:datetime email:string firstname:string
        hs_additional_emails:enumeration hs_merged_object_ids:enumeration hs_object_id:number
        hubspot_owner_id:enumeration jobtitle:string lastmodifieddate:datetime lastname:string
        lifecyclestage:enumeration phone:string
    """,
    "companies": """
        annualrevenue:number country:string createdate:datetime domain:string
        hs_createdate:datetime hs_lastmodifieddate:datetime hs_merged_object_ids:enumeration
        hs_object_id:number hs_parent_company_id:number hubspot_owner_id:enumeration
        industry:enumeration lifecyclestage:enumeration name:string
    """,
    "leads": """
        hs_associated_contact_email:string hs_associated_contact_firstname:string
        hs_associated_contact_lastname:string hs_createdate:datetime hs_lastmodifieddate:datetime
        hs_lead_label:enumeration hs_lead_name:string hs_lead_source:enumeration
        hs_lead_type:enumeration hs_object_id:number hs_pipeline:enumeration
        hs_pipeline_stage:enumeration hubspot_owner_id:enumeration
    """,
    "line_items": """
        amount:number discount:number hs_createdate:datetime hs_discount_percentage:number
        hs_lastmodifieddate:datetime hs_line_item_currency_code:enumeration hs_object_id:number
        hs_product_id:number name:string price:number quantity:number
        recurringbillingfrequency:enumeration
    """,
    "products": """
        description:string hs_createdate:datetime hs_lastmodifieddate:datetime
        hs_object_id:number hs_sku:string name:string price:number
        recurringbillingfrequency:enumeration
    """,
    "quotes": """
        hs_createdate:datetime hs_currency:enumeration hs_expiration_date:date
        hs_lastmodifieddate:datetime hs_object_id:number hs_quote_amount:number
        hs_quote_number:string hs_status:enumeration hs_title:string
        hubspot_owner_id:enumeration stripe_quote_id:string:custom
    """,
    "emails": """
        hs_createdate:datetime hs_email_direction:enumeration hs_email_from_email:string
        hs_email_message_id:string hs_email_open_count:number
        hs_email_status:enumeration hs_email_subject:string hs_email_text:string
        hs_email_thread_id:string hs_email_to_email:string
        hs_lastmodifieddate:datetime hs_object_id:number hs_timestamp:datetime
        hubspot_owner_id:enumeration
    """,
    "calls": """
        hs_call_body:string hs_call_direction:enumeration hs_call_disposition:enumeration
        hs_call_duration:number hs_call_status:enumeration hs_call_title:string
        hs_createdate:datetime hs_lastmodifieddate:datetime hs_object_id:number
        hs_timestamp:datetime hubspot_owner_id:enumeration
    """,
    "meetings": """
        hs_createdate:datetime hs_lastmodifieddate:datetime hs_meeting_body:string
        hs_meeting_end_time:datetime hs_meeting_outcome:enumeration
        hs_meeting_start_time:datetime hs_meeting_title:string hs_object_id:number
        hs_timestamp:datetime hubspot_owner_id:enumeration
    """,
    "tasks": """
        hs_createdate:datetime hs_lastmodifieddate:datetime hs_object_id:number
        hs_task_body:string hs_task_completion_date:datetime hs_task_status:enumeration
        hs_task_subject:string hs_task_type:enumeration hs_timestamp:datetime
        hubspot_owner_id:enumeration
    """,
    "notes": """
        hs_createdate:datetime hs_lastmodifieddate:datetime hs_note_body:string
        hs_object_id:number hs_timestamp:datetime hubspot_owner_id:enumeration
    """,
    "goal_targets": """
        hs_assignee_user_id:number hs_createdate:datetime hs_end_datetime:datetime
        hs_goal_name:string hs_lastmodifieddate:datetime hs_object_id:number
        hs_start_datetime:datetime hs_target_amount:number
    """,
}


def _definition(text: str) -> dict[str, Any]:
    name, kind, *marks = text.split(":")
    return {
        "name": name,
        "label": name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": kind,
        "fieldType": {"bool": "booleancheckbox", "datetime": "date"}.get(kind, "text"),
        "description": "",
        "groupName": "sandbox",
        "options": [],
        "calculated": "calculated" in marks,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": "custom" not in marks,
        "formField": False,
        "archived": False,
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "modificationMetadata": {
            "archivable": "custom" in marks,
            "readOnlyDefinition": "custom" not in marks,
            "readOnlyValue": "calculated" in marks,
        },
    }


DEFINITIONS: dict[str, list[dict[str, Any]]] = {
    kind: [_definition(text) for text in names.split()] for kind, names in _NAMES.items()
}
"""Object type to its definitions, in order of name."""
