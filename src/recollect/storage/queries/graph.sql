-- name: entity_columns
-- Fragment: an entity as the domain knows it.
    e.id, e.kind, e.name, e.recorded_at, e.user_id, e.aliases, e.attributes, e.min_role, e.merged_into, e.by_hand,
    e.settled, e.description

-- name: relation_columns
-- Fragment: a relation as the domain knows it.
    r.id, r.source_id, r.target_id, r.kind, r.valid_from, r.recorded_at, r.user_id, r.strength, r.confidence,
    r.min_role, r.valid_to, r.superseded_at, r.evidence, r.attributes

-- name: holding
-- Fragment: the relations that are asked for, in the time that is asked for; as memories are recalled.
    (%(kinds)s::text[] IS NULL OR r.kind = ANY (%(kinds)s::text[]))
    AND (%(as_of)s::timestamptz IS NULL OR r.valid_from <= %(as_of)s)
    AND (r.valid_to IS NULL OR r.valid_to > coalesce(%(as_of)s::timestamptz, %(now)s::timestamptz)
         OR r.superseded_at > %(known_at)s::timestamptz)
    AND (%(known_at)s::timestamptz IS NULL OR r.recorded_at <= %(known_at)s)
    AND (r.superseded_at IS NULL OR r.superseded_at > %(known_at)s OR r.valid_to IS NOT NULL)

-- name: put_entity
-- What was read of an entity: the name that was heard first, and the kind that says most, which is a pack's before
-- the house's own. The person remembered is called as they are now. What a person put right stays.
INSERT INTO entities AS e (tenant_id, id, user_id, kind, name, embedding_model, embedding, min_role, recorded_at)
VALUES (%(tenant_id)s::uuid, %(id)s::uuid, %(user_id)s::text, %(kind)s::text, %(name)s::text, %(model)s::smallint,
        %(embedding)s::halfvec, %(min_role)s::smallint, %(recorded_at)s::timestamptz)
ON CONFLICT (tenant_id, id) DO UPDATE SET
    kind = CASE WHEN (coalesce(array_position(%(kinds)s::text[], excluded.kind), 0), excluded.kind COLLATE "C")
                     < (coalesce(array_position(%(kinds)s::text[], e.kind), 0), e.kind)
           THEN excluded.kind ELSE e.kind END,
    name = CASE WHEN {heard_first} THEN excluded.name ELSE e.name END,
    embedding = CASE WHEN {heard_first} THEN excluded.embedding ELSE e.embedding END,
    embedding_model = CASE WHEN {heard_first} THEN excluded.embedding_model ELSE e.embedding_model END,
    recorded_at = least(e.recorded_at, excluded.recorded_at)
WHERE NOT e.by_hand

-- name: heard_first
-- Fragment: whether a name is that of the person remembered, or was heard before the one that is known.
    %(is_person)s::boolean OR (excluded.recorded_at, excluded.name COLLATE "C") < (e.recorded_at, e.name)

-- name: put_relation
-- What was read of a relation, as the fact has it that says so; or as a person has it.
INSERT INTO relations (tenant_id, id, user_id, source_id, target_id, kind, strength, confidence, min_role,
                       valid_from, valid_to, recorded_at, superseded_at, evidence, attributes)
VALUES (%(tenant_id)s::uuid, %(id)s::uuid, %(user_id)s::text, %(source_id)s::uuid, %(target_id)s::uuid,
        %(kind)s::text, %(strength)s::real, %(confidence)s::real, %(min_role)s::smallint,
        %(valid_from)s::timestamptz, %(valid_to)s::timestamptz, %(recorded_at)s::timestamptz,
        %(superseded_at)s::timestamptz, %(evidence)s::uuid[], %(attributes)s::jsonb)
ON CONFLICT (tenant_id, id) DO UPDATE SET
    source_id = excluded.source_id, target_id = excluded.target_id, kind = excluded.kind,
    strength = excluded.strength, confidence = excluded.confidence, min_role = excluded.min_role,
    valid_from = excluded.valid_from, valid_to = excluded.valid_to, recorded_at = excluded.recorded_at,
    superseded_at = excluded.superseded_at, evidence = excluded.evidence, attributes = excluded.attributes

-- name: put_sighting
-- A memory speaks of an entity, by these names.
INSERT INTO mentions AS m (tenant_id, entity_id, memory_id, user_id, min_role, at, names)
VALUES (%(tenant_id)s::uuid, %(entity_id)s::uuid, %(memory_id)s::uuid, %(user_id)s::text, %(min_role)s::smallint,
        %(at)s::timestamptz, %(names)s::text[])
ON CONFLICT (tenant_id, entity_id, memory_id) DO UPDATE
    SET names = array(SELECT DISTINCT name COLLATE "C" FROM unnest(m.names || excluded.names) AS name ORDER BY 1)
    WHERE NOT m.names @> excluded.names

-- name: memories_there
-- Which of the memories have not been forgotten.
SELECT id FROM memories WHERE tenant_id = %(tenant_id)s::uuid AND id = ANY (%(ids)s::uuid[])

-- name: follow_facts
-- The relations that these facts say, as the facts stand now.
UPDATE relations AS r SET
    valid_from = m.valid_from, valid_to = m.valid_to, superseded_at = m.superseded_at,
    confidence = m.confidence, min_role = m.min_role, evidence = m.evidence,
    strength = log(2, 1 + greatest(cardinality(m.evidence), 1))
FROM memories AS m
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.id = ANY (%(ids)s::uuid[])
  AND m.tenant_id = %(tenant_id)s::uuid AND m.id = r.id

-- name: gather_aliases
-- What these of a person's entities, or all, are called beside their names: out of what speaks of them. Whom
-- people made gets no other names by that, unless it is the person, of whom they knew none.
UPDATE entities AS e SET aliases = g.aliases
FROM (
    SELECT o.id, (array(
        SELECT DISTINCT name COLLATE "C" FROM mentions AS m CROSS JOIN unnest(m.names) AS name
        WHERE m.tenant_id = %(tenant_id)s::uuid AND m.entity_id = o.id AND lower(name) <> lower(o.name)
        ORDER BY 1
    ))[1:%(most)s::integer] AS aliases
    FROM entities AS o
    WHERE o.tenant_id = %(tenant_id)s::uuid AND o.whose = %(whose)s::text
      AND (NOT o.by_hand OR o.name = o.user_id)
      AND (%(ids)s::uuid[] IS NULL OR o.id = ANY (%(ids)s::uuid[]))
) AS g
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id = g.id AND e.aliases <> g.aliases

-- name: delete_unheld_entities
-- A person's entities of which nothing tells any more, unless somebody made them.
DELETE FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.whose = %(whose)s::text AND NOT e.by_hand
  AND NOT EXISTS (SELECT FROM mentions AS m WHERE m.tenant_id = %(tenant_id)s::uuid AND m.entity_id = e.id)
  AND NOT EXISTS (SELECT FROM relations AS r WHERE r.tenant_id = %(tenant_id)s::uuid AND r.source_id = e.id)
  AND NOT EXISTS (SELECT FROM relations AS r WHERE r.tenant_id = %(tenant_id)s::uuid AND r.target_id = e.id)

-- name: entities_of_person
-- Every entity of a person ('' stands for nobody's: shared), merged or not.
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.whose = %(whose)s::text

-- name: names_of_person
-- What the person is called.
SELECT names FROM users WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text

-- name: keep_alike
-- Which names go together, for whoever asks for one of them.
UPDATE users SET alike = %(alike)s::jsonb
WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text AND alike <> %(alike)s::jsonb

-- name: settle_entity
-- An entity is the same as another one, or something of its own.
UPDATE entities SET merged_into = %(into)s::uuid
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid AND NOT settled

-- name: judge_entity
-- The same, by a person: nothing that is read later changes it.
UPDATE entities SET merged_into = %(into)s::uuid, settled = true
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: entities_named_in
-- What is called as only these memories call it, and whatever else speaks of it. What people made, put right or
-- merged stays.
SELECT e.id, array(
    SELECT memory_id FROM mentions AS o WHERE o.tenant_id = %(tenant_id)s::uuid AND o.entity_id = e.id
    UNION
    SELECT unnest(r.evidence) FROM relations AS r
    WHERE r.tenant_id = %(tenant_id)s::uuid AND (r.source_id = e.id OR r.target_id = e.id)) AS memories
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id <> ALL (%(persons)s::uuid[]) AND NOT e.by_hand AND NOT e.settled
  AND e.id = ANY (ARRAY(
    SELECT m.entity_id FROM mentions AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.memory_id = ANY (%(ids)s::uuid[])))
  AND NOT EXISTS (
    SELECT FROM mentions AS o
    WHERE o.tenant_id = %(tenant_id)s::uuid AND o.entity_id = e.id AND e.name = ANY (o.names)
      AND o.memory_id <> ALL (%(ids)s::uuid[]))

-- name: forget_sightings
-- These memories speak of nothing any more.
DELETE FROM mentions WHERE tenant_id = %(tenant_id)s::uuid AND memory_id = ANY (%(ids)s::uuid[])

-- name: delete_relations_of_memories
-- A person's relations that rest on these memories alone, or are what one of them says.
DELETE FROM relations AS r
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.whose = %(whose)s::text
  AND (r.id = ANY (%(ids)s::uuid[]) OR (cardinality(r.evidence) > 0 AND r.evidence <@ %(ids)s::uuid[]))

-- name: withdraw_evidence
-- A person's other relations, without what these memories say for them.
UPDATE relations AS r SET
    evidence = left_over.evidence, strength = log(2, 1 + cardinality(left_over.evidence))
FROM (
    SELECT o.id, array(SELECT one FROM unnest(o.evidence) AS one WHERE one <> ALL (%(ids)s::uuid[])) AS evidence
    FROM relations AS o
    WHERE o.tenant_id = %(tenant_id)s::uuid AND o.whose = %(whose)s::text AND o.evidence && %(ids)s::uuid[]
) AS left_over
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.id = left_over.id

-- name: entities_by_id
-- Those of the ids that the principal may see.
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id = ANY (%(ids)s::uuid[])

-- name: families
-- These entities, what they are merged into, and all that is merged into that. OFFSET 0 has each looked up by
-- itself: how many come is not known to the planner, who would rather read all that a tenant has.
WITH RECURSIVE up (id) AS (
    SELECT unnest(%(ids)s::uuid[])
    UNION
    SELECT o.merged_into FROM up CROSS JOIN LATERAL (
        SELECT e.merged_into FROM entities AS e
        WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id = up.id AND e.merged_into IS NOT NULL OFFSET 0) AS o
), down (id) AS (
    SELECT id FROM up
    UNION
    SELECT o.id FROM down CROSS JOIN LATERAL (
        SELECT e.id FROM entities AS e
        WHERE e.tenant_id = %(tenant_id)s::uuid AND e.merged_into = down.id OFFSET 0) AS o
)
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id = ANY (ARRAY(SELECT id FROM down))

-- name: entities_spoken_of
-- Whom and what a session's turns speak of.
SELECT DISTINCT n.entity_id AS id
FROM memories AS m
JOIN mentions AS n ON n.tenant_id = %(tenant_id)s::uuid AND n.memory_id = m.id
WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = %(session_id)s::text

-- name: list_entities_of_users
-- These users' entities ('' stands for nobody's: shared) that are merged into no other, after one of them.
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.whose = ANY (%(whose)s::text[]) AND e.id > %(after)s::uuid
  AND {listed}
ORDER BY e.id
LIMIT %(limit)s::integer

-- name: list_entities_of_tenant
-- The tenant's entities that are merged into no other, after one of them.
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id > %(after)s::uuid AND {listed}
ORDER BY e.id
LIMIT %(limit)s::integer

-- name: listed
-- Fragment: the entities of a list.
    (%(kinds)s::text[] IS NULL OR e.kind = ANY (%(kinds)s::text[]))
    AND (%(prefix)s::text IS NULL OR starts_with(lower(e.name), lower(%(prefix)s)) OR EXISTS (
        SELECT FROM unnest(e.aliases) AS alias WHERE starts_with(lower(alias), lower(%(prefix)s))))
    AND (e.merged_into IS NULL OR NOT EXISTS (
        SELECT FROM entities AS o WHERE o.tenant_id = %(tenant_id)s::uuid AND o.id = e.merged_into))

-- name: relations_around
-- What these entities are to others, and others to them; the strongest first, and of those as strong the newest.
SELECT {relation_columns}
FROM relations AS r
WHERE r.tenant_id = %(tenant_id)s::uuid
  AND (r.source_id = ANY (%(ids)s::uuid[]) OR r.target_id = ANY (%(ids)s::uuid[]))
  AND (%(whose)s::text[] IS NULL OR r.whose = ANY (%(whose)s::text[])) AND {holding}
ORDER BY r.strength * r.confidence DESC, r.valid_from DESC, r.id DESC
LIMIT %(limit)s::integer

-- name: newest_of_person
-- What is a person's, and what they and theirs are tied to by what holds: so many of each kind, the last tied first, or
-- known last; the best of every kind before the second of any, and these kinds before others. What was tied and is
-- no more is left out.
WITH ties AS MATERIALIZED (
    SELECT o.id, max(r.valid_from) FILTER (WHERE {holding}) AS since
    FROM relations AS r CROSS JOIN LATERAL (VALUES (r.source_id), (r.target_id)) AS o (id)
    WHERE r.tenant_id = %(tenant_id)s::uuid AND r.whose = %(whose)s::text
    GROUP BY o.id
)
SELECT n.id
FROM (
    SELECT e.id, e.kind, row_number() OVER (
        PARTITION BY e.kind ORDER BY coalesce(t.since, e.recorded_at) DESC, e.id DESC) AS place
    FROM entities AS e LEFT JOIN ties AS t ON t.id = e.id
    WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id = ANY (ARRAY(
        SELECT o.id FROM entities AS o WHERE o.tenant_id = %(tenant_id)s::uuid AND o.whose = %(whose)s::text
        UNION
        SELECT ties.id FROM ties))
      AND (t.since IS NOT NULL OR (t.id IS NULL AND e.merged_into IS NULL)) AND e.id <> ALL (%(persons)s::uuid[])
) AS n
WHERE n.place <= %(each)s::integer
ORDER BY (n.kind = ANY (%(first)s::text[])) DESC, n.place, n.kind
LIMIT %(limit)s::integer

-- name: relations_by_id
-- Those of the ids that the principal may see.
SELECT {relation_columns}
FROM relations AS r
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.id = ANY (%(ids)s::uuid[])

-- name: timeline
-- When memories spoke of these entities, and when what they are to others began and ended; the newest first.
-- What was taken back was never so.
SELECT o.at, o.what, o.id
FROM (
    SELECT m.at, 'mentioned' AS what, m.memory_id AS id
    FROM mentions AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.entity_id = ANY (%(ids)s::uuid[])
    UNION
    SELECT r.valid_from, 'began', r.id
    FROM relations AS r
    WHERE r.tenant_id = %(tenant_id)s::uuid
      AND (r.source_id = ANY (%(ids)s::uuid[]) OR r.target_id = ANY (%(ids)s::uuid[]))
      AND (r.superseded_at IS NULL OR r.valid_to IS NOT NULL)
    UNION
    SELECT r.valid_to, 'ended', r.id
    FROM relations AS r
    WHERE r.tenant_id = %(tenant_id)s::uuid
      AND (r.source_id = ANY (%(ids)s::uuid[]) OR r.target_id = ANY (%(ids)s::uuid[]))
      AND r.valid_to IS NOT NULL
) AS o
WHERE (o.at, o.what, o.id) < (%(at)s::timestamptz, %(what)s::text, %(id)s::uuid)
ORDER BY o.at DESC, o.what DESC, o.id DESC
LIMIT %(limit)s::integer

-- name: relations_made
-- What people say that entities are to others, by those with which it begins: to what is shared, very many lead.
SELECT {relation_columns}
FROM relations AS r
WHERE r.tenant_id = %(tenant_id)s::uuid AND r.source_id = ANY (%(sources)s::uuid[])
  AND ARRAY[r.target_id] <@ %(targets)s::uuid[] AND r.evidence = '{}'
ORDER BY r.id

-- name: search_of_users
-- These users' entities that are nearest to a query, those that it names first, and without a floor.
SELECT m.id, m.near, m.named
FROM (
    SELECT m.id, coalesce(1 - (m.embedding <=> {aim}), 0)::float8 AS near, {named} AS named
    FROM entities AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.whose = ANY (%(whose)s::text[])
      AND (%(kinds)s::text[] IS NULL OR m.kind = ANY (%(kinds)s::text[]))
) AS m
WHERE %(floor)s::float8 IS NULL OR m.near >= %(floor)s OR m.named
ORDER BY m.named DESC, m.near DESC, m.id
LIMIT %(limit)s::integer

-- name: search_of_tenant
-- The same of a tenant, among so many of its entities at most.
SELECT m.id, m.near, m.named
FROM (
    SELECT m.id, coalesce(1 - (m.embedding <=> {aim}), 0)::float8 AS near, {named} AS named
    FROM (
        SELECT e.* FROM entities AS e
        WHERE e.tenant_id = %(tenant_id)s::uuid AND (%(kinds)s::text[] IS NULL OR e.kind = ANY (%(kinds)s::text[]))
        LIMIT %(most)s::integer
    ) AS m
) AS m
WHERE %(floor)s::float8 IS NULL OR m.near >= %(floor)s OR m.named
ORDER BY m.named DESC, m.near DESC, m.id
LIMIT %(limit)s::integer

-- name: entities_named
-- These users' entities that may be called so: by the words, not yet by what is the same in a name.
SELECT {entity_columns}
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.whose = ANY (%(whose)s::text[])
  AND {called}
ORDER BY e.id
LIMIT %(limit)s::integer

-- name: called
-- Fragment: whether an entity has one of the names, or one as its alias, in small letters.
    (lower(e.name) = ANY (%(names)s::text[]) OR EXISTS (
        SELECT FROM unnest(e.aliases) AS alias WHERE lower(alias) = ANY (%(names)s::text[])))

-- name: named
-- Fragment: whether the query says the name, or an alias. The names are many: IN has them hashed.
    (lower(m.name) IN (SELECT unnest(%(names)s::text[])) OR (m.aliases <> '{}' AND EXISTS (
        SELECT FROM unnest(m.aliases) AS alias WHERE lower(alias) IN (SELECT unnest(%(names)s::text[])))))

-- name: make_entity
-- An entity that a person makes, or makes anew.
INSERT INTO entities (tenant_id, id, user_id, kind, name, aliases, attributes, description, embedding_model,
                      embedding, min_role, by_hand, recorded_at)
VALUES (%(tenant_id)s::uuid, %(id)s::uuid, %(user_id)s::text, %(kind)s::text, %(name)s::text, %(aliases)s::text[],
        %(attributes)s::jsonb, %(description)s::text, %(model)s::smallint, %(embedding)s::halfvec,
        %(min_role)s::smallint, true, %(recorded_at)s::timestamptz)
ON CONFLICT (tenant_id, id) DO UPDATE SET
    kind = excluded.kind, name = excluded.name, aliases = excluded.aliases, attributes = excluded.attributes,
    description = excluded.description, embedding_model = excluded.embedding_model,
    embedding = excluded.embedding, by_hand = true

-- name: change_entity
-- What a person puts right of an entity.
UPDATE entities SET
    kind = %(kind)s::text, name = %(name)s::text, aliases = %(aliases)s::text[],
    attributes = %(attributes)s::jsonb, description = %(description)s::text,
    embedding_model = %(model)s::smallint, embedding = %(embedding)s::halfvec, by_hand = true
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: delete_entities
-- These entities, with all that they are to others.
DELETE FROM entities WHERE tenant_id = %(tenant_id)s::uuid AND id = ANY (%(ids)s::uuid[])

-- name: delete_relation
-- One relation.
DELETE FROM relations WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: delete_entities_of_user
-- Whom and what a person spoke of.
DELETE FROM entities WHERE tenant_id = %(tenant_id)s::uuid AND whose = %(user_id)s::text

-- name: entities_of_model
-- A tenant's next entities with vectors of this model.
SELECT e.id, e.name, e.description
FROM entities AS e
WHERE e.tenant_id = %(tenant_id)s::uuid AND e.id > %(after)s::uuid AND e.embedding_model = %(model)s::smallint
ORDER BY e.id
LIMIT %(limit)s::integer

-- name: replace_entity_vector
-- A new vector, unless the entity is called or described otherwise meanwhile.
UPDATE entities SET embedding_model = %(model)s::smallint, embedding = %(embedding)s::halfvec
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid AND name = %(name)s::text
  AND description = %(description)s::text
