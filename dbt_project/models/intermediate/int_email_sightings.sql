-- Grain: one row per place in which a message was seen: a folder of a mailbox, or the CRM.
-- Only places that still hold it, or that held it last; a message outlives its locations.
--
-- `conversation` is the source's own thread, which counts where it shows no headers.
--
-- A CRM that logs mail without its Message-ID (Vtiger, Zoho) is recognised in the mailboxes by
-- sender, minute and subject: the nearest within a minute is the same message.

{% set columns = [
    ('sighting_key', 'varchar'),
    ('message_id', 'varchar'),
    ('source_system', 'varchar'),
    ('connection', 'varchar'),
    ('mailbox', 'varchar'),
    ('in_reply_to', 'varchar'),
    ('conversation', 'varchar'),
    ('has_headers', 'boolean'),
    ('reference_ids', 'varchar[]'),
    ('from_address', 'varchar'),
    ('to_addresses', 'varchar[]'),
    ('cc_addresses', 'varchar[]'),
    ('bcc_addresses', 'varchar[]'),
    ('subject', 'varchar'),
    ('sent_at_basis', 'varchar'),
    ('deal_keys', 'varchar[]'),
    ('opens_n', 'bigint'),
    ('is_auto_reply', 'boolean'),
    ('is_bounce', 'boolean'),
    ('is_list', 'boolean'),
    ('has_message_id', 'boolean'),
    ('has_attachment', 'boolean'),
    ('is_gone', 'boolean'),
    ('sent_at', instant_type()),
    ('observed_at', instant_type()),
    ('raw_version_id', 'varchar'),
] %}

with lanes as (
    {{ union_lanes('email_sightings', columns, [
        'gmail',
        'hubspot',
        'imap',
        'msgraph',
        'odoo',
        'salesforce',
        'vtiger',
        'zoho',
    ]) }}
),

logged as (
    select
        message_id,
        lower(from_address) as from_address,
        sent_at,
        {{ plain_subject('subject') }} as subject,
        unnest(
            [{{ minute_no('sent_at') }} - 1, {{ minute_no('sent_at') }}, {{ minute_no('sent_at') }} + 1]
        ) as minute_no
    from lanes
    where
        source_system not in ('gmail', 'imap', 'msgraph')
        and not coalesce(has_message_id, false)
        and subject <> ''
),

in_mailboxes as (
    select distinct
        message_id,
        from_address,
        sent_at,
        {{ plain_subject('subject') }} as subject,
        {{ minute_no('sent_at') }} as minute_no
    from lanes
    where
        source_system in ('gmail', 'imap', 'msgraph')
        and from_address in (select from_address from logged)
),

recognised as (
    select
        logged.message_id as logged_id,
        min_by(
            in_mailboxes.message_id,
            (
                abs({{ seconds_between('logged.sent_at', 'in_mailboxes.sent_at') }}),
                in_mailboxes.message_id
            )
        ) as message_id
    from logged
    inner join in_mailboxes
        on
            logged.from_address = in_mailboxes.from_address
            and logged.subject = in_mailboxes.subject
            and logged.minute_no = in_mailboxes.minute_no
            and abs({{ seconds_between('logged.sent_at', 'in_mailboxes.sent_at') }}) <= 60
    group by logged.message_id
),

final as (
    select
        {% for name, _ in columns -%}
        {% if name == 'message_id' -%}
        coalesce(recognised.message_id, lanes.message_id) as message_id,
        {% else -%}
        lanes.{{ name }}{{ ',' if not loop.last }}
        {% endif -%}
        {% endfor %}
    from lanes
    left join recognised on lanes.message_id = recognised.logged_id
)

select * from final
