-- name: summaries_of_session
-- What stands for a session, in order.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = %(session_id)s::text AND m.seq IS NULL
  AND m.kind = 'summary' AND m.superseded_at IS NULL
  AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
ORDER BY m.id

-- name: ends_of_sessions
-- The last turn of each of these sessions, and what stands for them.
SELECT {columns}
FROM unnest(%(ids)s::text[]) AS s (session_id)
CROSS JOIN LATERAL (
    (SELECT * FROM memories AS t
     WHERE t.tenant_id = %(tenant_id)s::uuid AND t.session_id = s.session_id AND t.seq IS NOT NULL
       AND (t.expires_at IS NULL OR t.expires_at > %(now)s::timestamptz)
     ORDER BY t.seq DESC LIMIT 1)
    UNION ALL
    (SELECT * FROM memories AS t
     WHERE t.tenant_id = %(tenant_id)s::uuid AND t.session_id = s.session_id AND t.seq IS NULL
       AND t.kind = 'summary' AND t.superseded_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > %(now)s::timestamptz)
     ORDER BY t.id)
) AS m

-- name: summaries_of_user
-- The newest summaries of a person's sessions, older than the cursor.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND cardinality(m.evidence) > 0
  AND m.kind = 'summary' AND m.id < %(before)s::uuid AND m.superseded_at IS NULL
  AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
ORDER BY m.id DESC
LIMIT %(limit)s::integer

-- name: known_of_user
-- What a prompt begins with: the most telling facts about a person that hold, and the newest summaries.
(SELECT {columns}
 FROM memories AS m
 WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND m.subject IS NOT NULL
   AND {current} AND {passing}
 ORDER BY m.pinned DESC, (m.standing IS NOT DISTINCT FROM 'confirmed') DESC,
     (m.subject = 'user' AND m.attribute = ANY (%(telling)s::text[])) DESC, (m.subject = 'user') DESC,
     m.id DESC
 LIMIT %(facts)s::integer)
UNION ALL
(SELECT {columns}
 FROM memories AS m
 WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND cardinality(m.evidence) > 0
   AND m.kind = 'summary' AND {current} AND {passing}
 ORDER BY m.id DESC
 LIMIT %(summaries)s::integer)

-- name: notes_of_user
-- What was kept of a person that nobody said in a session, and still holds; the newest first.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND m.session_id IS NULL
  AND m.subject IS NULL AND m.kind <> 'summary' AND m.superseded_at IS NULL
  AND (m.valid_to IS NULL OR m.valid_to > %(now)s::timestamptz)
  AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
ORDER BY m.id DESC
LIMIT %(limit)s::integer

-- name: end_session
-- The session is over; if more is said in it, it is not.
UPDATE sessions SET attributes = attributes || jsonb_build_object('ended_seq', last_seq)
WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: edge_turns
-- The first and the last turn that was said in a person's sessions; one, if there is one.
SELECT DISTINCT ON (m.id) {columns}
FROM (
    (SELECT t.id FROM memories AS t
     WHERE t.tenant_id = %(tenant_id)s::uuid AND t.whose = %(whose)s::text AND t.seq IS NOT NULL
       AND (t.expires_at IS NULL OR t.expires_at > %(now)s::timestamptz)
     ORDER BY t.id LIMIT 1)
    UNION ALL
    (SELECT t.id FROM memories AS t
     WHERE t.tenant_id = %(tenant_id)s::uuid AND t.whose = %(whose)s::text AND t.seq IS NOT NULL
       AND (t.expires_at IS NULL OR t.expires_at > %(now)s::timestamptz)
     ORDER BY t.id DESC LIMIT 1)
) AS edge
JOIN memories AS m ON m.tenant_id = %(tenant_id)s::uuid AND m.id = edge.id
ORDER BY m.id
