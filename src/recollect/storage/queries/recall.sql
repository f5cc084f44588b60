-- name: passing
-- Fragment: the filter of a recall or a list, without its scope.
    (%(agent_id)s::text IS NULL OR m.agent_id = %(agent_id)s)
    AND (%(session_id)s::text IS NULL OR m.session_id = %(session_id)s)
    AND (%(kinds)s::text[] IS NULL OR m.kind = ANY (%(kinds)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR m.valid_from >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR m.valid_from < %(until)s)
    AND (%(as_of)s::timestamptz IS NULL
         OR (m.valid_from <= %(as_of)s AND (m.valid_to IS NULL OR m.valid_to > %(as_of)s)))
    AND CASE WHEN %(known_at)s::timestamptz IS NULL THEN m.superseded_at IS NULL
        ELSE m.recorded_at <= %(known_at)s AND (m.superseded_at IS NULL OR m.superseded_at > %(known_at)s) END
    AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
    AND (%(conditions)s::jsonb IS NULL OR passes(m.data, %(conditions)s::jsonb))

-- name: candidates
-- All that the ranker needs, as columns, in one row and in no particular order.
-- A column of numbers is one bytea of big-endian values, which numpy reads as it stands.
-- A scope of at most `depth` rows comes back whole; of a larger one come the nearest in meaning, those with
-- the rarest of the query's words, and the newest: `depth` of each, and how many rows hold each word.
-- What is no longer true comes only to who asks for a time.
-- `matches` are pairs: the token's index from 1, how often the row holds it; `matched` says whose they are.
WITH scope AS MATERIALIZED (
    SELECT m.id, m.session_id, m.seq, m.valid_from, m.name, m.term_count,
        CASE WHEN m.terms @@ %(words)s::tsquery THEN (
            SELECT string_agg(
                int4send(array_position(%(tokens)s::text[], t.lexeme)) || int4send(cardinality(t.positions)), '')
            FROM unnest(m.terms) AS t WHERE t.lexeme = ANY (%(tokens)s::text[])
        ) ELSE '' END AS matches,
        1 - (m.embedding <=> CASE m.embedding_model
            WHEN %(model)s::smallint THEN %(vector)s::halfvec
            WHEN %(retiring)s::smallint THEN %(retiring_vector)s::halfvec END) AS dense,
        1 - (m.window_embedding <=> CASE m.embedding_model
            WHEN %(model)s::smallint THEN %(vector)s::halfvec
            WHEN %(retiring)s::smallint THEN %(retiring_vector)s::halfvec END) AS beside
    FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid
      AND m.whose = ANY (%(user_ids)s::text[])
      AND (m.valid_to IS NULL OR m.valid_to > %(now)s::timestamptz
           OR coalesce(%(as_of)s::timestamptz, %(since)s::timestamptz, %(until)s::timestamptz) IS NOT NULL)
      AND {passing}
), size AS (
    SELECT count(*) AS total, coalesce(avg(term_count), 0)::float8 AS mean_length FROM scope
), holding AS MATERIALIZED (
    SELECT get_byte(matches, at) AS token, count(*) AS holders
    FROM scope CROSS JOIN generate_series(3, length(matches) - 1, 8) AS at
    WHERE (SELECT total FROM size) > %(depth)s::integer
    GROUP BY token
), rarity AS MATERIALIZED (
    SELECT scope.id, sum(1::float8 / holders) AS worth
    FROM scope CROSS JOIN generate_series(3, length(matches) - 1, 8) AS at
    JOIN holding ON token = get_byte(matches, at)
    WHERE (SELECT total FROM size) > %(depth)s::integer
    GROUP BY scope.id
    ORDER BY worth DESC LIMIT %(depth)s::integer
)
SELECT
    (SELECT total FROM size) AS total,
    (SELECT mean_length FROM size) AS mean_length,
    array(SELECT coalesce(holders, 0) FROM generate_subscripts(%(tokens)s::text[], 1) AS token
          LEFT JOIN holding USING (token) ORDER BY token) AS holders,
    string_agg(uuid_send(id), '') AS ids,
    string_agg(int8send(hashtextextended(coalesce(session_id, ''), 0)), '') AS sessions,
    string_agg(int4send(coalesce(seq, 0)), '') AS seqs,
    string_agg(float8send(extract(epoch FROM valid_from)::float8), '') AS moments,
    string_agg(float4send(coalesce(dense, 'NaN')::real), '') AS dense,
    string_agg(float4send(coalesce(beside, 'NaN')::real), '') AS beside,
    string_agg(int4send(term_count), '') AS lengths,
    string_agg(int4send(length(matches) / 8), '') AS matched,
    string_agg(matches, '') AS matches,
    array_agg(name) AS names
FROM scope
WHERE (SELECT total FROM size) <= %(depth)s::integer
   OR dense >= (SELECT dense FROM scope ORDER BY dense DESC NULLS LAST OFFSET %(depth)s::integer - 1 LIMIT 1)
   OR id >= (SELECT id FROM scope ORDER BY id DESC OFFSET %(depth)s::integer - 1 LIMIT 1)
   OR id IN (SELECT id FROM rarity)

-- name: participants_of
-- The names heard in a person's sessions: they are no signal in a query, and are taken out of it.
SELECT participants FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
