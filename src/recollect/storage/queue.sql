-- What Recollect adds to the queue's own schema, which a library brings. It is run after that schema is made, and
-- after every upgrade of it, and changes nothing when it is run again.
-- A job of a tenant names it in its arguments, and the session that it is about by its key alone: there is no text
-- in the queue, and nothing of whoever is remembered.
ALTER TABLE procrastinate_jobs
    ADD COLUMN IF NOT EXISTS tenant_id uuid GENERATED ALWAYS AS ((args ->> 'tenant_id')::uuid) STORED,
    ADD COLUMN IF NOT EXISTS session_key uuid GENERATED ALWAYS AS ((args ->> 'session_key')::uuid) STORED,
    ADD COLUMN IF NOT EXISTS reason text,
    ADD COLUMN IF NOT EXISTS failed_at timestamptz;
CREATE INDEX IF NOT EXISTS jobs_of_tenant ON procrastinate_jobs (tenant_id, session_key);
CREATE INDEX IF NOT EXISTS jobs_parked ON procrastinate_jobs (tenant_id, id) WHERE status = 'failed';

-- Inside a tenant there are only its own jobs. A worker looks for jobs outside of any, where it sees nothing else.
ALTER TABLE procrastinate_jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE procrastinate_jobs FORCE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS fence ON procrastinate_jobs;
CREATE POLICY fence ON procrastinate_jobs TO recollect_app
    USING (public.current_tenant() IS NULL OR tenant_id = public.current_tenant())
    WITH CHECK (public.current_tenant() IS NULL OR tenant_id = public.current_tenant());

-- A job that runs leaves its place in the queue to the next: what is written meanwhile makes another one, and it
-- can itself be put back, whoever else waits.
CREATE OR REPLACE FUNCTION leave_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.queueing_lock := NULL;
    RETURN NEW;
END
$$;
CREATE OR REPLACE TRIGGER leave_place BEFORE UPDATE OF status ON procrastinate_jobs
    FOR EACH ROW WHEN (NEW.status = 'doing') EXECUTE FUNCTION leave_place();

-- The functions find their tables whatever the connection's search_path is. Nobody is notified of new jobs, which
-- fall due later and are looked for then: NOTIFY would put all commits in one line. Nor is a diary of jobs kept.
DO $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'jobs'::regnamespace LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = jobs, pg_temp', name);
    END LOOP;
    FOR name IN SELECT t.tgname FROM pg_trigger AS t JOIN pg_proc AS f ON f.oid = t.tgfoid
        WHERE t.tgrelid = 'procrastinate_jobs'::regclass
          AND (f.proname LIKE 'procrastinate\_notify\_queue\_job\_inserted%'
               OR f.proname LIKE 'procrastinate\_trigger%\_events\_%') LOOP
        EXECUTE format('ALTER TABLE procrastinate_jobs DISABLE TRIGGER %I', name);
    END LOOP;
END
$$;

GRANT USAGE ON SCHEMA jobs TO recollect_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_jobs, procrastinate_workers TO recollect_app;
GRANT SELECT, UPDATE ON procrastinate_periodic_defers TO recollect_app;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_workers_id_seq TO recollect_app;
GRANT SELECT ON migrations TO recollect_app;
