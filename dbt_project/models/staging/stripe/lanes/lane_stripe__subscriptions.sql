-- Grain: one row per version of a Stripe subscription. Discounts are ids without their coupon
-- in Stripe's answer, so that the monthly amount is before them.

select
    subscriptions.subscription_key,
    subscriptions.subscription_id,
    subscriptions.customer_key,
    'stripe' as source_system,
    subscriptions.connection,
    subscriptions.raw_version_id,
    case
        when subscriptions.is_paused then 'paused'
        when subscriptions.status in ('canceled', 'incomplete_expired') then 'cancelled'
        when subscriptions.status = 'trialing' then 'trial'
        when subscriptions.status in ('past_due', 'unpaid') then 'past_due'
        when subscriptions.status = 'incomplete' then 'pending'
        when subscriptions.status = 'paused' then 'paused'
        else 'active'
    end as status,
    subscriptions.currency_code,
    {{ stripe_money('subscriptions.monthly_amount_minor', 'scales.minor_digits') }}
        as monthly_amt,
    subscriptions.is_deleted,
    subscriptions.started_at,
    subscriptions.trial_ends_at,
    subscriptions.ended_at,
    subscriptions.source_updated_at,
    subscriptions.observed_at,
    subscriptions.sync_id,
    subscriptions.position
from {{ ref('stg_stripe__subscriptions') }} as subscriptions
left join {{ ref('stripe_currency_scales') }} as scales
    on subscriptions.currency_code = scales.currency_code and scales.valid_to is null
