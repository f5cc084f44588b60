-- name: list_models
-- The models whose vectors may be in the database.
SELECT id, name, dimensions, state FROM embedding_models ORDER BY id

-- name: add_model
-- A model begins to serve; of two servers that start at once with a new database, one adds it.
INSERT INTO embedding_models (name, dimensions, state)
VALUES (%(name)s::text, %(dimensions)s::integer, 'serving')
ON CONFLICT DO NOTHING

-- name: retire_model
-- The serving model only serves what it made, from now on.
UPDATE embedding_models SET state = 'retiring' WHERE state = 'serving'

-- name: delete_model
-- A model is gone; refused while any vector of it is left, in whichever tenant.
DELETE FROM embedding_models WHERE id = %(model)s::smallint

-- name: rows_of_model
-- A tenant's next memories with vectors of this model, with what their new ones rest on.
SELECT m.id, m.content, before.content AS before, m.seq IS NOT NULL AS is_turn,
    coalesce(u.participants, s.participants, '{}') AS participants
FROM memories AS m
LEFT JOIN memories AS before
    ON before.tenant_id = m.tenant_id AND before.session_id = m.session_id AND before.seq = m.seq - 1
LEFT JOIN users AS u ON u.tenant_id = m.tenant_id AND u.user_id = m.user_id
LEFT JOIN sessions AS s ON s.tenant_id = m.tenant_id AND s.session_id = m.session_id
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id > %(after)s::uuid
  AND m.embedding_model = %(model)s::smallint
ORDER BY m.id
LIMIT %(limit)s::integer

-- name: replace_vectors
-- New vectors, unless the texts they were made from have been changed or forgotten meanwhile.
UPDATE memories AS m SET
    embedding_model = %(model)s::smallint,
    embedding = %(embedding)s::halfvec,
    window_embedding = CASE WHEN %(before)s::text IS NULL OR EXISTS (
        SELECT FROM memories AS before
        WHERE before.tenant_id = m.tenant_id AND before.session_id = m.session_id
          AND before.seq = m.seq - 1 AND before.content = %(before)s::text
    ) THEN %(window_embedding)s::halfvec END
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id = %(id)s::uuid AND m.content = %(content)s::text
