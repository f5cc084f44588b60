-- name: columns
-- Fragment: a memory as the domain knows it.
    m.id, m.kind, m.content, m.user_id, m.agent_id, m.session_id, m.seq, m.role, m.name, m.data AS metadata,
    m.importance, m.confidence, m.trust, m.min_role, m.pinned, m.valid_from, m.valid_to, m.recorded_at,
    m.superseded_at, m.superseded_by, m.expires_at, m.evidence, m.source, m.claim, m.standing

-- name: memories_by_id
-- Those of the ids that the principal may see.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id = ANY (%(ids)s::uuid[])

-- name: memory_for_update
-- One memory, locked until the transaction ends.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id = %(id)s::uuid
FOR UPDATE

-- name: list_of_users
-- The newest of these users' memories ('' stands for nobody's: shared), older than the cursor.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid
  AND m.whose = ANY (%(user_ids)s::text[])
  AND m.id < %(before)s::uuid
  AND {passing}
ORDER BY m.id DESC
LIMIT %(limit)s::integer

-- name: list_of_tenant
-- The newest memories of the tenant, older than the cursor.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid
  AND m.id < %(before)s::uuid
  AND {passing}
ORDER BY m.id DESC
LIMIT %(limit)s::integer

-- name: insert_memory
-- One memory; many are sent as a pipeline of this statement.
INSERT INTO memories (
    tenant_id, id, kind, user_id, agent_id, session_id, seq, role, name, content, data, embedding_model,
    embedding, window_embedding, term_count, words, counts, traits, mentions, importance, confidence, trust,
    min_role, pinned, valid_from, valid_to, recorded_at, superseded_at, superseded_by, expires_at, evidence,
    source, subject, attribute, claim, standing)
VALUES (
    %(tenant_id)s::uuid, %(id)s::uuid, %(kind)s, %(user_id)s, %(agent_id)s, %(session_id)s, %(seq)s::integer,
    %(role)s, %(name)s, %(content)s, %(metadata)s::jsonb, %(model)s::smallint, %(embedding)s::halfvec,
    %(window_embedding)s::halfvec, %(term_count)s::integer, %(words)s::bytea, %(counts)s::bytea,
    %(traits)s::smallint, %(mentions)s::bytea, %(importance)s::real, %(confidence)s::real,
    %(trust)s::smallint, %(min_role)s::smallint, %(pinned)s::boolean, %(valid_from)s::timestamptz,
    %(valid_to)s::timestamptz, %(recorded_at)s::timestamptz, %(superseded_at)s::timestamptz,
    %(superseded_by)s::uuid, %(expires_at)s::timestamptz, %(evidence)s::uuid[], %(source)s::jsonb,
    %(subject)s, %(attribute)s, %(claim)s::jsonb, %(standing)s)
ON CONFLICT (tenant_id, id) DO NOTHING

-- name: update_memory
-- What a person may correct; a vector that is not given stays.
UPDATE memories SET
    content = %(content)s::text, trust = %(trust)s::smallint, data = %(metadata)s::jsonb,
    importance = %(importance)s::real, pinned = %(pinned)s::boolean, min_role = %(min_role)s::smallint,
    valid_to = %(valid_to)s::timestamptz, expires_at = %(expires_at)s::timestamptz,
    embedding_model = coalesce(%(model)s::smallint, embedding_model),
    embedding = coalesce(%(embedding)s::halfvec, embedding),
    term_count = coalesce(%(term_count)s::integer, term_count),
    words = coalesce(%(words)s::bytea, words),
    counts = coalesce(%(counts)s::bytea, counts),
    traits = coalesce(%(traits)s::smallint, traits),
    mentions = coalesce(%(mentions)s::bytea, mentions),
    window_embedding = CASE WHEN %(embedding)s::halfvec IS NULL THEN window_embedding END
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: blank_window
-- The window of the turn after this one told of it; without, that turn is found by its own words.
UPDATE memories SET window_embedding = NULL
WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text AND seq = %(seq)s::integer + 1

-- name: delete_memory
-- One memory.
DELETE FROM memories WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: delete_memories_of_session
-- All that was said in a session.
DELETE FROM memories WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: delete_memories_of_user
-- All that is remembered of a person.
DELETE FROM memories WHERE tenant_id = %(tenant_id)s::uuid AND whose = %(user_id)s::text
