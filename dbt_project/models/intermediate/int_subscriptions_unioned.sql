-- Grain: one row per version of a subscription, all billing systems. monthly_amt is what a
-- month costs in major units, by the interval of billing, without tax, one-off charges and
-- usage; where discounts begin or end, monthly_steps holds what it costs after them until each
-- such instant, the last without end. status: active, past_due, trial, paused, pending, cancelled.

{% set columns = [
    ('subscription_key', 'varchar'),
    ('subscription_id', 'varchar'),
    ('customer_key', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('raw_version_id', 'varchar'),
    ('status', 'varchar'),
    ('currency_code', 'varchar'),
    ('monthly_amt', money_type()),
    (
        'monthly_steps',
        'struct(until_at ' ~ instant_type() ~ ', monthly_amt ' ~ money_type() ~ ')[]'
    ),
    ('is_deleted', 'boolean'),
    ('started_at', instant_type()),
    ('trial_ends_at', instant_type()),
    ('ended_at', instant_type()),
    ('source_updated_at', instant_type()),
    ('observed_at', instant_type()),
    ('sync_id', 'varchar'),
    ('position', 'bigint'),
] %}

{{ union_lanes('subscriptions', columns, [
    'chargebee',
    'stripe',
]) }}
