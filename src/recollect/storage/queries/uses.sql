-- name: put_accesses
-- These memories were recalled so often since they were last counted. What is being forgotten, or changed, now is
-- left out: nobody is waited for.
INSERT INTO accesses AS a (tenant_id, memory_id, user_id, count, last_at)
SELECT m.tenant_id, m.id, m.user_id, n.count, %(at)s::timestamptz
FROM unnest(%(ids)s::uuid[], %(counts)s::bigint[]) AS n (id, count)
JOIN (
    SELECT o.tenant_id, o.id, o.user_id FROM memories AS o
    WHERE o.tenant_id = %(tenant_id)s::uuid AND o.id = ANY (%(ids)s::uuid[])
    FOR KEY SHARE SKIP LOCKED
) AS m ON m.id = n.id
ORDER BY m.id
ON CONFLICT (tenant_id, memory_id) DO UPDATE
    SET count = a.count + excluded.count, last_at = greatest(a.last_at, excluded.last_at)
