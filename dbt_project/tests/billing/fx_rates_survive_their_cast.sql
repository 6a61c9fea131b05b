-- A failed cast is null without a word: where the payload of a rate has a rate or a day, the
-- staged column has one too, and turned round it is a rate still.
{{ config(severity='error', tags=['billing'], enabled=has_source('fx')) }}

select landed.raw_version_id
from {{ source('fx', 'rates') }} as landed
inner join {{ ref('stg_fx__rates') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where
    ({{ json_has_value('landed.payload', '$.rate') }} and staged.rate is null)
    or ({{ json_has_value('landed.payload', '$.date') }} and staged.rate_date is null)
union all
select landed.raw_version_id
from {{ source('fx', 'budget_rates') }} as landed
inner join {{ ref('stg_fx__budget_rates') }} as staged
    on landed.raw_version_id = staged.raw_version_id
where {{ json_has_value('landed.payload', '$.rate') }} and staged.rate is null
union all
select raw_version_id
from {{ ref('lane_fx__fx_rates') }}
where not is_deleted and (rate_to_pivot is null or rate_to_pivot <= 0)
