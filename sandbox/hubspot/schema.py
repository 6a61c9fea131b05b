"""What HubSpot defines by itself: objects, their standard properties, scopes, association types.

Scopes and type ids follow HubSpot's documentation (docs/sources/hubspot.md says which of
them were not verified against a live account).
"""

from typing import Any

OBJECT_TYPES = {
    "contacts": "0-1",
    "companies": "0-2",
    "deals": "0-3",
    "products": "0-7",
    "line_items": "0-8",
    "quotes": "0-14",
    "tasks": "0-27",
    "notes": "0-46",
    "meetings": "0-47",
    "calls": "0-48",
    "emails": "0-49",
    "goal_targets": "0-74",
    "leads": "0-136",
    "forecasts": "0-999",
    "tickets": "0-5",
}
BY_TYPE_ID = {type_id: name for name, type_id in OBJECT_TYPES.items()}

OBJECT_SCOPES = {
    "contacts": "crm.objects.contacts.read",
    "companies": "crm.objects.companies.read",
    "deals": "crm.objects.deals.read",
    "products": "crm.objects.products.read",
    "line_items": "crm.objects.line_items.read",
    "quotes": "crm.objects.quotes.read",
    "goal_targets": "crm.objects.goals.read",
    "leads": "crm.objects.leads.read",
    # Engagements hang on contacts and have no scope of their own.
    "tasks": "crm.objects.contacts.read",
    "notes": "crm.objects.contacts.read",
    "meetings": "crm.objects.contacts.read",
    "calls": "crm.objects.contacts.read",
    "emails": "crm.objects.contacts.read",
    "forecasts": "crm.objects.forecasts.read",
    "tickets": "tickets",
}
SCHEMA_SCOPES = {
    **OBJECT_SCOPES,
    "contacts": "crm.schemas.contacts.read",
    "companies": "crm.schemas.companies.read",
    "deals": "crm.schemas.deals.read",
    "line_items": "crm.schemas.line_items.read",
    "quotes": "crm.schemas.quotes.read",
}
OWNERS_SCOPE = "crm.objects.owners.read"
CURRENCY_SCOPE = "multi-currency-read"
FORECASTS_SCOPE = OBJECT_SCOPES["forecasts"]
ALL_SCOPES = frozenset(
    {*OBJECT_SCOPES.values(), *SCHEMA_SCOPES.values(), OWNERS_SCOPE, CURRENCY_SCOPE}
) - {FORECASTS_SCOPE}
"""What an app is granted that takes part in no beta."""

# (from, to): plain type id, type id of the primary one where HubSpot has such a thing.
ASSOCIATION_TYPES: dict[tuple[str, str], tuple[int, int | None]] = {
    ("deals", "companies"): (341, 5),
    ("companies", "deals"): (342, 6),
    ("deals", "contacts"): (3, None),
    ("contacts", "deals"): (4, None),
    ("contacts", "companies"): (279, 1),
    ("companies", "contacts"): (280, 2),
    ("deals", "line_items"): (19, None),
    ("line_items", "deals"): (20, None),
    ("deals", "quotes"): (63, None),
    ("quotes", "deals"): (64, None),
    ("quotes", "line_items"): (67, None),
    ("line_items", "quotes"): (68, None),
    ("quotes", "contacts"): (69, None),
    ("contacts", "quotes"): (70, None),
    ("quotes", "companies"): (71, None),
    ("companies", "quotes"): (72, None),
    ("leads", "contacts"): (608, 578),
    ("contacts", "leads"): (607, 577),
    ("leads", "companies"): (610, None),
    ("companies", "leads"): (609, None),
    ("leads", "deals"): (583, None),
    ("deals", "leads"): (582, None),
    ("tickets", "companies"): (339, 26),
    ("companies", "tickets"): (340, 25),
    ("tickets", "contacts"): (16, None),
    ("contacts", "tickets"): (15, None),
    ("tickets", "deals"): (28, None),
    ("deals", "tickets"): (27, None),
}
for _place, _kind in enumerate(("companies", "contacts", "deals")):
    for _rank, _engagement in enumerate(("calls", "emails", "meetings", "notes", "tasks")):
        _number = (181, 193, 205)[_place] + 2 * _rank
        ASSOCIATION_TYPES[_kind, _engagement] = (_number, None)
        ASSOCIATION_TYPES[_engagement, _kind] = (_number + 1, None)

SINGULAR = {
    "companies": "company",
    "contacts": "contact",
    "deals": "deal",
    "line_items": "line_item",
    "quotes": "quote",
    "leads": "lead",
    "calls": "call",
    "emails": "email",
    "meetings": "meeting",
    "notes": "note",
    "tasks": "task",
    "tickets": "ticket",
}

# HubSpot gives these even when nothing is asked for.
ALWAYS = ("createdate", "hs_createdate", "hs_object_id", "hs_lastmodifieddate", "lastmodifieddate")

_EVERYWHERE = "hs_object_id hs_merged_object_ids hubspot_owner_id hs_all_owner_ids hs_is_closed"
_CRM = "createdate hs_lastmodifieddate"
_ENGAGEMENT = (
    "hs_createdate hs_lastmodifieddate hs_timestamp hs_body_preview hs_body_preview_html "
    "hs_activity_type"
)
STANDARD: dict[str, tuple[str, ...]] = {
    object_type: tuple(f"{_EVERYWHERE} {names}".split())
    for object_type, names in {
        "deals": f"{_CRM} amount amount_in_home_currency closed_lost_reason closed_won_reason "
        "closedate days_to_close deal_currency_code dealname dealstage dealtype description "
        "hs_analytics_source hs_closed_amount hs_deal_stage_probability hs_exchange_rate "
        "hs_forecast_amount hs_forecast_probability hs_is_closed_won hs_manual_forecast_category "
        "hs_next_step hs_mrr hs_arr hs_tcv hs_acv notes_last_contacted notes_last_updated "
        "notes_next_activity_date num_associated_contacts pipeline hs_createdate "
        "hs_time_in_appointmentscheduled hs_v2_date_entered_closedwon",
        "contacts": "createdate lastmodifieddate hs_lastmodifieddate associatedcompanyid company "
        "country email firstname hs_additional_emails hs_analytics_source hs_lead_status jobtitle "
        "lastname lifecyclestage phone",
        "companies": f"{_CRM} annualrevenue city country domain hs_additional_domains "
        "hs_parent_company_id industry lifecyclestage name numberofemployees phone website",
        "leads": "hs_createdate hs_lastmodifieddate hs_lead_name hs_lead_type hs_lead_label "
        "hs_lead_source hs_pipeline hs_pipeline_stage hs_lead_disqualification_reason "
        "hs_lead_converted_date hs_associated_contact_email hs_associated_contact_firstname "
        "hs_associated_contact_lastname hs_associated_company_name hs_associated_company_domain "
        "hs_primary_contact_id hs_primary_company_id",
        "products": f"{_CRM} name hs_sku description hs_price_currency price "
        "recurringbillingfrequency hs_cost_of_goods_sold",
        "line_items": f"{_CRM} amount discount hs_discount_percentage hs_line_item_currency_code "
        "hs_product_id hs_recurring_billing_end_date hs_recurring_billing_period "
        "hs_recurring_billing_start_date hs_sku hs_tax_amount hs_term_in_months "
        "hs_total_discount name price quantity recurringbillingfrequency",
        "quotes": "hs_createdate hs_lastmodifieddate hs_title hs_quote_number hs_status "
        "hs_esign_status hs_esign_date hs_currency hs_quote_amount hs_tax_amount "
        "hs_expiration_date",
        "emails": f"{_ENGAGEMENT} hs_email_subject hs_email_text hs_email_html "
        "hs_email_direction hs_email_status hs_email_from_email hs_email_to_email "
        "hs_email_cc_email hs_email_message_id hs_email_open_count hs_email_thread_id",
        "calls": f"{_ENGAGEMENT} hs_call_title hs_call_body hs_call_status hs_call_direction "
        "hs_call_disposition hs_call_duration",
        "meetings": f"{_ENGAGEMENT} hs_meeting_title hs_meeting_body hs_meeting_outcome "
        "hs_meeting_start_time hs_meeting_end_time hs_internal_meeting_notes",
        "notes": f"{_ENGAGEMENT} hs_note_body",
        "tasks": f"{_ENGAGEMENT} hs_task_subject hs_task_body hs_task_status hs_task_type "
        "hs_task_completion_date hs_task_priority",
        "goal_targets": f"{_CRM} hs_createdate hs_goal_name hs_target_amount hs_start_datetime "
        "hs_end_datetime hs_assignee_user_id hs_kpi_value_last_calculated",
        "forecasts": f"{_CRM} hs_createdate hs_created_by_user_id hs_year hs_milestone hs_team_id "
        "hs_included_deal_ids hs_amount hs_deal_pipeline_id hs_forecast_start_date "
        "hs_forecast_end_date hs_submitted_by_the_vendors_own_name",
        "tickets": f"{_CRM} hs_createdate subject content hs_pipeline hs_pipeline_stage "
        "hs_ticket_priority hs_ticket_category closed_date first_agent_reply_date time_to_close",
    }.items()
}
CALCULATED = frozenset({
    "days_to_close", "amount_in_home_currency", "hs_closed_amount", "hs_exchange_rate",
    "hs_time_in_appointmentscheduled", "hs_v2_date_entered_closedwon", "num_associated_contacts",
    "hs_kpi_value_last_calculated", "time_to_close",
})  # fmt: skip


def cursor_property(object_type: str) -> str:
    """The property that holds the instant of the last change."""
    return "lastmodifieddate" if object_type == "contacts" else "hs_lastmodifieddate"


def property_definition(name: str, *, custom: bool, at: str) -> dict[str, Any]:
    """One entry of the properties endpoint."""
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "type": "string",
        "fieldType": "text",
        "description": "",
        "groupName": "custom" if custom else "standard",
        "options": [],
        "displayOrder": -1,
        "calculated": name in CALCULATED,
        "externalOptions": False,
        "hasUniqueValue": False,
        "hidden": False,
        "hubspotDefined": not custom,
        "formField": custom,
        "archived": False,
        "createdAt": at,
        "updatedAt": at,
        "modificationMetadata": {
            "archivable": custom, "readOnlyDefinition": not custom, "readOnlyValue": False,
        },
    }  # fmt: skip
