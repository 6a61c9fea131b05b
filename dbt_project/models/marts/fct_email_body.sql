-- Grain: one row per message whose text is stored; empty unless a connection stores bodies.

select
    emails.email_key,
    bodies.body_text,
    bodies.source_system,
    bodies.connection,
    bodies.raw_version_id,
    bodies.is_body_cut
from {{ ref('int_email_bodies') }} as bodies
inner join {{ ref('fct_email') }} as emails on bodies.message_id = emails.email_key
