-- Grain: one row per landed version of a deal, all sources.
--
-- A version without content (deleted by a sweep, merged away, access lost) carries nulls and
-- has_content false: it says what happened to the deal, not what the deal holds.

{{ config(materialized='view') }}

{% set columns = [
    ('deal_key', 'varchar'),
    ('deal_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('name', 'varchar'),
    ('deal_type', 'varchar'),
    ('pipeline_id', 'varchar'),
    ('stage_id', 'varchar'),
    ('owner_id', 'varchar'),
    ('currency_code', 'varchar'),
    ('forecast_category', 'varchar'),
    ('loss_reason', 'varchar'),
    ('source_channel', 'varchar'),
    ('measure', 'varchar'),
    ('amount_basis', 'varchar'),
    ('source_lead_key', 'varchar'),
    ('source_company_key', 'varchar'),
    ('source_contact_key', 'varchar'),
    ('merged_into_key', 'varchar'),
    ('merged_ids', 'varchar'),
    ('amount_amt', 'decimal(18, 4)'),
    ('probability', 'decimal(9, 6)'),
    ('term_months', 'bigint'),
    ('has_content', 'boolean'),
    ('has_stage_history', 'boolean'),
    ('has_pipeline_history', 'boolean'),
    ('has_amount_history', 'boolean'),
    ('has_close_date_history', 'boolean'),
    ('has_owner_history', 'boolean'),
    ('has_currency_history', 'boolean'),
    ('is_closed', 'boolean'),
    ('is_archived', 'boolean'),
    ('is_deleted', 'boolean'),
    ('expected_close_date', 'date'),
    ('next_activity_date', 'date'),
    ('service_start', 'date'),
    ('service_end', 'date'),
    ('created_at', 'timestamptz'),
    ('updated_at', 'timestamptz'),
    ('closed_at', 'timestamptz'),
    ('deleted_at', 'timestamptz'),
    ('source_updated_at', 'timestamptz'),
    ('observed_at', 'timestamptz'),
    ('change', 'varchar'),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
    ('raw_version_id', 'varchar'),
] %}

{{ union_lanes('deals', columns, [
    'files',
    'hubspot',
    'odoo',
    'pipedrive',
    'vtiger',
]) }}
