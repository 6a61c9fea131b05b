"""Alerts: what the published marts say, told once to the people who can act on it.

Data flow:
    serving file  -> facts      rows of the marts, nothing computed anew
    facts         -> digests    one per person and topic, empty ones left out
    state, syncs  -> incidents  what is broken in the pipeline, and what is mended
    digest        -> wording    text and HTML;  reminders: the calendar file
    message       -> mail, hooks, then a line in the log of what was sent

Nothing leaves for an address outside ``company.own_domains``.
"""
