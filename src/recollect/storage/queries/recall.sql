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
-- All that the ranker needs, as columns in the order of (session, seq), in one row.
-- A column of numbers is one bytea of big-endian values, which numpy reads as it stands.
-- A scope of at most `depth` rows comes back whole; of a larger one come the nearest in meaning, those with
-- the rarest of the query's words, and the newest: `depth` of each.
-- `occurrences` are triples: row, the token's index from 1, how often the row holds it.
WITH scope AS MATERIALIZED (
    SELECT m.id, m.session_id, m.seq, m.valid_from, m.name, m.term_count, hits.found, hits.times,
        1 - (m.embedding <=> CASE m.embedding_model
            WHEN %(model)s::smallint THEN %(vector)s::halfvec ELSE %(retiring)s::halfvec END) AS dense,
        1 - (m.window_embedding <=> CASE m.embedding_model
            WHEN %(model)s::smallint THEN %(vector)s::halfvec ELSE %(retiring)s::halfvec END) AS beside
    FROM memories AS m
    CROSS JOIN LATERAL (
        SELECT array_agg(array_position(%(tokens)s::text[], t.lexeme)) AS found,
            array_agg(cardinality(t.positions)) AS times
        FROM unnest(m.terms) AS t
        WHERE m.terms @@ %(words)s::tsquery AND t.lexeme = ANY (%(tokens)s::text[])
    ) AS hits
    WHERE m.tenant_id = %(tenant_id)s::uuid
      AND m.whose = ANY (%(user_ids)s::text[])
      AND {passing}
), size AS (
    SELECT count(*) AS total, coalesce(avg(term_count), 0)::float8 AS mean_length FROM scope
), holding AS MATERIALIZED (
    SELECT token, count(*) AS holders FROM scope, unnest(found) AS token GROUP BY token
), rarity AS MATERIALIZED (
    SELECT scope.id, sum(1.0 / holders) AS worth
    FROM scope, unnest(found) AS token JOIN holding USING (token)
    WHERE (SELECT total FROM size) > %(depth)s::integer
    GROUP BY scope.id
    ORDER BY worth DESC LIMIT %(depth)s::integer
), chosen AS MATERIALIZED (
    SELECT scope.*,
        (row_number() OVER (ORDER BY session_id, seq, id))::integer - 1 AS row,
        (CASE WHEN session_id IS NULL THEN -1 ELSE dense_rank() OVER (ORDER BY session_id) END)::integer AS session
    FROM scope
    WHERE (SELECT total FROM size) <= %(depth)s::integer
       OR dense >= (SELECT dense FROM scope ORDER BY dense DESC NULLS LAST
                    OFFSET %(depth)s::integer - 1 LIMIT 1)
       OR id >= (SELECT id FROM scope ORDER BY id DESC OFFSET %(depth)s::integer - 1 LIMIT 1)
       OR id IN (SELECT id FROM rarity)
)
SELECT
    (SELECT total FROM size) AS total,
    (SELECT mean_length FROM size) AS mean_length,
    array(SELECT coalesce(holders, 0) FROM generate_subscripts(%(tokens)s::text[], 1) AS token
          LEFT JOIN holding USING (token) ORDER BY token) AS holders,
    (SELECT string_agg(int4send(row) || int4send(token) || int4send(occurrence), '')
     FROM chosen, unnest(found, times) AS hit (token, occurrence)) AS occurrences,
    string_agg(uuid_send(id), '' ORDER BY row) AS ids,
    string_agg(int4send(session), '' ORDER BY row) AS sessions,
    string_agg(int4send(coalesce(seq, 0)), '' ORDER BY row) AS seqs,
    string_agg(float8send(extract(epoch FROM valid_from)::float8), '' ORDER BY row) AS moments,
    string_agg(float4send(coalesce(dense, 'NaN')::real), '' ORDER BY row) AS dense,
    string_agg(float4send(coalesce(beside, 'NaN')::real), '' ORDER BY row) AS beside,
    string_agg(int4send(term_count), '' ORDER BY row) AS lengths,
    array_agg(name ORDER BY row) AS names
FROM chosen

-- name: participants_of
-- The names heard in a person's sessions: they are no signal in a query, and are taken out of it.
SELECT participants FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
