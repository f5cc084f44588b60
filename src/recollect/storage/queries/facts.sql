-- name: facts_of_person
-- Every fact in parts about a person ('' stands for nobody's: shared), whatever became of it.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND m.subject IS NOT NULL
ORDER BY m.subject, m.attribute, m.id
LIMIT %(limit)s::integer

-- name: list_facts
-- The newest facts in parts about these people, older than the cursor; those that hold, unless all are asked for.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid
  AND m.whose = ANY (%(user_ids)s::text[])
  AND m.subject IS NOT NULL
  AND (%(subject)s::text IS NULL OR m.subject = %(subject)s)
  AND (%(attribute)s::text IS NULL OR m.attribute = %(attribute)s)
  AND m.id < %(before)s::uuid
  AND (%(history)s::boolean OR ({current} AND {passing}))
ORDER BY m.id DESC
LIMIT %(limit)s::integer

-- name: settle_fact
-- What may become of a fact: it ends, is taken back, is doubted, or is heard again.
UPDATE memories SET
    valid_from = %(valid_from)s::timestamptz, valid_to = %(valid_to)s::timestamptz,
    superseded_at = %(superseded_at)s::timestamptz, superseded_by = %(superseded_by)s::uuid,
    confidence = %(confidence)s::real, evidence = %(evidence)s::uuid[], standing = %(standing)s::text,
    trust = %(trust)s::smallint, min_role = %(min_role)s::smallint,
    expires_at = %(expires_at)s::timestamptz, source = %(source)s::jsonb
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: tell_anew
-- A turn says what a newer one says otherwise.
UPDATE memories SET superseded_by = %(newer)s::uuid
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(older)s::uuid AND seq IS NOT NULL

-- name: untell
-- What these turns say, no turn says otherwise any more.
UPDATE memories SET superseded_by = NULL
WHERE tenant_id = %(tenant_id)s::uuid AND id = ANY (%(ids)s::uuid[]) AND seq IS NOT NULL

-- name: derived_from
-- What rests on any of these memories, and what was derived from a session.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND cardinality(m.evidence) > 0
  AND (m.evidence && %(ids)s::uuid[] OR (m.session_id = %(session_id)s::text AND m.seq IS NULL))

-- name: delete_memories
-- These memories.
DELETE FROM memories WHERE tenant_id = %(tenant_id)s::uuid AND id = ANY (%(ids)s::uuid[])

-- name: lock_person
-- Whoever settles facts about the person ('' stands for nobody: shared) is waited for.
SELECT pg_advisory_xact_lock(hashtextextended(%(tenant_id)s::uuid || ' ' || %(whose)s::text, 0))

-- name: session_by_key
-- A session as a job knows it.
SELECT session_id, user_id, agent_id, participants, attributes, created_at, last_seq, consolidated_seq
FROM sessions WHERE tenant_id = %(tenant_id)s::uuid AND key = %(key)s::uuid

-- name: advance_consolidation
-- Up to a turn the session is understood, unless somebody else was faster.
UPDATE sessions SET consolidated_seq = %(upto)s::integer
WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text
  AND consolidated_seq = %(since)s::integer

-- name: reopen_sessions
-- This session, and those of these turns, are to be understood anew.
UPDATE sessions SET consolidated_seq = 0
WHERE tenant_id = %(tenant_id)s::uuid AND (session_id = %(session_id)s::text OR session_id = ANY (ARRAY(
    SELECT m.session_id FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id = ANY (%(ids)s::uuid[]))))
