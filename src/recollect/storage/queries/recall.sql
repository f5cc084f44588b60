-- name: passing
-- Fragment: the filter of a recall or a list, without its scope.
-- What was superseded without an end in time was never so: it comes only to who asks for what was known before.
    (%(agent_id)s::text IS NULL OR m.agent_id = %(agent_id)s)
    AND (%(session_id)s::text IS NULL OR m.session_id = %(session_id)s)
    AND (%(kinds)s::text[] IS NULL OR m.kind = ANY (%(kinds)s::text[]))
    AND (%(since)s::timestamptz IS NULL OR m.valid_from >= %(since)s)
    AND (%(until)s::timestamptz IS NULL OR m.valid_from < %(until)s)
    AND (%(as_of)s::timestamptz IS NULL
         OR (m.valid_from <= %(as_of)s
             AND (m.valid_to IS NULL OR m.valid_to > %(as_of)s OR m.superseded_at > %(known_at)s)))
    AND (%(known_at)s::timestamptz IS NULL OR m.recorded_at <= %(known_at)s)
    AND (m.superseded_at IS NULL OR m.superseded_at > %(known_at)s
         OR (m.valid_to IS NOT NULL AND m.standing IS DISTINCT FROM 'rejected'))
    AND (m.expires_at IS NULL OR m.expires_at > %(now)s::timestamptz)
    AND (%(conditions)s::jsonb IS NULL OR passes(m.data, %(conditions)s::jsonb))

-- name: current
-- Fragment: what still holds; what does not comes only to who asks for a time.
    (m.valid_to IS NULL OR m.valid_to > %(now)s::timestamptz OR m.superseded_at > %(known_at)s::timestamptz
     OR coalesce(%(as_of)s::timestamptz, %(since)s::timestamptz, %(until)s::timestamptz) IS NOT NULL)

-- name: gathered
-- Fragment: all that the ranker needs of the rows m, in one row and in no particular order.
-- `records` are of one width, as storage/gathering.py reads them: a row's features and the two cosines. Who
-- spoke, what and of which times comes beside. `renewals`: which row is told anew by which. `sayings`: which fact
-- rests on which turns, of several the first and the last; a summary stands there with itself.
    string_agg(
        m.features || float4send(coalesce(1 - (m.embedding <=> {aim}), 'NaN')::real)
        || float4send(coalesce(1 - (m.window_embedding <=> {aim}), 'NaN')::real), '') AS records,
    string_agg(m.words, '') AS words,
    string_agg(m.counts, '') AS counts,
    string_agg(m.mentions, '') AS mentions,
    array_agg(m.name) AS names,
    string_agg(uuid_send(m.id) || uuid_send(m.superseded_by), '')
        FILTER (WHERE m.superseded_by IS NOT NULL) AS renewals,
    string_agg(
        uuid_send(m.id) || CASE WHEN m.subject IS NULL THEN uuid_send(m.id) || uuid_send(m.id)
            ELSE uuid_send(m.evidence[1]) || uuid_send(m.evidence[cardinality(m.evidence)]) END, '')
        FILTER (WHERE m.subject IS NOT NULL OR (m.kind = 'summary' AND m.source ? 'extractor')) AS sayings

-- name: aim
-- Fragment: the query's vector in the row's own space.
    CASE m.embedding_model
        WHEN %(model)s::smallint THEN %(vector)s::halfvec
        WHEN %(retiring)s::smallint THEN %(retiring_vector)s::halfvec END

-- name: candidates_of_user
-- A user's newest rows ('' stands for nobody's: shared), older than the cursor.
SELECT {gathered}
FROM (
    SELECT m.* FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = %(whose)s::text AND m.id < %(before)s::uuid
      AND {current} AND {passing}
    ORDER BY m.id DESC LIMIT %(limit)s::integer
) AS m

-- name: candidates_of_tenant
-- The tenant's newest rows, older than the cursor.
SELECT {gathered}
FROM (
    SELECT m.* FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id < %(before)s::uuid
      AND {current} AND {passing}
    ORDER BY m.id DESC LIMIT %(limit)s::integer
) AS m

-- name: nearest_of_tenant
-- The tenant's rows of one model that are nearest to the query. Planned for its values and without sorting, it
-- goes by the model's index of vectors (storage/vector_indexes.py); planned for any values, by the tenant's.
SELECT {gathered}
FROM (
    SELECT m.* FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.embedding_model = %(of_model)s::smallint
      AND {current} AND {passing}
    ORDER BY halfvec(m.embedding, %(dimensions)s::integer, true) <=> %(near)s::halfvec
    LIMIT %(limit)s::integer
) AS m

-- name: size_of_table
-- How many rows all tenants have, as the table's statistics tell.
SELECT greatest(reltuples, 0)::float8 AS all_rows FROM pg_class WHERE oid = 'memories'::regclass

-- name: size_of_tenant
-- How many rows the tenant has, counted up to a bound.
SELECT count(*) AS rows
FROM (SELECT FROM memories AS m WHERE m.tenant_id = %(tenant_id)s::uuid LIMIT %(most)s::integer) AS m

-- name: participants_of
-- The names heard in a person's sessions: they are no signal in a query, and are taken out of it. And which names
-- go together, since who is asked for by one of them is spoken of by another.
SELECT participants, alike FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text
