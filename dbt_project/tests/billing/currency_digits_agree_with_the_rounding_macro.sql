-- round_money spells the minor units out, since round() wants a literal; the seed says the
-- same digits for every currency.
{{ config(severity='error', tags=['billing']) }}

select
    currency_code,
    minor_digits
from {{ ref('currencies') }}
where
    {{ round_money('0.5551', 'currency_code') }}
    <> case minor_digits when 0 then 1 when 3 then 0.555 else 0.56 end
