-- name: language_budget
-- What the tenant lets language models cost in a month, if it has said so.
SELECT monthly_cost FROM language_budgets WHERE tenant_id = %(tenant_id)s::uuid

-- name: put_language_budget
-- What the tenant lets language models cost in a month from now on.
INSERT INTO language_budgets (tenant_id, monthly_cost)
VALUES (%(tenant_id)s::uuid, %(monthly_cost)s::numeric)
ON CONFLICT (tenant_id) DO UPDATE SET monthly_cost = excluded.monthly_cost

-- name: language_costs
-- What language models cost the tenant, by month and model, since a month.
SELECT month, model, calls, failures, input_tokens, output_tokens, cost, reserved
FROM language_costs WHERE tenant_id = %(tenant_id)s::uuid AND month >= %(since)s::date
ORDER BY month DESC, model

-- name: lock_costs
-- Whoever reserves something of the tenant's budget is waited for: the sum over its models must stand.
SELECT pg_advisory_xact_lock(hashtextextended('costs ' || %(tenant_id)s::uuid, 0))

-- name: open_costs
-- A model's costs in a month, from nothing.
INSERT INTO language_costs (tenant_id, month, model)
VALUES (%(tenant_id)s::uuid, %(month)s::date, %(model)s::text)
ON CONFLICT (tenant_id, month, model) DO NOTHING

-- name: reserve_cost
-- The most that a call can cost is set aside, unless the month's budget does not allow it.
UPDATE language_costs SET reserved = reserved + %(cost)s::numeric
WHERE tenant_id = %(tenant_id)s::uuid AND month = %(month)s::date AND model = %(model)s::text
  AND (SELECT sum(c.cost + c.reserved) FROM language_costs AS c
       WHERE c.tenant_id = %(tenant_id)s::uuid AND c.month = %(month)s::date) + %(cost)s::numeric
      <= coalesce((SELECT b.monthly_cost FROM language_budgets AS b
                   WHERE b.tenant_id = %(tenant_id)s::uuid), %(monthly)s::numeric)

-- name: settle_cost
-- What calls did cost takes the place of what was set aside for them.
UPDATE language_costs SET
    calls = calls + %(calls)s::bigint, failures = failures + %(failures)s::bigint,
    input_tokens = input_tokens + %(input_tokens)s::bigint,
    output_tokens = output_tokens + %(output_tokens)s::bigint,
    cost = cost + %(cost)s::numeric, reserved = reserved - %(reserved)s::numeric
WHERE tenant_id = %(tenant_id)s::uuid AND month = %(month)s::date AND model = %(model)s::text
