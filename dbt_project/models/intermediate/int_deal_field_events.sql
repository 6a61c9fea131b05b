-- Grain: one row per deal, field, instant and value that the field took then.
--
-- Where the vendor keeps a history of a field, its events are exact. Else the differences
-- between our own versions stand in (poll: the true time lies between the previous look and
-- this one), and what the first version shows is assumed to have been so since creation.
-- value is text: ids, ISO dates in the company zone, plain decimals; '' is "emptied".
--
-- depends_on: {{ ref('int_deal_inputs') }}

{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook='{{ forget_changed_deals() }}',
    in_parts_of='int_deal_inputs',
    in_parts_where='is_changed',
    in_parts_rows=2,
) }}

with versions as (
    select * from {{ ref('int_deals_unioned') }}
    {{ only_changed_deals() }}
),

looks as (
    {{ looks_before(ref('int_deals_unioned')) }}
),

keyed as (
    select
        deal_key,
        observed_at,
        sync_id,
        position,
        raw_version_id,
        has_content
    from versions
    where change != 'access_lost'
),

revisited as (
    select deal_key
    from keyed
    group by deal_key
    having count(*) > 1
),

-- Windows run over keys, and only over deals that were seen more than once.
chain as (
    select
        raw_version_id,
        1 as version_no,
        cast(null as {{ instant_type() }}) as previous_observed_at,
        cast(null as varchar) as previous_content_id
    from keyed
    where deal_key not in (select deal_key from revisited)

    union all

    select
        raw_version_id,
        row_number() over w as version_no,
        lag(observed_at) over w as previous_observed_at,
        last_value(case when has_content then raw_version_id end ignore nulls) over (
            partition by deal_key order by observed_at, sync_id, position
            rows between unbounded preceding and 1 preceding
        ) as previous_content_id
    from keyed
    where deal_key in (select deal_key from revisited)
    window w as (partition by deal_key order by observed_at, sync_id, position)
),

numbered as (
    select
        versions.*,
        chain.version_no,
        chain.previous_observed_at,
        chain.previous_content_id
    from versions
    inner join chain
        on versions.raw_version_id = chain.raw_version_id
),

contents as (
    select
        numbered.*,
        numbered.previous_content_id is null as is_first,
        earlier.stage_id as old_stage_id,
        earlier.pipeline_id as old_pipeline_id,
        earlier.amount_amt as old_amount_amt,
        earlier.expected_close_date as old_expected_close_date,
        earlier.owner_id as old_owner_id,
        earlier.name as old_name,
        earlier.currency_code as old_currency_code,
        earlier.probability as old_probability,
        earlier.forecast_category as old_forecast_category,
        earlier.loss_reason as old_loss_reason,
        earlier.source_channel as old_source_channel,
        -- The vendor's change stamp is nearer to the truth than our look, when it lies after
        -- our previous look.
        case
            when numbered.source_updated_at > coalesce(
                numbered.previous_observed_at, '-infinity'::timestamptz
            ) then least(numbered.source_updated_at, numbered.observed_at)
            else numbered.observed_at
        end as version_at,
        {{ seconds_between(
            'greatest(coalesce(looks.previous_looked_at, numbered.previous_observed_at), '
            'numbered.previous_observed_at)',
            'numbered.observed_at'
        ) }} as uncertainty_seconds
    from numbered
    left join versions as earlier
        on numbered.previous_content_id = earlier.raw_version_id
    left join looks
        on
            numbered.connection = looks.connection
            and numbered.sync_id = looks.sync_id
    where numbered.has_content
),

-- Read twice and never held: it has a row for everything that ever happened.
told as not materialized (
    select * from {{ ref('int_deal_field_events_unioned') }}
    {{ only_changed_deals() }}
),

polled as (
    {% for field, new, old, history in [
        ('stage', 'stage_id', 'old_stage_id', 'has_stage_history'),
        ('pipeline', 'pipeline_id', 'old_pipeline_id', 'has_pipeline_history'),
        ('amount', 'amount_amt', 'old_amount_amt', 'has_amount_history'),
        ('expected_close_date', 'expected_close_date', 'old_expected_close_date',
            'has_close_date_history'),
        ('owner', 'owner_id', 'old_owner_id', 'has_owner_history'),
        ('name', 'name', 'old_name', 'true'),
        ('currency_code', 'currency_code', 'old_currency_code', 'has_currency_history'),
        ('probability', 'probability', 'old_probability', 'true'),
        ('forecast_category', 'forecast_category', 'old_forecast_category', 'true'),
        ('loss_reason', 'loss_reason', 'old_loss_reason', 'true'),
        ('source_channel', 'source_channel', 'old_source_channel', 'true'),
    ] %}
    {% if not loop.first %}union all{% endif %}
    select
        deal_key,
        '{{ field }}' as field,
        coalesce(cast({{ new }} as varchar), '') as value,
        case when not is_first then coalesce(cast({{ old }} as varchar), '') end as old_value,
        case
            {% if field == 'stage' %}
            -- The source dates the close itself.
            when closed_at is not null and is_closed
                and (is_first or closed_at > previous_observed_at)
                then least(closed_at, observed_at)
            -- Closed before our first look and nobody says when: the editable date.
            when is_first and is_closed and expected_close_date is not null
                then least({{ start_of_day('expected_close_date') }}, observed_at)
            {% endif %}
            when is_first then coalesce(least(created_at, observed_at), version_at)
            else version_at
        end as happened_at,
        case
            {% if field == 'stage' %}
            when closed_at is not null and is_closed
                and (
                    not is_first
                    or closed_at is distinct from {{ start_of_day('expected_close_date') }}
                )
                and (is_first or closed_at > previous_observed_at) then 'exact'
            {% endif %}
            when is_first then 'assumed'
            else 'poll'
        end as change_precision,
        case when not is_first then uncertainty_seconds end as uncertainty_seconds,
        observed_at as seen_at,
        raw_version_id
    from contents
    where
        {% if history == 'true' %}
        not is_first and {{ new }} is distinct from {{ old }}
        {% else %}
        not {{ history }} and (is_first or {{ new }} is distinct from {{ old }})
        {% endif %}
    {% endfor %}
),

-- What is not followed field by field comes with the version it stands in.
attributes as (
    select
        deal_key,
        'version' as field,
        raw_version_id as value,
        case when is_first then coalesce(least(created_at, observed_at), version_at)
            else version_at end as happened_at,
        case when is_first then 'assumed' else 'poll' end as change_precision,
        observed_at as seen_at,
        raw_version_id
    from contents
    where
        is_first
        or name is distinct from old_name
        or probability is distinct from old_probability
        or forecast_category is distinct from old_forecast_category
        or loss_reason is distinct from old_loss_reason
        or source_channel is distinct from old_source_channel
),

-- The vendor's history silences our own differences, unless they are newer than all it tells
-- and say otherwise: then it was read before the deal was.
last_told as (
    select
        deal_key,
        field,
        max(happened_at) as told_until,
        arg_max(value, (happened_at, coalesce(place, 0))) as told_value
    from told
    where (deal_key, field) in (select polled.deal_key, polled.field from polled)
    group by deal_key, field
),

differences as (
    select polled.*
    from polled
    left join last_told
        on
            polled.deal_key = last_told.deal_key
            and polled.field = last_told.field
    where
        last_told.deal_key is null
        or (polled.happened_at > last_told.told_until and polled.value != last_told.told_value)
),

deletions as (
    select
        deal_key,
        'is_deleted' as field,
        case when is_deleted then 'true' else 'false' end as value,
        case when was_deleted is not null then
            case when was_deleted then 'true' else 'false' end end as old_value,
        least(coalesce(
            case when is_deleted then deleted_at end,
            case when source_updated_at > previous_observed_at then source_updated_at end,
            observed_at
        ), observed_at) as happened_at,
        case when is_deleted and deleted_at is not null then 'exact' else 'poll' end
            as change_precision,
        observed_at as seen_at,
        raw_version_id
    from (
        select
            *,
            lag(is_deleted) over (partition by deal_key order by version_no) as was_deleted
        from numbered
        where
            change != 'merged'
            and deal_key in (select deal_key from versions where is_deleted)
    )
    where is_deleted is distinct from coalesce(was_deleted, false)
),

unioned as (
    select
        deal_key, field, value, old_value, happened_at, changed_by, change_source,
        change_precision, coalesce(place, 0) as place, uncertainty_seconds, seen_at,
        raw_version_id
    from told
    union all
    select
        deal_key, field, value, old_value, happened_at, null as changed_by, null as change_source,
        change_precision, 0 as place, case when change_precision = 'exact' then 0
            else uncertainty_seconds end as uncertainty_seconds, seen_at, raw_version_id
    from differences
    union all
    select
        deal_key, field, value, null, happened_at, null, null, change_precision, 0, null, seen_at,
        raw_version_id
    from attributes
    union all
    select
        deal_key, field, value, old_value, happened_at, null, null, change_precision, 0, null, seen_at,
        raw_version_id
    from deletions
    union all
    select
        deal_key, 'is_merged_away', 'true', null, merged_at, null, null, 'exact', 0, null,
        seen_at, null
    from (select * from {{ ref('int_deal_survivors') }} {{ only_changed_deals() }}) as merges
    where not is_cycle
),

final as (
    select
        deal_key,
        field,
        value,
        old_value,
        happened_at,
        changed_by,
        change_source,
        change_precision,
        cast(place as bigint) as place,
        cast(uncertainty_seconds as bigint) as uncertainty_seconds,
        seen_at,
        raw_version_id
    from unioned
    where happened_at is not null
)

select * from final
