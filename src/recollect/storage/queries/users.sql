-- name: user
-- One person, with how much is remembered.
SELECT u.user_id, u.names, u.attributes, u.created_at,
    (SELECT count(*) FROM memories AS m
     WHERE m.tenant_id = u.tenant_id AND m.whose = u.user_id) AS memory_count,
    (SELECT count(*) FROM sessions AS s
     WHERE s.tenant_id = u.tenant_id AND s.user_id = u.user_id) AS session_count
FROM users AS u WHERE u.tenant_id = %(tenant_id)s::uuid AND u.user_id = %(user_id)s::text

-- name: list_users
-- People by their id.
SELECT user_id, names, attributes, created_at
FROM users
WHERE tenant_id = %(tenant_id)s::uuid AND user_id > %(after)s::text
ORDER BY user_id
LIMIT %(limit)s::integer

-- name: put_user
-- What the tenant says of a person; what is not given stays.
INSERT INTO users AS u (tenant_id, user_id, names, participants, attributes)
VALUES (%(tenant_id)s::uuid, %(user_id)s::text, coalesce(%(names)s::text[], '{}'),
        (coalesce(%(names)s::text[], '{}'))[1:%(most)s::integer], coalesce(%(attributes)s::jsonb, '{}'))
ON CONFLICT (tenant_id, user_id) DO UPDATE SET
    names = coalesce(%(names)s::text[], u.names),
    attributes = coalesce(%(attributes)s::jsonb, u.attributes),
    participants = (excluded.participants || array(
        SELECT name FROM unnest(u.participants) AS name WHERE name <> ALL (excluded.participants)
    ))[1:%(most)s::integer]

-- name: lock_user
-- Whoever is writing about the person is waited for, and whoever comes finds a person forgotten.
SELECT FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text FOR NO KEY UPDATE

-- name: delete_user
-- A person's row, after all that rests on it.
DELETE FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
