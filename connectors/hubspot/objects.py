"""The CRM objects that are read, as a table: what of them, and what hangs on them.

Properties not named here are not asked for, unless an administrator made them (custom
properties are discovered) or names them in the settings. So the text of e-mails, calls,
meetings and notes stays where it is, and so do the calculated properties that move with
the clock (``hs_time_in_*``, ``hs_v2_cumulative_time_in_*``, ``hs_v2_latest_time_in_*``).
"""

from dataclasses import dataclass

CRM_VERSION = "2026-09"

_STAMPS = ("hs_createdate", "hs_lastmodifieddate")
_OWNED = ("hs_object_id", "hs_merged_object_ids", "hubspot_owner_id", "createdate", *_STAMPS)
_ENGAGEMENT_TARGETS = ("contacts", "companies", "deals")

# Moved by the vendor's own calculation or by edits of properties that are not read.
_RESTLESS = frozenset(
    {
        "updatedAt",
        "properties.hs_lastmodifieddate",
        "properties.lastmodifieddate",
        "properties.days_to_close",
        "properties.amount_in_home_currency",
        "properties.hs_exchange_rate",
    }
)


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One CRM object type.

    ``inline`` names the object types whose ids are put into the record itself;
    ``linked`` those that make up the child stream ``deal_associations``. ``is_optional``:
    read only where the settings name it. ``takes_all``: every property that is not
    calculated is asked for, because the vendor lists them nowhere but in the account.
    """

    name: str
    description: str
    scope: str
    properties: tuple[str, ...]
    history: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()
    linked: tuple[str, ...] = ()
    cursor: str = "hs_lastmodifieddate"
    schema_scope: str | None = None
    version: str = CRM_VERSION
    volatile: frozenset[str] = _RESTLESS
    is_optional: bool = False
    takes_all: bool = False

    @property
    def wanted(self) -> tuple[str, ...]:
        """Property names to ask for, those of every object included, each once."""
        return tuple(dict.fromkeys((*_OWNED, self.cursor, *self.properties)))


def _engagement(name: str, description: str, *properties: str) -> ObjectType:
    return ObjectType(
        name,
        description,
        # Engagements hang on contacts and have no scope of their own.
        scope="crm.objects.contacts.read",
        properties=("hs_timestamp", *properties),
        inline=_ENGAGEMENT_TARGETS,
    )


DEALS = ObjectType(
    "deals",
    "Deals with the history of stage, pipeline, amount, close date, owner and category.",
    scope="crm.objects.deals.read",
    schema_scope="crm.schemas.deals.read",
    properties=(
        "amount",
        "amount_in_home_currency",
        "closed_lost_reason",
        "closed_won_reason",
        "closedate",
        "days_to_close",
        "deal_currency_code",
        "dealname",
        "dealstage",
        "dealtype",
        "hs_analytics_source",
        "hs_closed_amount",
        "hs_deal_stage_probability",
        "hs_exchange_rate",
        "hs_forecast_amount",
        "hs_forecast_probability",
        "hs_is_closed",
        "hs_is_closed_won",
        "hs_manual_forecast_category",
        "hs_next_step",
        "notes_next_activity_date",
        "pipeline",
    ),
    history=(
        "dealstage",
        "pipeline",
        "amount",
        "closedate",
        "hubspot_owner_id",
        "deal_currency_code",
        "hs_manual_forecast_category",
    ),
    linked=("companies", "contacts", "line_items", "quotes"),
)

OBJECT_TYPES = (
    DEALS,
    ObjectType(
        "contacts",
        "Contacts.",
        scope="crm.objects.contacts.read",
        schema_scope="crm.schemas.contacts.read",
        properties=(
            "associatedcompanyid",
            "company",
            "country",
            "email",
            "firstname",
            "hs_additional_emails",
            "hs_analytics_source",
            "hs_lead_status",
            "jobtitle",
            "lastname",
            "lifecyclestage",
            "phone",
        ),
        inline=("companies",),
        # hs_lastmodifieddate finds nothing useful on contacts.
        cursor="lastmodifieddate",
    ),
    ObjectType(
        "companies",
        "Companies.",
        scope="crm.objects.companies.read",
        schema_scope="crm.schemas.companies.read",
        properties=(
            "annualrevenue",
            "city",
            "country",
            "domain",
            "hs_additional_domains",
            "hs_parent_company_id",
            "industry",
            "lifecyclestage",
            "name",
            "numberofemployees",
        ),
    ),
    ObjectType(
        "leads",
        "Leads, an object of their own (Sales Hub Professional).",
        scope="crm.objects.leads.read",
        properties=(
            "hs_associated_company_domain",
            "hs_associated_company_name",
            "hs_associated_contact_email",
            "hs_associated_contact_firstname",
            "hs_associated_contact_lastname",
            "hs_lead_converted_date",
            "hs_lead_disqualification_reason",
            "hs_lead_label",
            "hs_lead_name",
            "hs_lead_source",
            "hs_lead_type",
            "hs_pipeline",
            "hs_pipeline_stage",
        ),
        history=("hs_pipeline_stage", "hubspot_owner_id"),
        inline=("contacts", "companies", "deals"),
    ),
    ObjectType(
        "line_items",
        "Line items of deals and quotes.",
        scope="crm.objects.line_items.read",
        schema_scope="crm.schemas.line_items.read",
        properties=(
            "amount",
            "discount",
            "hs_discount_percentage",
            "hs_line_item_currency_code",
            "hs_product_id",
            "hs_recurring_billing_end_date",
            "hs_recurring_billing_period",
            "hs_recurring_billing_start_date",
            "hs_sku",
            "hs_tax_amount",
            "hs_term_in_months",
            "hs_total_discount",
            "name",
            "price",
            "quantity",
            "recurringbillingfrequency",
        ),
        inline=("deals", "quotes"),
    ),
    ObjectType(
        "products",
        "The product library.",
        scope="crm.objects.products.read",
        properties=(
            "description",
            "hs_price_currency",
            "hs_sku",
            "name",
            "price",
            "recurringbillingfrequency",
        ),
    ),
    ObjectType(
        "quotes",
        "Quotes.",
        scope="crm.objects.quotes.read",
        schema_scope="crm.schemas.quotes.read",
        properties=(
            "hs_currency",
            "hs_esign_date",
            "hs_esign_status",
            "hs_expiration_date",
            "hs_quote_amount",
            "hs_quote_number",
            "hs_status",
            "hs_tax_amount",
            "hs_title",
        ),
        inline=("deals", "companies", "line_items"),
    ),
    ObjectType(
        "tickets",
        "Service tickets with the history of their stage, without their text.",
        # One scope for all of it, unlike the other objects.
        scope="tickets",
        properties=(
            "closed_date",
            "first_agent_reply_date",
            "hs_pipeline",
            "hs_pipeline_stage",
            "hs_ticket_priority",
        ),
        history=("hs_pipeline_stage",),
        inline=("contacts", "companies", "deals"),
    ),
    _engagement(
        "emails",
        "Logged e-mails, without their text.",
        "hs_email_cc_email",
        "hs_email_direction",
        "hs_email_from_email",
        "hs_email_message_id",
        "hs_email_open_count",
        "hs_email_status",
        "hs_email_subject",
        "hs_email_thread_id",
        "hs_email_to_email",
    ),
    _engagement(
        "calls",
        "Logged calls, without their notes.",
        "hs_call_direction",
        "hs_call_disposition",
        "hs_call_duration",
        "hs_call_status",
        "hs_call_title",
    ),
    _engagement(
        "meetings",
        "Meetings, without their notes.",
        "hs_meeting_end_time",
        "hs_meeting_outcome",
        "hs_meeting_start_time",
        "hs_meeting_title",
    ),
    _engagement(
        "tasks",
        "Tasks, without their text.",
        "hs_task_completion_date",
        "hs_task_priority",
        "hs_task_status",
        "hs_task_subject",
        "hs_task_type",
    ),
    _engagement("notes", "Notes: that there is one, when and whose, without its text."),
    ObjectType(
        "goal_targets",
        "Goals: targets per user and period.",
        scope="crm.objects.goals.read",
        properties=(
            "hs_assignee_team_id",
            "hs_assignee_user_id",
            "hs_end_datetime",
            "hs_goal_name",
            "hs_goal_target_currency_code",
            "hs_goal_type",
            "hs_kpi_is_team_rollup",
            "hs_kpi_metric_type",
            "hs_kpi_object_type_id",
            "hs_kpi_time_period_property",
            "hs_kpi_unit_type",
            "hs_milestone",
            "hs_pipeline_ids",
            "hs_start_datetime",
            "hs_target_amount",
        ),
    ),
    ObjectType(
        "forecasts",
        "Forecast submissions (beta, with a scope of its own).",
        scope="crm.objects.forecasts.read",
        properties=(
            "hs_created_by_user_id",
            "hs_included_deal_ids",
            "hs_milestone",
            "hs_team_id",
            "hs_year",
        ),
        is_optional=True,
        takes_all=True,
    ),
)
BY_NAME = {kind.name: kind for kind in OBJECT_TYPES}
OPTIONAL = frozenset(kind.name for kind in OBJECT_TYPES if kind.is_optional)


def scopes_of(kind: ObjectType, targets: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The vendor scopes that reading an object takes: its own and those of its targets.

    ``targets`` narrows the associated object types; all that the table names where None.
    """
    named = (*kind.inline, *kind.linked) if targets is None else targets
    schema = (kind.schema_scope,) if kind.schema_scope else ()
    return tuple(dict.fromkeys((kind.scope, *schema, *(BY_NAME[one].scope for one in named))))


# Never by discovery: text of people, wherever an administrator may have copied it.
BODIES = frozenset(
    {
        "hs_body_preview",
        "hs_body_preview_html",
        "hs_call_body",
        "hs_call_transcript",
        "hs_email_html",
        "hs_email_text",
        "hs_internal_meeting_notes",
        "hs_meeting_body",
        "hs_note_body",
        "hs_task_body",
        # Of tickets.
        "content",
    }
)
