-- name: memory_counts
-- How many memories there are of each kind that are in force.
SELECT m.kind, count(*) AS count
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND (%(whose)s::text IS NULL OR m.whose = %(whose)s)
  AND m.superseded_at IS NULL
  AND (m.valid_to IS NULL OR m.valid_to > %(now)s::timestamptz)
  AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
GROUP BY m.kind

-- name: graph_counts
-- How many entities there are that are merged into no other, relations that hold, and people.
SELECT
    (SELECT count(*) FROM entities AS e
     WHERE e.tenant_id = %(tenant_id)s::uuid AND (%(whose)s::text IS NULL OR e.whose = %(whose)s)
       AND (e.merged_into IS NULL OR NOT EXISTS (
           SELECT FROM entities AS o WHERE o.tenant_id = %(tenant_id)s::uuid AND o.id = e.merged_into))
    ) AS entities,
    (SELECT count(*) FROM relations AS r
     WHERE r.tenant_id = %(tenant_id)s::uuid AND (%(whose)s::text IS NULL OR r.whose = %(whose)s)
       AND r.superseded_at IS NULL
       AND r.valid_from <= %(now)s::timestamptz AND (r.valid_to IS NULL OR r.valid_to > %(now)s)) AS relations,
    (SELECT count(*) FROM users AS u
     WHERE u.tenant_id = %(tenant_id)s::uuid AND (%(whose)s::text IS NULL OR u.user_id = %(whose)s)) AS users

-- name: unused_memories
-- What nobody said in a session, nothing was derived into, and hardly anybody recalled; after a cursor.
SELECT m.id, m.user_id
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id > %(after)s::uuid
  AND (%(ids)s::uuid[] IS NULL OR m.id = ANY (%(ids)s::uuid[]))
  AND m.seq IS NULL AND m.subject IS NULL AND cardinality(m.evidence) = 0 AND NOT m.source ? 'extractor'
  AND %(fewer)s::bigint > 0 AND NOT m.pinned AND m.recorded_at < %(before)s::timestamptz
  AND NOT EXISTS (
    SELECT FROM accesses AS a
    WHERE a.tenant_id = %(tenant_id)s::uuid AND a.memory_id = m.id AND a.count >= %(fewer)s::bigint)
ORDER BY m.id
LIMIT %(limit)s::integer
