-- Who may see which row: decided here, by the database, for every statement of the application's role.
-- The settings are local to a transaction; unset, they read as NULL or '', and nothing is visible.
-- A policy calls the functions plainly, not in a sub-select, which a sharding extension cannot carry along.

CREATE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.tenant', true), '')::uuid;

CREATE FUNCTION current_rank() RETURNS smallint LANGUAGE sql STABLE PARALLEL SAFE
RETURN coalesce(nullif(current_setting('app.role', true), ''), '0')::smallint;

-- The one person whom a principal of the lowest rank is; NULL for every other principal.
CREATE FUNCTION current_subject() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.subject', true), '');

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON tenants TO recollect_app
    USING (tenant_id = current_tenant()) WITH CHECK (tenant_id = current_tenant());
-- The owner alone sees which tenants there are.
CREATE POLICY roll ON tenants FOR SELECT TO CURRENT_USER USING (true);

ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON api_keys TO recollect_app
    USING (tenant_id = current_tenant() AND current_rank() = 3)
    WITH CHECK (tenant_id = current_tenant() AND current_rank() = 3);

ALTER TABLE users ENABLE ROW LEVEL SECURITY;
ALTER TABLE users FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON users TO recollect_app
    USING (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()))
    WITH CHECK (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()));

ALTER TABLE sessions ENABLE ROW LEVEL SECURITY;
ALTER TABLE sessions FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON sessions TO recollect_app
    USING (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()))
    WITH CHECK (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()));

-- A person reads what is theirs and what the tenant shares, up to their rank, and writes only what is theirs.
ALTER TABLE memories ENABLE ROW LEVEL SECURITY;
ALTER TABLE memories FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON memories TO recollect_app
    USING (tenant_id = current_tenant() AND min_role <= current_rank()
           AND (current_rank() > 0 OR user_id = current_subject() OR user_id IS NULL))
    WITH CHECK (tenant_id = current_tenant() AND min_role <= current_rank()
                AND (current_rank() > 0 OR user_id = current_subject()));
CREATE POLICY own_deletes ON memories AS RESTRICTIVE FOR DELETE TO recollect_app
    USING (current_rank() > 0 OR user_id = current_subject());

ALTER TABLE idempotency ENABLE ROW LEVEL SECURITY;
ALTER TABLE idempotency FORCE ROW LEVEL SECURITY;
CREATE POLICY fence ON idempotency TO recollect_app
    USING (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()))
    WITH CHECK (tenant_id = current_tenant() AND (current_rank() > 0 OR user_id = current_subject()));

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

GRANT SELECT, INSERT ON tenants TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON api_keys, users, sessions, memories, idempotency TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON entities, relations, mentions TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON language_budgets, language_costs TO recollect_app;
GRANT SELECT, INSERT, DELETE ON tenant_packs TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON accesses TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON embedding_models TO recollect_app;
GRANT SELECT ON schema_migrations TO recollect_app;
