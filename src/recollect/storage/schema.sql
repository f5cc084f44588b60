-- The schema as it stands today. Old databases arrive here by migrations/; a test proves the two equal.
-- Every primary key, unique index and foreign key of a tenant's rows starts with tenant_id, so that PostgreSQL
-- can shard by it; what belongs to no tenant is on every shard.
-- Ids that people chose (user, agent, session) are kept as they came; ids of rows are UUIDv7, made by us.

CREATE EXTENSION IF NOT EXISTS vector;

-- Which models the vectors were made by: one serves, and during a change of model one retires.
CREATE TABLE embedding_models (
    id          smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    name        text NOT NULL UNIQUE,
    dimensions  integer NOT NULL CHECK (dimensions > 0),
    state       text NOT NULL CHECK (state IN ('serving', 'retiring'))
);
CREATE UNIQUE INDEX embedding_models_state ON embedding_models (state);

CREATE TABLE tenants (
    tenant_id   uuid PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The secret itself is shown once and never kept; the key carries tenant and id, so finding it is one read.
CREATE TABLE api_keys (
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id           uuid NOT NULL,
    name         text NOT NULL,
    secret_hash  bytea NOT NULL CHECK (length(secret_hash) = 32),
    role         smallint NOT NULL CHECK (role BETWEEN 0 AND 3),
    permissions  text[] NOT NULL,
    user_id      text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz,
    revoked_at   timestamptz,
    PRIMARY KEY (tenant_id, id),
    CHECK ((role = 0) = (user_id IS NOT NULL))
);

-- A person remembered. `participants`: the names heard in the person's sessions, the agents' included. `alike`: the
-- names of each entity of theirs that has several, a list for each.
CREATE TABLE users (
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    user_id       text NOT NULL CHECK (length(user_id) BETWEEN 1 AND 200),
    names         text[] NOT NULL DEFAULT '{}',
    participants  text[] NOT NULL DEFAULT '{}',
    attributes    jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    alike         jsonb NOT NULL DEFAULT '[]',
    PRIMARY KEY (tenant_id, user_id)
);

-- One conversation. `last_seq` numbers its turns; the row's lock puts concurrent writers in line. Up to
-- `consolidated_seq` its turns have been understood. `key` is what a job knows it by: it says nothing of anybody.
CREATE TABLE sessions (
    tenant_id     uuid NOT NULL,
    session_id    text NOT NULL CHECK (length(session_id) BETWEEN 1 AND 200),
    user_id       text,
    agent_id      text,
    participants  text[] NOT NULL DEFAULT '{}',
    attributes    jsonb NOT NULL DEFAULT '{}',
    created_at    timestamptz NOT NULL DEFAULT now(),
    last_seq      integer NOT NULL DEFAULT 0,
    key           uuid NOT NULL DEFAULT gen_random_uuid(),
    consolidated_seq  integer NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, session_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);
CREATE INDEX sessions_of_user ON sessions (tenant_id, user_id, created_at);
CREATE UNIQUE INDEX sessions_by_key ON sessions (tenant_id, key);
CREATE INDEX sessions_behind ON sessions (tenant_id, session_id) WHERE consolidated_seq < last_seq;

-- Everything remembered. No user: shared by the tenant. `whose` is the user, or '': a column, since row level
-- security keeps an expression like coalesce() out of an index condition.
-- `embedding` is the turn without its participants' names, `window_embedding` the turn after the one before it.
-- `words`: of each distinct token the first 4 bytes of its SHA-256; `counts`: how often it stands there, a byte
-- each, 255 at most. `mentions`: the times that the text speaks of, pairs of float8 in seconds since the epoch.
-- `subject`, `attribute`: of a fact that was understood, whom it is about and what it tells of them; `claim`: all
-- its parts. A row with a session and without a place in it was made from that session.
-- `features`: what else is ranked by, as storage/gathering.py reads it, joined here because a recall of a thousand
-- rows would spend more on making it than on comparing their vectors.
CREATE TABLE memories (
    tenant_id         uuid NOT NULL,
    id                uuid NOT NULL,
    kind              text NOT NULL,
    user_id           text,
    whose             text NOT NULL GENERATED ALWAYS AS (coalesce(user_id, '')) STORED,
    agent_id          text,
    session_id        text,
    seq               integer,
    role              text,
    name              text,
    content           text NOT NULL,
    data              jsonb NOT NULL DEFAULT '{}',
    embedding_model   smallint NOT NULL REFERENCES embedding_models,
    embedding         halfvec NOT NULL,
    window_embedding  halfvec,
    term_count        integer NOT NULL,
    importance        real NOT NULL DEFAULT 0.5 CHECK (importance BETWEEN 0 AND 1),
    confidence        real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    trust             smallint NOT NULL CHECK (trust BETWEEN 0 AND 4),
    min_role          smallint NOT NULL DEFAULT 0 CHECK (min_role BETWEEN 0 AND 3),
    pinned            boolean NOT NULL DEFAULT false,
    valid_from        timestamptz NOT NULL,
    valid_to          timestamptz CHECK (valid_to > valid_from),
    recorded_at       timestamptz NOT NULL DEFAULT now(),
    superseded_at     timestamptz,
    superseded_by     uuid,
    expires_at        timestamptz,
    evidence          uuid[] NOT NULL DEFAULT '{}',
    source            jsonb NOT NULL DEFAULT '{}',
    words             bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    counts            bytea STORAGE EXTERNAL NOT NULL DEFAULT '',
    traits            smallint NOT NULL DEFAULT 0,
    mentions          bytea NOT NULL DEFAULT '',
    features          bytea NOT NULL GENERATED ALWAYS AS (
        uuid_send(id) || int8send(hashtextextended(coalesce(session_id, ''), 0)) || timestamptz_send(valid_from)
        || int4send(coalesce(seq, 0)) || int4send(term_count) || int4send(length(words))
        || int4send(length(mentions)) || int2send(traits)
        || int2send(CASE role WHEN 'user' THEN 1 WHEN 'assistant' THEN 2 ELSE 0 END::smallint)) STORED,
    subject           text,
    attribute         text,
    claim             jsonb,
    standing          text CHECK (standing IN ('confirmed', 'rejected', 'disputed')),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES sessions (tenant_id, session_id),
    CHECK (seq IS NULL OR session_id IS NOT NULL),
    CHECK ((subject IS NULL) = (claim IS NULL) AND (attribute IS NULL) = (claim IS NULL))
) WITH (toast_tuple_target = 8160);  -- keeps a row's vectors beside it: every recall reads them all
CREATE INDEX memories_of_user ON memories (tenant_id, whose, id);
CREATE UNIQUE INDEX memories_of_session ON memories (tenant_id, session_id, seq);
CREATE INDEX facts_of_user ON memories (tenant_id, whose, subject, attribute, id) WHERE subject IS NOT NULL;
CREATE INDEX derived_of_user ON memories (tenant_id, whose, id) WHERE cardinality(evidence) > 0;
CREATE INDEX notes_of_user ON memories (tenant_id, whose, id) WHERE session_id IS NULL AND subject IS NULL;

-- Somebody or something that is spoken of. No user: the tenant's own. `merged_into`: the entity that it was found
-- to be; it keeps its rows, so that it can be told apart again.
-- `by_hand`: a person made it, or put it right. `settled`: a person has said what it is merged into, or that it is
-- something of its own. Embedded is the name, with the `description` if there is one.
CREATE TABLE entities (
    tenant_id        uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    id               uuid NOT NULL,
    user_id          text,
    whose            text NOT NULL GENERATED ALWAYS AS (coalesce(user_id, '')) STORED,
    kind             text NOT NULL CHECK (length(kind) BETWEEN 1 AND 63),
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    aliases          text[] NOT NULL DEFAULT '{}',
    attributes       jsonb NOT NULL DEFAULT '{}',
    embedding_model  smallint NOT NULL REFERENCES embedding_models,
    embedding        halfvec NOT NULL,
    min_role         smallint NOT NULL DEFAULT 0 CHECK (min_role BETWEEN 0 AND 3),
    merged_into      uuid CHECK (merged_into <> id),
    by_hand          boolean NOT NULL DEFAULT false,
    settled          boolean NOT NULL DEFAULT false,
    recorded_at      timestamptz NOT NULL DEFAULT now(),
    description      text NOT NULL DEFAULT '' CHECK (length(description) <= 2000),
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
) WITH (toast_tuple_target = 8160);  -- as of memories: every search of entities reads their vectors
CREATE INDEX entities_of_user ON entities (tenant_id, whose, id);
CREATE INDEX entities_merged ON entities (tenant_id, merged_into) WHERE merged_into IS NOT NULL;

-- What one entity is to another, and since when. `evidence`: the memories that say so.
CREATE TABLE relations (
    tenant_id      uuid NOT NULL,
    id             uuid NOT NULL,
    user_id        text,
    whose          text NOT NULL GENERATED ALWAYS AS (coalesce(user_id, '')) STORED,
    source_id      uuid NOT NULL,
    target_id      uuid NOT NULL,
    kind           text NOT NULL CHECK (length(kind) BETWEEN 1 AND 200),
    strength       real NOT NULL DEFAULT 1 CHECK (strength >= 0),
    confidence     real NOT NULL DEFAULT 1 CHECK (confidence BETWEEN 0 AND 1),
    min_role       smallint NOT NULL DEFAULT 0 CHECK (min_role BETWEEN 0 AND 3),
    valid_from     timestamptz NOT NULL,
    valid_to       timestamptz CHECK (valid_to > valid_from),
    recorded_at    timestamptz NOT NULL DEFAULT now(),
    superseded_at  timestamptz,
    evidence       uuid[] NOT NULL DEFAULT '{}',
    attributes     jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id),
    FOREIGN KEY (tenant_id, source_id) REFERENCES entities (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, target_id) REFERENCES entities (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX relations_of_user ON relations (tenant_id, whose, id);
CREATE INDEX relations_from ON relations (tenant_id, source_id);
CREATE INDEX relations_to ON relations (tenant_id, target_id);

-- Which memory speaks of which entity, by which names, and when that was said.
CREATE TABLE mentions (
    tenant_id  uuid NOT NULL,
    entity_id  uuid NOT NULL,
    memory_id  uuid NOT NULL,
    user_id    text,
    whose      text NOT NULL GENERATED ALWAYS AS (coalesce(user_id, '')) STORED,
    min_role   smallint NOT NULL DEFAULT 0 CHECK (min_role BETWEEN 0 AND 3),
    at         timestamptz NOT NULL,
    names      text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (tenant_id, entity_id, memory_id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id),
    FOREIGN KEY (tenant_id, entity_id) REFERENCES entities (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memories (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX mentions_of_user ON mentions (tenant_id, whose);
CREATE INDEX mentions_by_memory ON mentions (tenant_id, memory_id);

-- How often a memory was recalled, and when last. `user_id`: whose the memory is; none: the tenant's own.
CREATE TABLE accesses (
    tenant_id  uuid NOT NULL,
    memory_id  uuid NOT NULL,
    user_id    text,
    count      bigint NOT NULL CHECK (count > 0),
    last_at    timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, memory_id),
    FOREIGN KEY (tenant_id, memory_id) REFERENCES memories (tenant_id, id) ON DELETE CASCADE
);

-- Which packs a tenant has turned on, by their names.
CREATE TABLE tenant_packs (
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    pack          text NOT NULL CHECK (length(pack) BETWEEN 1 AND 63),
    turned_on_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, pack)
);

-- What a tenant lets language models cost in a month, in US dollars; none: nothing is asked of any.
CREATE TABLE language_budgets (
    tenant_id     uuid PRIMARY KEY REFERENCES tenants ON DELETE CASCADE,
    monthly_cost  numeric(12, 6) NOT NULL CHECK (monthly_cost >= 0)
);

-- What they cost. `month`: its first day. `reserved`: for calls under way, at most.
CREATE TABLE language_costs (
    tenant_id      uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    month          date NOT NULL,
    model          text NOT NULL CHECK (length(model) BETWEEN 1 AND 200),
    calls          bigint NOT NULL DEFAULT 0,
    failures       bigint NOT NULL DEFAULT 0,
    input_tokens   bigint NOT NULL DEFAULT 0,
    output_tokens  bigint NOT NULL DEFAULT 0,
    cost           numeric(12, 6) NOT NULL DEFAULT 0,
    reserved       numeric(12, 6) NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, month, model)
);

-- What a request with this key has done already, so that repeating it changes nothing.
CREATE TABLE idempotency (
    tenant_id    uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    fingerprint  bytea NOT NULL,
    user_id      text,
    session_id   text,
    result       jsonb NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX idempotency_of_user ON idempotency (tenant_id, user_id);
CREATE INDEX idempotency_of_session ON idempotency (tenant_id, session_id);

-- Whether a memory's metadata passes every condition [{"path", "operator", "value"}].
-- A key that is absent passes only `ne`, and `exists` false.
CREATE FUNCTION passes(data jsonb, conditions jsonb) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN NOT EXISTS (
    SELECT FROM jsonb_to_recordset(conditions) AS given(path text[], operator text, value jsonb)
    CROSS JOIN LATERAL (SELECT path, operator, coalesce(value, 'null') AS value) AS c  -- JSON's null is a value
    WHERE (CASE c.operator
        WHEN 'eq' THEN data #> c.path = c.value
        WHEN 'ne' THEN data #> c.path IS DISTINCT FROM c.value
        WHEN 'in' THEN data #> c.path = ANY (ARRAY(SELECT jsonb_array_elements(c.value)))
        WHEN 'contains' THEN data #> c.path @> c.value
        WHEN 'exists' THEN (data #> c.path IS NOT NULL) = (c.value = 'true'::jsonb)
        WHEN 'gt' THEN jsonb_typeof(data #> c.path) = jsonb_typeof(c.value) AND data #> c.path > c.value
        WHEN 'gte' THEN jsonb_typeof(data #> c.path) = jsonb_typeof(c.value) AND data #> c.path >= c.value
        WHEN 'lt' THEN jsonb_typeof(data #> c.path) = jsonb_typeof(c.value) AND data #> c.path < c.value
        WHEN 'lte' THEN jsonb_typeof(data #> c.path) = jsonb_typeof(c.value) AND data #> c.path <= c.value
    END) IS NOT TRUE
);
