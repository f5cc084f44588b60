-- name: ensure_user
-- The person's row, made when it is first heard of; new names of participants are added to it while there is
-- room: each of them is looked for in every turn.
INSERT INTO users AS u (tenant_id, user_id, participants)
VALUES (%(tenant_id)s::uuid, %(user_id)s::text, %(participants)s::text[])
ON CONFLICT (tenant_id, user_id) DO UPDATE
    SET participants = (u.participants || array(
        SELECT name FROM unnest(excluded.participants) AS name WHERE name <> ALL (u.participants)
    ))[1:%(most)s::integer]
    WHERE NOT u.participants @> excluded.participants AND cardinality(u.participants) < %(most)s::integer

-- name: open_session
-- The session's row, made when it is new, and locked until the transaction ends; `last_seq` is as it was.
-- A session keeps the user and the agent it was begun with.
INSERT INTO sessions AS s (tenant_id, session_id, user_id, agent_id, participants)
VALUES (%(tenant_id)s::uuid, %(session_id)s::text, %(user_id)s::text, %(agent_id)s::text,
        %(participants)s::text[])
ON CONFLICT (tenant_id, session_id) DO UPDATE
    SET participants = (s.participants || array(
        SELECT name FROM unnest(excluded.participants) AS name WHERE name <> ALL (s.participants)
    ))[1:%(most)s::integer]
RETURNING user_id, agent_id, last_seq

-- name: advance_session
-- So many turns were added.
UPDATE sessions SET last_seq = %(last_seq)s::integer
WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: last_turn
-- Where a session stands, and its newest turn, on which the next one's window rests.
SELECT s.last_seq, s.user_id, s.agent_id, s.participants, m.content
FROM sessions AS s
LEFT JOIN memories AS m
    ON m.tenant_id = s.tenant_id AND m.session_id = s.session_id AND m.seq = s.last_seq
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.session_id = %(session_id)s::text

-- name: session
-- One session.
SELECT session_id, user_id, agent_id, participants, attributes, created_at, last_seq, consolidated_seq
FROM sessions WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: list_sessions
-- Sessions by the time they began, the newest first.
SELECT session_id, user_id, agent_id, participants, attributes, created_at, last_seq, consolidated_seq
FROM sessions
WHERE tenant_id = %(tenant_id)s::uuid
  AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s)
  AND (created_at, session_id) < (%(before_at)s::timestamptz, %(before_id)s::text)
ORDER BY created_at DESC, session_id DESC
LIMIT %(limit)s::integer

-- name: turns_of_session
-- A session's turns in their order, after a place in it.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = %(session_id)s::text AND m.seq > %(after)s::integer
ORDER BY m.seq
LIMIT %(limit)s::integer

-- name: ids_in_session
-- All that was said in a session, and what was made from it.
SELECT m.id FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = %(session_id)s::text

-- name: recent_turns
-- The last turns of a session that still hold, the newest first.
SELECT {columns}
FROM memories AS m
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = %(session_id)s::text
  AND m.seq IS NOT NULL AND m.superseded_at IS NULL
  AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
ORDER BY m.seq DESC
LIMIT %(limit)s::integer

-- name: lock_session
-- Whoever is writing to the session is waited for, so that nothing of theirs is missed.
SELECT FROM sessions
WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text FOR NO KEY UPDATE

-- name: lock_sessions_of_user
-- The same for every session of a person, in an order in which nobody waits for another in a circle.
SELECT FROM sessions
WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
ORDER BY session_id FOR NO KEY UPDATE

-- name: delete_session
-- A session's row, after its turns.
DELETE FROM sessions WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: delete_sessions_of_user
-- A person's sessions, after their turns.
DELETE FROM sessions WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
