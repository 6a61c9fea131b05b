-- Grain: one row per place in which a message was seen: a mailbox.

{{ mail_sightings('gmail', ref('stg_gmail__messages'), 'mailbox') }}
