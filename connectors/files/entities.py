"""The canonical entities that a file can hold, and the columns each may carry.

One table of names and kinds, so that a mapping in the settings is checked before any
file is opened and staging (`stg_files__<entity>`) reads the same names back. A company
with exports alone can fill every one of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal[
    "text", "email", "currency", "decimal", "integer", "boolean", "date", "instant", "list"
]
"""How a cell is normalised before it lands.

``decimal`` becomes plain digits ("-1234.50"), ``date`` YYYY-MM-DD, ``instant`` ISO 8601 in
UTC, ``boolean`` true/false, ``currency`` an upper-case ISO 4217 code, ``email`` lower case,
``list`` a JSON array of texts; everything else is text, leading zeros and all.
"""


@dataclass(frozen=True, slots=True)
class Entity:
    """One canonical entity: its columns, which of them are required, and its key."""

    name: str
    columns: Mapping[str, Kind]
    required: tuple[str, ...]
    key: tuple[str, ...]
    """The columns whose values, joined by ':', are the record id; a blank one counts as ""."""
    append_only: bool = False
    """Rows are statements made at a time: the same key with other content is an error."""


def _entity(
    name: str, key: str, required: str, *, append_only: bool = False, **kinds: str
) -> Entity:
    """Build an entity from ``kind="column column"`` arguments."""
    columns: dict[str, Kind] = {}
    known: tuple[Kind, ...] = (
        *("text", "email", "currency", "decimal", "integer"),
        *("boolean", "date", "instant", "list"),
    )
    for kind in known:
        columns |= dict.fromkeys(kinds.get(kind, "").split(), kind)
    return Entity(name, columns, tuple(required.split()), tuple(key.split()), append_only)


ENTITIES: Mapping[str, Entity] = {
    entity.name: entity
    for entity in (
        _entity(
            "users",
            "user_id valid_from",
            "user_id",
            text="user_id name team parent_team manager_id role",
            email="email manager_email",
            boolean="is_active quota_carrying",
            date="hired_on valid_from valid_to",
        ),
        _entity(
            "stages",
            "pipeline_id stage_id",
            "stage_id stage_type",
            text="pipeline_id pipeline_name stage_id stage_name stage_type forecast_category",
            decimal="probability",
            integer="stage_order rotten_days",
        ),
        _entity(
            "deals",
            "deal_id",
            "deal_id stage_id",
            text="deal_id name pipeline_id stage_id owner_id status forecast_category loss_reason "
            "source_channel lead_id company_id company_name contact_id po_number quote_id "
            "invoice_id subscription_id measure amount_basis next_step merged_into_id",
            email="owner_email contact_email",
            currency="currency_code",
            decimal="amount probability",
            integer="term_months",
            boolean="is_deleted is_archived",
            date="expected_close_date closed_date next_activity_date service_start_date "
            "service_end_date",
            instant="created_at updated_at won_at lost_at",
        ),
        _entity(
            "deal_stage_changes",
            "deal_id changed_at stage_id",
            "deal_id changed_at stage_id",
            text="deal_id pipeline_id stage_id changed_by",
            instant="changed_at",
        ),
        _entity(
            "deal_credits",
            "deal_id user_email credit_type valid_from",
            "deal_id user_email credit_type share",
            text="deal_id credit_type",
            email="user_email",
            decimal="share",
            date="valid_from valid_to",
        ),
        _entity(
            "leads",
            "lead_id",
            "lead_id",
            text="lead_id name company_name phone status source_channel campaign owner_id "
            "converted_deal_id converted_contact_id converted_company_id",
            email="email owner_email",
            boolean="is_deleted",
            instant="created_at updated_at qualified_at converted_at",
        ),
        _entity(
            "companies",
            "company_id",
            "company_id",
            text="company_id name domain industry country tax_id parent_company_id "
            "merged_into_id terms_days",
            boolean="is_deleted",
            instant="created_at updated_at",
        ),
        _entity(
            "contacts",
            "contact_id",
            "contact_id",
            text="contact_id first_name last_name name phone job_title company_id company_name "
            "merged_into_id",
            email="email",
            list="other_emails",
            boolean="is_deleted",
            instant="created_at updated_at",
        ),
        _entity(
            "activities",
            "activity_id",
            "activity_id activity_type",
            text="activity_id activity_type direction subject owner_id deal_id contact_id "
            "company_id lead_id",
            email="owner_email",
            integer="participants",
            boolean="is_done is_deleted",
            instant="occurred_at due_at created_at",
        ),
        _entity(
            "products",
            "product_id",
            "product_id",
            text="product_id name sku category",
            currency="currency_code",
            decimal="unit_price",
            boolean="is_active",
        ),
        _entity(
            "quotes",
            "quote_id",
            "quote_id",
            text="quote_id number deal_id company_id status invoice_id subscription_id",
            currency="currency_code",
            decimal="net_amount tax_amount gross_amount",
            date="issue_date valid_until accepted_date",
            instant="created_at",
        ),
        _entity(
            "quote_lines",
            "quote_id line_id",
            "quote_id line_id",
            text="quote_id line_id product_id description",
            currency="currency_code",
            decimal="quantity unit_price net_amount",
        ),
        _entity(
            "invoices",
            "invoice_number",
            "invoice_number issue_date currency_code",
            text="invoice_number status kind company_id company_name po_number deal_ref quote_id "
            "subscription_id description superseded_by",
            email="company_email",
            currency="currency_code",
            decimal="net_amount tax_amount gross_amount discount_amount balance_amount rate_to_rc",
            date="issue_date due_date voided_date written_off_date paid_date service_start_date "
            "service_end_date",
        ),
        _entity(
            "invoice_lines",
            "invoice_number line_id",
            "invoice_number line_id net_amount",
            text="invoice_number line_id product_id description deal_ref",
            decimal="quantity unit_price net_amount tax_amount",
            boolean="is_proration",
            date="service_start_date service_end_date",
        ),
        _entity(
            "credit_notes",
            "credit_note_number",
            "credit_note_number issue_date currency_code",
            text="credit_note_number invoice_number status reason company_id",
            currency="currency_code",
            decimal="net_amount tax_amount gross_amount refunded_amount",
            date="issue_date voided_date",
        ),
        _entity(
            "payments",
            "payment_id",
            "payment_id paid_date currency_code amount",
            text="payment_id company_id method status invoice_number",
            currency="currency_code settled_currency_code",
            decimal="amount fee_amount settled_amount",
            date="paid_date",
        ),
        _entity(
            "payment_allocations",
            "allocation_id",
            "allocation_id invoice_number applied_date applied_amount",
            text="allocation_id payment_id credit_note_number invoice_number kind",
            currency="currency_code",
            decimal="applied_amount",
            date="applied_date",
        ),
        _entity(
            "quotas",
            "scope_type scope_id period measure credit_type valid_from",
            "scope_type scope_id period amount currency_code",
            text="scope_type scope_id period_type period measure credit_type",
            currency="currency_code",
            decimal="amount proration",
            date="valid_from valid_to period_start period_end",
        ),
        _entity(
            "forecast_submissions",
            "submitter scope_type scope_id period category submitted_at",
            "submitter scope_type scope_id period category submitted_at amount currency_code",
            append_only=True,
            text="scope_type scope_id period category level note",
            email="submitter",
            currency="currency_code",
            decimal="amount system_amount",
            instant="submitted_at",
        ),
        _entity(
            "fx_rates",
            "rate_type currency_code rate_date",
            # rate_to_rc, or the published form: 1 base_currency_code is `rate` currency_code.
            "currency_code rate_date",
            text="rate_type source",
            currency="currency_code base_currency_code",
            decimal="rate_to_rc rate",
            date="rate_date",
        ),
        _entity(
            "deal_invoice_links",
            "deal_key invoice_key",
            "deal_key invoice_key",
            text="deal_key invoice_key note",
            decimal="allocated_net_amount",
            boolean="is_accepted",
        ),
        # After the deal. A `*_key` names a record of another connection ("hubspot:4711").
        _entity(
            "orders",
            "order_id",
            "order_id ordered_at currency_code",
            text="order_id number status deal_id deal_key quote_id company_id company_key",
            email="owner_email",
            currency="currency_code",
            decimal="net_amount tax_amount gross_amount",
            date="promised_date",
            instant="ordered_at cancelled_at",
        ),
        _entity(
            "order_lines",
            "order_id line_id",
            "order_id line_id quantity",
            text="order_id line_id product_id product_key description sku",
            decimal="quantity unit_price net_amount",
            boolean="is_deliverable",
            date="promised_date",
        ),
        _entity(
            "deliveries",
            "shipment_id order_id line_id",
            "shipment_id order_id line_id shipped_qty",
            text="shipment_id order_id line_id status warehouse_id",
            decimal="shipped_qty",
            date="promised_date",
            instant="shipped_at delivered_at",
        ),
        _entity(
            "stock",
            "product_id product_key warehouse_id stock_date",
            "stock_date on_hand_qty",
            text="product_id product_key product_name warehouse_id",
            decimal="on_hand_qty reserved_qty inbound_qty",
            date="stock_date",
        ),
        _entity(
            "tickets",
            "ticket_id",
            "ticket_id opened_at",
            text="ticket_id number status severity company_id company_key deal_id deal_key",
            integer="reopened_count",
            instant="opened_at first_response_at solved_at",
        ),
        _entity(
            "bills",
            "bill_id",
            "bill_id issue_date currency_code gross_amount",
            text="bill_id number supplier_id supplier_name category status",
            currency="currency_code",
            decimal="net_amount tax_amount gross_amount rate_to_rc",
            date="issue_date due_date voided_date",
        ),
        _entity(
            "bill_payments",
            "payment_id bill_id",
            "payment_id bill_id paid_date amount",
            text="payment_id bill_id kind",
            currency="currency_code",
            decimal="amount",
            date="paid_date",
        ),
        # What somebody did about a deal on the follow-up list.
        _entity(
            "follow_ups",
            "deal_key acknowledged_on",
            "deal_key acknowledged_on",
            text="deal_key acknowledged_by note",
            date="acknowledged_on snoozed_until",
        ),
    )
}
