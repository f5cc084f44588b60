-- name: create_tenant
-- A business; a name that is taken changes nothing.
INSERT INTO tenants (tenant_id, name) VALUES (%(tenant_id)s::uuid, %(name)s::text)
ON CONFLICT (tenant_id) DO NOTHING
RETURNING tenant_id, name, created_at

-- name: tenant
-- The principal's own tenant.
SELECT tenant_id, name, created_at FROM tenants WHERE tenant_id = %(tenant_id)s::uuid

-- name: list_tenants
-- Every tenant; only the owner of the tables sees more than none.
SELECT tenant_id, name, created_at FROM tenants ORDER BY name

-- name: create_key
-- An API key; of its secret only the hash.
INSERT INTO api_keys (tenant_id, id, name, secret_hash, role, permissions, user_id, expires_at)
VALUES (%(tenant_id)s::uuid, %(id)s::uuid, %(name)s::text, %(secret_hash)s::bytea, %(role)s::smallint,
        %(permissions)s::text[], %(user_id)s::text, %(expires_at)s::timestamptz)
RETURNING tenant_id, id, name, role, permissions, user_id, created_at, expires_at, revoked_at

-- name: key
-- One key by its id: the whole look-up of a request.
SELECT tenant_id, id, name, role, permissions, user_id, created_at, expires_at, revoked_at, secret_hash
FROM api_keys WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: list_keys
-- The tenant's keys, the newest first.
SELECT tenant_id, id, name, role, permissions, user_id, created_at, expires_at, revoked_at
FROM api_keys WHERE tenant_id = %(tenant_id)s::uuid ORDER BY id DESC

-- name: revoke_key
-- The key stops to be one; a second time changes nothing.
UPDATE api_keys SET revoked_at = coalesce(revoked_at, now())
WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: delete_key
-- The key, gone without a trace.
DELETE FROM api_keys WHERE tenant_id = %(tenant_id)s::uuid AND id = %(id)s::uuid

-- name: claim_request
-- The first request with this key takes it; a second one waits for the first and then takes nothing.
INSERT INTO idempotency (tenant_id, key, fingerprint, user_id, session_id, result)
VALUES (%(tenant_id)s::uuid, %(key)s::text, %(fingerprint)s::bytea, %(user_id)s::text, %(session_id)s::text,
        %(result)s::jsonb)
ON CONFLICT (tenant_id, key) DO NOTHING

-- name: request
-- What the request with this key did.
SELECT fingerprint, result FROM idempotency WHERE tenant_id = %(tenant_id)s::uuid AND key = %(key)s::text

-- name: delete_requests_of_user
-- The traces of a person's requests.
DELETE FROM idempotency WHERE tenant_id = %(tenant_id)s::uuid AND user_id = %(user_id)s::text

-- name: delete_requests_of_session
-- The traces of requests to a session: what is forgotten can be said again.
DELETE FROM idempotency WHERE tenant_id = %(tenant_id)s::uuid AND session_id = %(session_id)s::text
