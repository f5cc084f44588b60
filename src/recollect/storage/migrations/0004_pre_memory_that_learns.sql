-- What was said is understood: facts in parts, a graph, summaries, and what language models cost.
-- The version before goes on writing: to it every new column is unknown, and has a default.

ALTER TABLE sessions
    ADD key uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD consolidated_seq integer NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX sessions_by_key ON sessions (tenant_id, key);
CREATE INDEX sessions_behind ON sessions (tenant_id, session_id) WHERE consolidated_seq < last_seq;

ALTER TABLE users ADD alike jsonb NOT NULL DEFAULT '[]';

ALTER TABLE memories
    ADD subject text,
    ADD attribute text,
    ADD claim jsonb,
    ADD standing text CHECK (standing IN ('confirmed', 'rejected', 'disputed')),
    DROP CONSTRAINT memories_check1,
    ADD CHECK (seq IS NULL OR session_id IS NOT NULL),
    ADD CHECK ((subject IS NULL) = (claim IS NULL) AND (attribute IS NULL) = (claim IS NULL));
CREATE INDEX facts_of_user ON memories (tenant_id, whose, subject, attribute, id) WHERE subject IS NOT NULL;
CREATE INDEX derived_of_user ON memories (tenant_id, whose, id) WHERE cardinality(evidence) > 0;

-- Somebody or something that is spoken of. No user: the tenant's own. `merged_into`: the entity that it was found
-- to be; it keeps its rows, so that it can be told apart again.
-- `by_hand`: a person made it, or put it right. `settled`: a person has said what it is merged into, or that it is
-- something of its own.
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
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, user_id)
);
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

-- The graph is fenced as the memories are that it was read from.
ALTER TABLE entities ENABLE ROW LEVEL SECURITY;
ALTER TABLE entities FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON entities TO recollect_app
    USING (tenant_id = current_tenant() AND min_role <= current_rank()
           AND (current_rank() > 0 OR user_id = current_subject() OR user_id IS NULL))
    WITH CHECK (tenant_id = current_tenant() AND min_role <= current_rank()
                AND (current_rank() > 0 OR user_id = current_subject()));
CREATE POLICY own_deletes ON entities AS RESTRICTIVE FOR DELETE TO recollect_app
    USING (current_rank() > 0 OR user_id = current_subject());

ALTER TABLE relations ENABLE ROW LEVEL SECURITY;
ALTER TABLE relations FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON relations TO recollect_app
    USING (tenant_id = current_tenant() AND min_role <= current_rank()
           AND (current_rank() > 0 OR user_id = current_subject() OR user_id IS NULL))
    WITH CHECK (tenant_id = current_tenant() AND min_role <= current_rank()
                AND (current_rank() > 0 OR user_id = current_subject()));
CREATE POLICY own_deletes ON relations AS RESTRICTIVE FOR DELETE TO recollect_app
    USING (current_rank() > 0 OR user_id = current_subject());

ALTER TABLE mentions ENABLE ROW LEVEL SECURITY;
ALTER TABLE mentions FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON mentions TO recollect_app
    USING (tenant_id = current_tenant() AND min_role <= current_rank()
           AND (current_rank() > 0 OR user_id = current_subject() OR user_id IS NULL))
    WITH CHECK (tenant_id = current_tenant() AND min_role <= current_rank()
                AND (current_rank() > 0 OR user_id = current_subject()));
CREATE POLICY own_deletes ON mentions AS RESTRICTIVE FOR DELETE TO recollect_app
    USING (current_rank() > 0 OR user_id = current_subject());

-- What language models may cost, and did, is the business's own affair.
ALTER TABLE language_budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE language_budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON language_budgets TO recollect_app
    USING (tenant_id = current_tenant() AND current_rank() = 3)
    WITH CHECK (tenant_id = current_tenant() AND current_rank() = 3);

ALTER TABLE language_costs ENABLE ROW LEVEL SECURITY;
ALTER TABLE language_costs FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON language_costs TO recollect_app
    USING (tenant_id = current_tenant() AND current_rank() = 3)
    WITH CHECK (tenant_id = current_tenant() AND current_rank() = 3);

GRANT SELECT, INSERT, UPDATE, DELETE ON entities, relations, mentions TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON language_budgets, language_costs TO recollect_app;
