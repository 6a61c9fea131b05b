-- Grain: one row per place in which a message was seen: a mailbox.

{{ mail_sightings(
    'msgraph', ref('stg_msgraph__messages'), 'mailbox', has_conversations=true
) }}
