{#- What QuickBooks' JSON needs: sales documents share one shape (docs/sources/quickbooks.md). -#}

{#- A line of a sales document, as json_struct wants it. -#}
{% macro quickbooks_line() -%}
    {{ return({
        'Id': 'VARCHAR',
        'Description': 'VARCHAR',
        'Amount': 'DECIMAL(18,4)',
        'DetailType': 'VARCHAR',
        'SalesItemLineDetail': {
            'ServiceDate': 'VARCHAR',
            'ItemRef': {'value': 'VARCHAR', 'name': 'VARCHAR'},
            'ItemAccountRef': {'value': 'VARCHAR'},
            'UnitPrice': 'DECIMAL(18,6)',
            'Qty': 'DECIMAL(18,6)',
            'TaxInclusiveAmt': 'DECIMAL(18,4)',
        },
    }) }}
{%- endmacro %}

{#- Every version of a sales document of one stream. Ids are unique within their entity alone:
    `prefix` tells apart what lands in one lane. The lines of a group stand beside the others. -#}
{% macro quickbooks_document(stream, prefix='') -%}
{%- set nested = dict(quickbooks_line(), GroupLineDetail={'Line': [quickbooks_line()]}) %}
{%- set structure = {
    'DocNumber': 'VARCHAR',
    'TxnDate': 'VARCHAR',
    'DueDate': 'VARCHAR',
    'CurrencyRef': {'value': 'VARCHAR'},
    'ExchangeRate': 'DECIMAL(28,12)',
    'PrivateNote': 'VARCHAR',
    'CustomerMemo': {'value': 'VARCHAR'},
    'CustomField': [{'Name': 'VARCHAR', 'StringValue': 'VARCHAR'}],
    'CustomerRef': {'value': 'VARCHAR', 'name': 'VARCHAR'},
    'BillEmail': {'Address': 'VARCHAR'},
    'PaymentMethodRef': {'value': 'VARCHAR', 'name': 'VARCHAR'},
    'TotalAmt': 'DECIMAL(18,4)',
    'Balance': 'DECIMAL(18,4)',
    'RemainingCredit': 'DECIMAL(18,4)',
    'Deposit': 'DECIMAL(18,4)',
    'TxnTaxDetail': {'TotalTax': 'DECIMAL(18,4)'},
    'TxnStatus': 'VARCHAR',
    'ExpirationDate': 'VARCHAR',
    'AcceptedDate': 'VARCHAR',
    'LinkedTxn': [{'TxnId': 'VARCHAR', 'TxnType': 'VARCHAR'}],
    'Line': [nested],
} %}

with versions as (
    select
        *,
        {{ json_struct('payload', structure) }} as body
    from {{ raw_source('quickbooks__' ~ stream) }}
),

lined as (
    select
        *,
        list_concat(
            list_transform(
                list_filter(
                    coalesce(body.Line, []),
                    lambda one: one.DetailType is distinct from 'GroupLineDetail'
                ),
                lambda one: {{ quickbooks_plain_line('one') }}
            ),
            flatten(list_transform(
                list_filter(coalesce(body.Line, []), lambda one: one.DetailType = 'GroupLineDetail'),
                lambda one: list_transform(
                    coalesce(one.GroupLineDetail.Line, []),
                    lambda part: {{ quickbooks_plain_line('part') }}
                )
            ))
        ) as lines
    from versions
),

final as (
    select
        lined.connection || ':{{ prefix }}' || lined.record_id as document_key,
        lined.record_id as document_id,
        nullif(trim(lined.body.DocNumber), '') as document_number,
        try_cast(lined.body.TxnDate as date) as issue_date,
        try_cast(lined.body.DueDate as date) as due_date,
        upper(nullif(lined.body.CurrencyRef.value, '')) as currency_code,
        lined.body.ExchangeRate as exchange_rate,
        nullif(trim(lined.body.PrivateNote), '') as private_note,
        nullif(trim(lined.body.CustomerMemo.value), '') as customer_memo,
        lined.body.CustomField as custom_fields,
        lined.connection || ':' || nullif(lined.body.CustomerRef.value, '') as customer_key,
        nullif(trim(lined.body.CustomerRef.name), '') as customer_name,
        {{ quickbooks_addresses('lined.body.BillEmail.Address') }}[1] as bill_email,
        nullif(trim(lined.body.PaymentMethodRef.name), '') as payment_method,
        lined.body.TotalAmt as gross_amount,
        case when lined.payload is not null then coalesce(lined.body.TxnTaxDetail.TotalTax, 0) end
            as tax_amount,
        cast(
            lined.body.TotalAmt - coalesce(lined.body.TxnTaxDetail.TotalTax, 0)
            as {{ money_type() }}
        ) as net_amount,
        lined.body.Balance as balance_amount,
        coalesce(lined.body.RemainingCredit, lined.body.Balance) as remaining_amount,
        case when lined.payload is not null then coalesce(lined.body.Deposit, 0) end
            as deposit_amount,
        lined.body.TxnStatus as vendor_status,
        try_cast(lined.body.ExpirationDate as date) as expiration_date,
        try_cast(lined.body.AcceptedDate as date) as accepted_date,
        coalesce(lined.body.LinkedTxn, []) as linked,
        lined.lines,
        -- Zero amounts alone are no void: the note says so, or no line counts anything any more.
        coalesce(
            lined.body.TotalAmt = 0
            and case
                when lined.body.PrivateNote is not null
                    then starts_with(lower(trim(lined.body.PrivateNote)), 'void')
                else len(lined.lines) > 0 and len(list_filter(
                    lined.lines,
                    lambda one: one.DetailType = 'SalesItemLineDetail'
                    and one.SalesItemLineDetail.Qty is distinct from 0
                )) = 0
            end, false
        ) as is_void,
        lined.payload is not null as has_content,
        lined.raw_version_id,
        'quickbooks' as source_system,
        lined.connection,
        lined.change,
        lined.change not in ('upsert', 'archived') as is_deleted,
        lined.source_updated_at,
        lined.observed_at,
        lined.sync_id,
        lined.position
    from lined
)

select * from final
{%- endmacro %}

{% macro quickbooks_plain_line(line) -%}
    {
        'Id': {{ line }}.Id,
        'Description': {{ line }}.Description,
        'Amount': {{ line }}.Amount,
        'DetailType': {{ line }}.DetailType,
        'SalesItemLineDetail': {{ line }}.SalesItemLineDetail
    }
{%- endmacro %}

{#- What a line adds to the net: a discount's amount is positive and subtracts; subtotals and
    words add nothing. -#}
{% macro quickbooks_line_net(line) -%}
    cast(
        case {{ line }}.DetailType
            when 'SalesItemLineDetail' then {{ line }}.Amount
            when 'DiscountLineDetail' then -{{ line }}.Amount
        end as {{ money_type() }}
    )
{%- endmacro %}

{#- What a line's price holds as tax where prices hold it; QuickBooks' own Amount is net then too.
    Nothing else says the tax of a line. -#}
{% macro quickbooks_line_tax(line) -%}
    cast(
        coalesce({{ line }}.SalesItemLineDetail.TaxInclusiveAmt - {{ line }}.Amount, 0)
        as {{ money_type() }}
    )
{%- endmacro %}

{#- The payment that an invoice's own deposit is. -#}
{% macro quickbooks_deposit_key(document_key) -%}
    concat({{ document_key }}, ':deposit')
{%- endmacro %}

{#- Shipping is a line of an item that every company has and no list shows. -#}
{% macro quickbooks_is_shipping(line) -%}
    coalesce({{ line }}.SalesItemLineDetail.ItemRef.value = 'SHIPPING_ITEM_ID', false)
{%- endmacro %}

{#- A field of addresses holds one or several of them, by comma. -#}
{% macro quickbooks_addresses(field) -%}
    list_filter(
        list_transform(
            string_split(replace(coalesce(lower({{ field }}), ''), ';', ','), ','),
            lambda one: trim(one)
        ),
        lambda one: one <> ''
    )
{%- endmacro %}

{#- The custom field of a document whose name holds such a word. -#}
{% macro quickbooks_field(word) -%}
    trim(list_filter(
        custom_fields,
        lambda one: regexp_matches(lower(one.Name), '{{ word }}')
        and nullif(trim(one.StringValue), '') is not null
    )[1].StringValue)
{%- endmacro %}

{#- The deal that a document names: in a field, else behind its word in a note. -#}
{% macro quickbooks_deal_reference() -%}
    coalesce(
        {{ quickbooks_field('(^|[^a-z])deal') }},
        nullif(regexp_extract(
            concat_ws(' ', private_note, customer_memo),
            '(?i)(?:^|[^[:alnum:]])deal[ #:=_-]*((?:[[:alpha:]_]+:)?[[:alnum:]-]*[0-9][[:alnum:]-]*)', 1
        ), '')
    )
{%- endmacro %}

{#- The home currency of each connection's company. -#}
{% macro quickbooks_homes() -%}
    select
        connection,
        arg_max(home_currency_code, (observed_at, sync_id, position)) as home_currency_code
    from {{ ref('stg_quickbooks__preferences') }}
    where not is_deleted
    group by connection
{%- endmacro %}

{#- Items whose income goes to an account of expenses: what is credited with them is given up. -#}
{% macro quickbooks_expense_items() -%}
    select
        items.connection,
        items.item_id
    from (
        select
            connection,
            item_id,
            arg_max(income_account_id, (observed_at, sync_id, position)) as income_account_id
        from {{ ref('stg_quickbooks__items') }}
        where has_content
        group by connection, item_id
    ) as items
    inner join (
        select
            connection,
            account_id,
            arg_max(classification, (observed_at, sync_id, position)) as classification
        from {{ ref('stg_quickbooks__accounts') }}
        where has_content
        group by connection, account_id
    ) as accounts
        on items.connection = accounts.connection and items.income_account_id = accounts.account_id
    where accounts.classification = 'Expense'
{%- endmacro %}

{#- Credit memos that only give an invoice up: every line that has an amount is such an item. -#}
{% macro quickbooks_write_offs() -%}
    select memo_lines.document_key
    from (
        select
            document_key,
            connection,
            unnest(lines) as line
        from (
            select *
            from {{ ref('stg_quickbooks__credit_memos') }}
            where has_content
            qualify
                row_number() over (
                    partition by document_key
                    order by observed_at desc, sync_id desc, position desc
                ) = 1
        )
    ) as memo_lines
    left join ({{ quickbooks_expense_items() }}) as expense_items
        on
            memo_lines.connection = expense_items.connection
            and memo_lines.line.SalesItemLineDetail.ItemRef.value = expense_items.item_id
    where {{ quickbooks_line_net('memo_lines.line') }} <> 0
    group by memo_lines.document_key
    having count(*) = count(expense_items.item_id)
{%- endmacro %}
