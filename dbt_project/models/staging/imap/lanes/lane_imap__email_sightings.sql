-- Grain: one row per place in which a message was seen: a folder of a mailbox.

{{ mail_sightings('imap', ref('stg_imap__messages')) }}
