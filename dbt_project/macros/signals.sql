{#- The signals of mart_deal_health: check, name, weight in the health score, business days in
    which somebody should act, and what to do.
    The var signal_weights changes single weights: {'D-01': 25}. -#}
{% macro deal_signals() -%}
    {{ return([
        ('D-04', 'ghosted', 20, 2, 'Try another contact or another channel; ask whether it is still wanted'),
        ('D-03', 'stalled', 20, 2, 'Agree a dated next step with the customer, or close the deal'),
        ('D-01', 'rotting', 15, 2, 'Get in touch, or close the deal'),
        ('D-07', 'close date in the past', 15, 1, 'Set a close date that the customer has confirmed'),
        ('D-13', 'owner gone', 15, 1, 'Give the deal to somebody who is here'),
        ('D-11', 'commit without contact', 15, 1, 'Speak with the customer, or take it out of commit'),
        ('D-17', 'quote expired', 10, 1, 'Renew the quote'),
        ('D-06', 'overdue activity', 10, 1, 'Do the overdue activity, or give it a new date'),
        ('D-05', 'no next step', 10, 2, 'Plan the next activity'),
        ('D-02', 'stage age exceeded', 10, 3, 'Find out what holds it in this stage'),
        ('D-09', 'pushed often', 10, 3, 'Ask what has to happen before a date can hold'),
        ('D-08', 'no close date', 10, 2, 'Ask for the date by which the customer needs it'),
        ('D-18', 'moved back twice', 10, 3, 'Qualify the deal anew'),
        ('D-16', 'late-stage without quote', 10, 2, 'Send a quote'),
        ('D-15', 'amount swing', 5, 3, 'Confirm the amount with the customer'),
        ('D-12', 'single-threaded', 5, 5, 'Find a second contact who takes part'),
        ('D-10', 'close date unrealistic', 5, 3, 'Compare the date with how long such deals took'),
        ('D-14', 'very old', 5, 5, 'Decide whether it is still a deal'),
        ('D-19', 'concentration', 0, 5, 'Have a plan for the period without it'),
    ]) }}
{%- endmacro %}

{#- An instant n days after another. -#}
{% macro plus_days(instant, days) -%}
    ({{ instant }} + to_days(cast({{ days }} as integer)))
{%- endmacro %}

{#- The same as rows: check_id, signal, weight, urgency (1 first), days to act,
    action. -#}
{% macro deal_signal_rows() -%}
    {%- set weights = var('signal_weights', {}) -%}
    {%- for check_id, name, weight, days, action in deal_signals() %}
    select
        '{{ check_id }}' as check_id,
        '{{ name }}' as signal,
        {{ weights[check_id] if check_id in weights else weight }} as weight,
        {{ loop.index }} as urgency,
        {{ days }} as act_within_business_days,
        '{{ action }}' as action
    {{ 'union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
