-- name: job_of_session
-- Fragment: what the queue is told of a session, which has no text in it. Nobody's sessions do not wait for each
-- other, a person's do: what stands there of the person is a number.
INSERT INTO jobs.procrastinate_jobs AS j (queue_name, task_name, lock, queueing_lock, args, scheduled_at)
SELECT 'recollect', 'consolidate',
    s.tenant_id::text || ':' || coalesce(hashtextextended(s.user_id, 0)::text, s.key::text), s.key::text,
    jsonb_build_object('tenant_id', s.tenant_id, 'session_key', s.key),
    now() + make_interval(secs => %(due_in)s::float8)
FROM sessions AS s

-- name: unless_it_waits
-- Fragment: whoever waits already does it. It is locked, so that no worker takes it before this is committed and
-- misses what this writes.
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET lock = j.lock WHERE false

-- name: enqueue_session
-- A job for the session that was just written to.
{job_of_session}
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.session_id = %(session_id)s::text
{unless_it_waits}

-- name: enqueue_now
-- A job for the session, due now, if it is behind; whoever waits is hurried.
{job_of_session}
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.session_id = %(session_id)s::text
  AND s.consolidated_seq < s.last_seq
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO UPDATE SET scheduled_at = excluded.scheduled_at

-- name: enqueue_reopened
-- Jobs for this session and those of these turns, which are to be understood anew.
{job_of_session}
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.consolidated_seq < s.last_seq
  AND (s.session_id = %(session_id)s::text OR s.session_id = ANY (ARRAY(
    SELECT m.session_id FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.id = ANY (%(ids)s::uuid[]))))
{unless_it_waits}

-- name: enqueue_behind
-- Jobs for all sessions that are behind and have none: they are older than the queue, or their job is gone.
{job_of_session}
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.consolidated_seq < s.last_seq
  AND NOT EXISTS (SELECT FROM jobs.procrastinate_jobs AS o
                  WHERE o.tenant_id = %(tenant_id)s::uuid AND o.session_key = s.key)
{unless_it_waits}

-- name: enqueue_tidying
-- The tenant's housekeeping, unless it waits already.
INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, queueing_lock, args, scheduled_at)
SELECT 'recollect', 'tidy', 'tidy:' || id, 'tidy:' || id, jsonb_build_object('tenant_id', id),
    now() + make_interval(secs => %(due_in)s::float8)
FROM (SELECT %(tenant_id)s::uuid AS id) AS tenant
ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING

-- name: delete_old_requests
-- Requests that nobody will repeat any more.
DELETE FROM idempotency
WHERE tenant_id = %(tenant_id)s::uuid AND created_at < now() - make_interval(days => %(days)s::integer)

-- name: has_requests
-- Whether the tenant has requests that may be repeated.
SELECT FROM idempotency WHERE tenant_id = %(tenant_id)s::uuid LIMIT 1

-- name: delete_lost_jobs
-- Parked jobs of sessions that were forgotten.
DELETE FROM jobs.procrastinate_jobs AS j
WHERE j.tenant_id = %(tenant_id)s::uuid AND j.status = 'failed' AND j.session_key IS NOT NULL
  AND NOT EXISTS (SELECT FROM sessions AS s
                  WHERE s.tenant_id = %(tenant_id)s::uuid AND s.key = j.session_key)

-- name: backlog
-- What is not understood yet, and since when the oldest of it was known.
SELECT count(*) AS sessions, coalesce(sum(s.last_seq - s.consolidated_seq), 0)::bigint AS messages,
    min(next.recorded_at) AS since
FROM sessions AS s
LEFT JOIN LATERAL (
    SELECT m.recorded_at FROM memories AS m
    WHERE m.tenant_id = %(tenant_id)s::uuid AND m.session_id = s.session_id AND m.seq > s.consolidated_seq
    ORDER BY m.seq LIMIT 1
) AS next ON true
WHERE s.tenant_id = %(tenant_id)s::uuid AND s.consolidated_seq < s.last_seq

-- name: job_counts
-- The tenant's jobs that concern sessions, by their state.
SELECT count(*) FILTER (WHERE status = 'todo' AND attempts = 0) AS waiting,
    count(*) FILTER (WHERE status = 'doing') AS running,
    count(*) FILTER (WHERE status = 'todo' AND attempts > 0) AS retrying,
    count(*) FILTER (WHERE status = 'failed') AS parked
FROM jobs.procrastinate_jobs
WHERE tenant_id = %(tenant_id)s::uuid AND session_key IS NOT NULL

-- name: parked_jobs
-- Jobs that were given up, those parked last first.
SELECT j.id, s.session_id, s.user_id, j.attempts, coalesce(j.reason, '') AS reason, j.failed_at
FROM jobs.procrastinate_jobs AS j
JOIN sessions AS s ON s.tenant_id = %(tenant_id)s::uuid AND s.key = j.session_key
WHERE j.tenant_id = %(tenant_id)s::uuid AND j.status = 'failed' AND j.id < %(before)s::bigint
ORDER BY j.id DESC
LIMIT %(limit)s::integer

-- name: retry_parked
-- This parked job, or all of them, from the start.
UPDATE jobs.procrastinate_jobs
SET status = 'todo', attempts = 0, priority = 0, scheduled_at = NULL, worker_id = NULL
WHERE tenant_id = %(tenant_id)s::uuid AND status = 'failed' AND (%(id)s::bigint IS NULL OR id = %(id)s)

-- name: note_failure
-- Why a job did not go well, in words that have nothing of what is remembered.
UPDATE jobs.procrastinate_jobs SET reason = %(reason)s::text, failed_at = now()
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::bigint

-- name: delete_parked
-- A session's parked jobs, which this one of the same session has made needless.
DELETE FROM jobs.procrastinate_jobs
WHERE tenant_id = %(tenant_id)s::uuid AND session_key = %(session_key)s::uuid AND status = 'failed'
  AND id <> %(id)s::bigint

-- name: session_key
-- What a job knows the session by.
SELECT key FROM sessions WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text

-- name: hurry_jobs
-- Whatever waits for its time, of whatever tenant, is due now; what failed goes on waiting.
UPDATE jobs.procrastinate_jobs SET scheduled_at = NULL
WHERE status = 'todo' AND attempts = 0 AND task_name = 'consolidate'
