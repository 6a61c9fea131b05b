-- Grain: one row per version of a Chargebee subscription. The monthly amount is Chargebee's own
-- MRR, after recurring discounts, while it counts one; of a subscription that does not run (any
-- more), what its items cost.

select
    subscription_key,
    subscription_id,
    customer_key,
    source_system,
    connection,
    raw_version_id,
    case status
        when 'future' then 'pending'
        when 'in_trial' then 'trial'
        when 'paused' then 'paused'
        when 'cancelled' then 'cancelled'
        when 'transferred' then 'cancelled'
        else 'active'
    end as status,
    currency_code,
    {{ chargebee_money(
        "case when status in ('active', 'non_renewing') then coalesce(mrr_minor,"
        ~ " monthly_amount_minor) else monthly_amount_minor end", 'currency_code') }}
        as monthly_amt,
    is_deleted,
    started_at,
    trial_ends_at,
    case when status in ('cancelled', 'transferred') then cancelled_at end as ended_at,
    source_updated_at,
    observed_at,
    sync_id,
    position
from {{ ref('stg_chargebee__subscriptions') }}
