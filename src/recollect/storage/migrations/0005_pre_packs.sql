-- Packs, and how often a memory was recalled.
-- The version before goes on writing: to it every new column is unknown, and has a default.

-- Which packs a tenant has turned on, by their names.
CREATE TABLE tenant_packs (
    tenant_id     uuid NOT NULL REFERENCES tenants ON DELETE CASCADE,
    pack          text NOT NULL CHECK (length(pack) BETWEEN 1 AND 63),
    turned_on_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, pack)
);

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

-- What was kept of somebody that nobody said in a session.
CREATE INDEX notes_of_user ON memories (tenant_id, whose, id) WHERE session_id IS NULL AND subject IS NULL;

-- Which packs are on, everybody in the business may know; the owner turns them on and off.
ALTER TABLE tenant_packs ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant_packs FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON tenant_packs TO recollect_app
    USING (tenant_id = current_tenant())
    WITH CHECK (tenant_id = current_tenant() AND current_rank() = 3);
CREATE POLICY owner_deletes ON tenant_packs AS RESTRICTIVE FOR DELETE TO recollect_app
    USING (current_rank() = 3);

ALTER TABLE accesses ENABLE ROW LEVEL SECURITY;
ALTER TABLE accesses FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON accesses TO recollect_app
    USING (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()))
    WITH CHECK (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()));

GRANT SELECT, INSERT, DELETE ON tenant_packs TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON accesses TO recollect_app;
